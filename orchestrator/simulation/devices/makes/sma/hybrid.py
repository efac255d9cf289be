"""An SMA hybrid in its own profile, unit 3: what it shows. What it obeys is in `sma_controls`.

From SMA's Modbus parameter lists. Register numbers are the addresses on the wire. A register that can only be written
reads as "not available". Holes are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from msgspec import structs

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.sma.controls import DEFAULT, BatterySetPoints, PowerLimit, Window, accepts
from orchestrator.simulation.devices.makes.sma.readings import battery_readings, readings
from orchestrator.simulation.devices.plain.map import Cell, Number, PlainDevice
from orchestrator.simulation.devices.plain.words import I16, I32, U32, Plain
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.physics import to_dc
from orchestrator.simulation.plant.inverter import SimulatedInverter

NOT_AVAILABLE: Final = {U32: 0xFFFFFFFF, I32: -0x80000000, I16: -0x8000}
ONLY_WRITTEN: tuple[tuple[str, int, Plain], ...] = (
    ("set_point", 40149, I32),
    ("control", 40151, U32),
    ("charge_min", 40793, U32),
    ("charge_max", 40795, U32),
    ("discharge_min", 40797, U32),
    ("discharge_max", 40799, U32),
    ("grid_set_point", 40801, I32),
)
SETTINGS: tuple[tuple[str, int, Plain, float], ...] = (
    ("limit_mode", 40210, U32, 1),
    ("missing_mode", 41193, U32, 1),
    ("missing_timeout", 41195, U32, 1),
    ("fallback_limit", 41197, U32, 0.01),
    ("fast_stop", 41253, U32, 1),
    ("limit", 41255, I16, 0.01),
)
OLDER_LIMITS: tuple[tuple[str, int, float], ...] = (("limit_whole", 40016, 1), ("limit_cyclic", 40023, 0.01))


class SmaHybrid(PlainDevice):
    """Holding registers of unit 3; function 4 shows the same."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._battery = BatterySetPoints(inverter.settings.battery)
        self._limit = PowerLimit()
        cells = self._cells(inverter.settings.battery)
        super().__init__([*cells, *(replace(cell, inputs=True, writable=False) for cell in cells)])

    def refuses(self, written: Mapping[str, Number]) -> ExceptionCode | None:
        """A value that its register does not allow."""
        allowed = all(accepts(_plain_name(name), value) for name, value in written.items())
        return None if allowed else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, Number]) -> None:
        """Obey accepted values."""
        values = {_plain_name(name): value for name, value in written.items()}
        self._battery.values.write({name: value for name, value in values.items() if name in self._battery.values})
        self._limit.write({name: value for name, value in values.items() if name in self._limit.values})
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let what was written grow older by `dt_s`."""
        self._battery.advance(dt_s)
        self._limit.advance(dt_s)
        self._obey()

    def hear_meter(self, site_watts: float | None) -> None:
        """What its own meter says (import +); None: it has none."""
        self._battery.site_watts = site_watts

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: no set point, no limit."""
        self._battery.values.clear()
        self._limit.values["limit"] = 100.0
        self._obey()

    def _obey(self) -> None:
        inverter, percent = self._inverter, self._limit.percent
        window = self._set_point_window() or self._battery.window
        if window is None:
            window = Window(None, None, from_ac=inverter.found_grid_charging)
        inverter.controls = structs.replace(
            inverter.controls,
            connected=self._limit.connected,
            ac_limit_watts=None if percent is None else inverter.settings.ac_rating_watts * percent / 100,
            low_watts=window.low_watts,
            high_watts=window.high_watts,
            grid_charging=window.from_ac,
        )

    def _set_point_window(self) -> Window | None:
        """The set point is AC power: what PV gives beyond it goes into the battery, what it lacks comes out."""
        ac_watts = self._battery.ac_set_point_watts
        if ac_watts is None:
            return None
        battery_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
        return Window(battery_watts, battery_watts, from_ac=True)

    def _cells(self, battery: BatterySimulation | None) -> list[Cell]:
        cells = [*readings(self._inverter), *self._limit_cells()]
        if battery is not None:
            mode = Cell("mode", 40236, lambda: self._battery.values.get("mode") or DEFAULT, U32, writable=True)
            cells += [*battery_readings(self._inverter, battery), *_only_written(), mode]
        return cells

    def _limit_cells(self) -> list[Cell]:
        def shown(name: str) -> Callable[[], float]:
            return lambda: self._limit.values[name]

        newer = [Cell(name, at, shown(name), kind, gain, writable=True) for name, at, kind, gain in SETTINGS]
        older = [Cell(name, at, _missing(I16, gain), I16, gain, writable=True) for name, at, gain in OLDER_LIMITS]
        return newer + older


def _plain_name(name: str) -> str:
    """The three registers of the AC limit are one."""
    return "limit" if name in ("limit_whole", "limit_cyclic") else name


def _missing(kind: Plain, gain: float = 1.0) -> Callable[[], float]:
    return lambda: NOT_AVAILABLE[kind] * gain


def _only_written() -> list[Cell]:
    return [Cell(name, address, _missing(kind), kind, writable=True) for name, address, kind in ONLY_WRITTEN]
