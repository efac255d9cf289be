"""A SunSpec inverter with integer models, in the manner of Fronius: registers in, controls of the physics out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from msgspec.structs import replace

from orchestrator.simulation.devices.sunspec import tables, values
from orchestrator.simulation.devices.sunspec.controls import ImmediateControls, StorageControls
from orchestrator.simulation.devices.sunspec.model import Model
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, RegisterMap, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Value, Words, fitting_scale
from orchestrator.simulation.plant.inverter import SimulatedInverter

Chained = tuple[Model, Callable[[], Mapping[str, Value]]]
"""A model, and what gives the present values of its points."""


class SunSpecInverter:
    """Models 1, 103, 120 to 123, with a battery 124, then 160. Only points of 123 and 124 can be written.

    A make is a subclass that says what it has of its own.
    """

    IMMEDIATE_CONTROLS: ClassVar[type[ImmediateControls]] = ImmediateControls
    STORAGE_CONTROLS: ClassVar[type[StorageControls]] = StorageControls

    def __init__(self, inverter: SimulatedInverter) -> None:
        self.reads = 0
        self.writes: list[WriteRecord] = []
        self._inverter = inverter
        self._immediate = self.IMMEDIATE_CONTROLS()
        self._storage = self._make_storage()
        self.registers = RegisterMap(self._models())

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        self.reads += 1
        return self.registers.read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; a refusal changes nothing."""
        if not self.registers.holds(address, len(words)):
            return ExceptionCode.ILLEGAL_ADDRESS
        hit = self.registers.names(address, words)
        immediate = _of_model(hit, "123.", self._immediate.ALLOWED)
        storage = _of_model(hit, "124.", self._storage.ALLOWED) if self._storage else {}
        if not self._immediate.accepts(immediate) or (self._storage and not self._storage.accepts(storage)):
            return ExceptionCode.ILLEGAL_VALUE
        self._immediate.write(immediate)
        heeded: Mapping[str, int] = {}
        if self._storage:
            heeded = self._storage.heeded(storage)
            self._storage.write(heeded)
        taken = tuple(f"123.{name}" for name in immediate) + tuple(f"124.{name}" for name in heeded)
        self.writes.append(WriteRecord(now_s, address, words, taken))
        if taken:
            self._obey()
        return None

    def advance(self, dt_s: float) -> None:
        """Let the revert timers run for `dt_s`."""
        reverted = self._immediate.advance(dt_s)
        if self._storage:
            reverted = self._storage.advance(dt_s) or reverted
        if reverted:
            self._obey()

    def restart_controls(self) -> None:
        """Its control board starts anew while the connection stays: AC limit and window are gone."""
        self._immediate.restart()
        if self._storage:
            self._storage.restart()
        self._obey()

    @property
    def reference_watts(self) -> float:
        """WChaMax, the power that 100 % of InWRte and OutWRte mean; 0 without a battery."""
        battery = self._inverter.settings.battery
        return max(battery.charge_watts, battery.discharge_watts) if battery else 0.0

    def _make_storage(self) -> StorageControls | None:
        battery = self._inverter.settings.battery
        if battery is None:
            return None
        return self.STORAGE_CONTROLS(battery.reserve_percent, battery.grid_charging_allowed)

    def _models(self) -> list[Chained]:
        inverter = self._inverter
        return [
            (tables.COMMON_WITHOUT_PAD, lambda: {**values.common(inverter), **self._identity()}),
            (tables.INVERTER, lambda: values.measurements(inverter)),
            (tables.NAMEPLATE, self._nameplate),
            (tables.SETTINGS, lambda: values.settings(inverter)),
            (tables.STATUS, lambda: values.status(inverter)),
            (tables.CONTROLS, self._immediate_values),
            *self._behind_controls(),
        ]

    def _behind_controls(self) -> list[Chained]:
        """The models of the DC side, in the order of the map."""
        inputs = (tables.mppt(len(self._dc_inputs())), self._mppt_values)
        return [inputs] if self._storage is None else [(tables.STORAGE, self._storage_values), inputs]

    def _identity(self) -> values.Values:
        """What model 1 says in place of what every virtual device says."""
        return {}

    def _nameplate(self) -> values.Values:
        return values.nameplate(self._inverter)

    def _dc_inputs(self) -> list[values.DcInput]:
        return values.dc_inputs(self._inverter)

    def _mppt_values(self) -> values.Values:
        return values.mppt(self._inverter, self._dc_inputs())

    def _immediate_values(self) -> Mapping[str, Value]:
        raw = self._immediate.raw
        return {**raw, "WMaxLimPct": raw["WMaxLimPct"] / 100, "WMaxLimPct_SF": -2}

    def _storage_values(self) -> Mapping[str, Value]:
        if self._storage is None:
            return {}
        raw = self._storage.raw
        return {
            **raw,
            **{"WChaMax": self.reference_watts, "WChaMax_SF": fitting_scale(self.reference_watts, 0)},
            **{"WChaGra": 100, "WDisChaGra": 100, "WChaDisChaGra_SF": 0},
            **{"MinRsvPct": raw["MinRsvPct"] / 100, "MinRsvPct_SF": -2},
            **{"ChaState": self._inverter.soc_percent, "ChaState_SF": -2, "ChaSt": self._inverter.charge_state},
            **{"OutWRte": raw["OutWRte"] / 100, "InWRte": raw["InWRte"] / 100, "InOutWRte_SF": -2},
        }

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        limit_percent = self._immediate.limit_percent
        rating_watts = self._inverter.settings.ac_rating_watts
        self._inverter.controls = replace(
            self._inverter.controls,
            connected=self._immediate.connected,
            ac_limit_watts=None if limit_percent is None else rating_watts * limit_percent / 100,
        )
        if self._storage is not None:
            self._inverter.controls = replace(
                self._inverter.controls,
                low_watts=self._watts(self._storage.low_percent),
                high_watts=self._watts(self._storage.high_percent),
                grid_charging=self._storage.grid_charging,
                reserve_percent=self._storage.reserve_percent,
            )

    def _watts(self, percent: float | None) -> float | None:
        return None if percent is None else self.reference_watts * percent / 100


def _of_model(hit: Mapping[str, int], prefix: str, allowed: Mapping[str, range]) -> dict[str, int]:
    """The written words of one model, by point name; without those that are ignored."""
    named = {name.removeprefix(prefix): word for name, word in hit.items() if name.startswith(prefix)}
    return {name: word for name, word in named.items() if name in allowed}
