"""A SunSpec inverter of the 700 series: its registers, and what it does with model 704."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from orchestrator.simulation.devices.sunspec import tables, tables_der, values, values_der
from orchestrator.simulation.devices.sunspec.der_controls import DerControls
from orchestrator.simulation.devices.sunspec.model import Model
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, RegisterMap, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Value, Words, whole
from orchestrator.simulation.plant.inverter import SimulatedInverter


class SunSpecDer:
    """Models 1, 701, 702, 704, with a battery 713, then 714. Only points of 704 can be written.

    The power of the whole inverter can be set (WSet) where it has a battery and no PV.
    """

    def __init__(self, inverter: SimulatedInverter) -> None:
        self.reads = 0
        self.writes: list[WriteRecord] = []
        self._inverter = inverter
        self._controls = DerControls(sets_power=values_der.sets_power(inverter))
        self.registers = RegisterMap(self._models())

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        self.reads += 1
        return self.registers.read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; a refusal changes nothing."""
        if not self.registers.holds(address, len(words)):
            return ExceptionCode.ILLEGAL_ADDRESS
        written = self._written(address, words)
        if not self._controls.accepts(written):
            return ExceptionCode.ILLEGAL_VALUE
        self._controls.write(written)
        self.writes.append(WriteRecord(now_s, address, words, tuple(f"704.{name}" for name in written)))
        if written:
            self._obey()
        return None

    def advance(self, dt_s: float) -> None:
        """Let the revert timers run for `dt_s`."""
        if self._controls.advance(dt_s):
            self._obey()

    def restart_controls(self) -> None:
        """Its control board starts anew while the connection stays: AC limit and set point are gone."""
        self._controls.restart()
        self._obey()

    def _models(self) -> list[tuple[Model, Callable[[], Mapping[str, Value]]]]:
        inverter = self._inverter
        chain: list[tuple[Model, Callable[[], Mapping[str, Value]]]] = [
            (tables.COMMON, lambda: values.common(inverter)),
            (tables_der.MEASURE_AC, lambda: values_der.measure_ac(inverter)),
            (tables_der.CAPACITY, lambda: values_der.capacity(inverter)),
            (tables_der.CONTROLS, lambda: values_der.controls(self._controls)),
        ]
        if inverter.settings.battery is not None:
            chain.append((tables_der.STORAGE_CAPACITY, lambda: values_der.storage_capacity(inverter)))
        ports = len(values_der.ports(inverter))
        chain.append((tables_der.measure_dc(ports), lambda: values_der.measure_dc(inverter)))
        return chain

    def _written(self, address: int, words: Words) -> dict[str, int]:
        """The points of 704 that were written whole and can be, with their values. Half a point is ignored."""
        origin = next(block.address for block in self.registers.blocks if block.model is tables_der.CONTROLS)
        written = {}
        for point in tables_der.CONTROLS.points:
            first = origin + point.offset - address
            if point.name in self._controls.allowed and 0 <= first <= len(words) - point.kind.words:
                written[point.name] = whole(point.kind, words[first : first + point.kind.words])
        return written

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        limit_percent, set_watts = self._controls.limit_percent, self._controls.set_watts
        rating_watts = self._inverter.settings.ac_rating_watts
        battery_watts = None if set_watts is None else self._battery_watts(set_watts)
        self._inverter.controls = replace(
            self._inverter.controls,
            ac_limit_watts=None if limit_percent is None else rating_watts * limit_percent / 100,
            low_watts=battery_watts,
            high_watts=battery_watts,
            grid_charging=self._inverter.found_grid_charging if set_watts is None else True,
        )

    def _battery_watts(self, set_watts: float) -> float:
        """What the battery must take (+) for the inverter to give `set_watts` at AC."""
        part = self._inverter.settings.efficiency_percent / 100
        return -set_watts / part if set_watts > 0 else -set_watts * part
