"""What an SMA hybrid obeys: its battery's window or its own set point for 60 s, and an AC limit with a fallback.

From SMA's Modbus parameter lists and "SMA Modbus Interface" (TI-en-15). What they do not say is read strictly: values
of a set count together only, each for 60 s. As users report, charging or discharging with least and most power the same
runs away to what the battery can do after some minutes, and charging happens only while the site exports, discharging
only while it imports (`site_watts`, import +, as its own meter says; None: it has none, and does not ask).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.plain.lapsing import LapsingValues
from orchestrator.simulation.plant.countdown import Countdown

OFF, AUTOMATIC, CHARGE, DISCHARGE, DEFAULT = 303, 1438, 2289, 2290, 2424
ACTIVE, INACTIVE = 802, 803
MANUAL_WATTS, MANUAL_PERCENT, EXTERNAL = 1077, 1078, 1079
BY_INPUTS = (1390, 1391, 1392)
"""Limits by analogue or digital inputs, where nothing is connected here."""
STOP, START = 381, 1467
KEEP, FALL_BACK = 2506, 2507
SET_POINTS_LAST_S = 60.0
STRAYS_AFTER_S = 120.0
BATTERY_SET: Final = ("mode", "charge_min", "charge_max", "discharge_min", "discharge_max", "grid_set_point")
INVERTER_SET: Final = ("set_point", "control")
ENUMS: Final[Mapping[str, frozenset[int]]] = {
    "mode": frozenset({OFF, AUTOMATIC, CHARGE, DISCHARGE, DEFAULT}),
    "control": frozenset({ACTIVE, INACTIVE}),
    "limit_mode": frozenset({OFF, MANUAL_WATTS, MANUAL_PERCENT, EXTERNAL, *BY_INPUTS}),
    "fast_stop": frozenset({STOP, START}),
    "missing_mode": frozenset({KEEP, FALL_BACK}),
}


class Window(NamedTuple):
    """What battery power (charging +) is kept in, and whether AC may charge for it."""

    low_watts: float | None
    high_watts: float | None
    from_ac: bool


class BatterySetPoints:
    """The battery's set (mode, four limits, target at the grid) and the inverter's own set point, which goes first."""

    def __init__(self, battery: BatterySimulation | None) -> None:
        self._battery = battery
        self.values = LapsingValues((*BATTERY_SET, *INVERTER_SET), SET_POINTS_LAST_S)
        self._pinned_s = 0.0
        self.site_watts: float | None = None

    @property
    def ac_set_point_watts(self) -> float | None:
        """AC power (into the site +) that the inverter is to have."""
        own = self.values.together(*INVERTER_SET)
        return own["set_point"] if own and own["control"] == ACTIVE else None

    @property
    def window(self) -> Window | None:
        """The battery's window; None while its set is not complete."""
        asked = self.values.together(*BATTERY_SET)
        if asked is None or self._battery is None:
            return None
        if asked["mode"] == OFF:
            return Window(0.0, 0.0, from_ac=False)
        if asked["mode"] in (CHARGE, DISCHARGE) and self._is_refused(charges=asked["mode"] == CHARGE):
            return Window(0.0, 0.0, from_ac=False)
        if asked["mode"] in (CHARGE, DISCHARGE):
            return self._strayed(asked, self._battery) or _forced(asked)
        # A limit that the battery cannot reach holds nothing back.
        discharge = None if asked["discharge_max"] >= self._battery.discharge_watts else -asked["discharge_max"]
        charge = None if asked["charge_max"] >= self._battery.charge_watts else asked["charge_max"]
        return Window(discharge, charge, from_ac=False)

    def _is_refused(self, *, charges: bool) -> bool:
        """Whether its meter shows the wrong direction for what it is to do."""
        return self.site_watts is not None and (self.site_watts > 0) == charges

    def _strayed(self, asked: Mapping[str, float], battery: BatterySimulation) -> Window | None:
        """What it does in place of what it was asked, once least and most were the same for too long."""
        if self._pinned_s < STRAYS_AFTER_S:
            return None
        charges = asked["mode"] == CHARGE
        watts = battery.charge_watts if charges else -battery.discharge_watts
        return Window(watts, watts, from_ac=charges)

    def advance(self, dt_s: float) -> None:
        """Let what was written grow older by `dt_s`."""
        self.values.advance(dt_s)
        asked = self.values.together(*BATTERY_SET)
        is_pinned = asked is not None and (
            (asked["mode"] == CHARGE and asked["charge_min"] == asked["charge_max"])
            or (asked["mode"] == DISCHARGE and asked["discharge_min"] == asked["discharge_max"])
        )
        self._pinned_s = self._pinned_s + dt_s if is_pinned else 0.0


class PowerLimit:
    """The AC limit in percent of WMax. It acts while the operating mode is 1079 (external) only.

    With a mode for missing limits of 2507 the fallback takes its place when the limit is not renewed in time.
    """

    def __init__(self) -> None:
        self._timeout = Countdown()
        self.values: dict[str, float] = {
            "limit_mode": OFF,
            "limit": 100.0,
            "fast_stop": START,
            "missing_mode": FALL_BACK,
            "missing_timeout": 300,
            "fallback_limit": 100.0,
        }

    @property
    def connected(self) -> bool:
        """Whether AC may flow at all."""
        return self.values["fast_stop"] == START

    @property
    def percent(self) -> float | None:
        """The limit in force; None: none."""
        return self.values["limit"] if self.values["limit_mode"] == EXTERNAL else None

    def write(self, written: Mapping[str, float]) -> None:
        """Take accepted values."""
        self.values.update(written)
        if "limit" in written:
            self._timeout.start(self.values["missing_timeout"])

    def advance(self, dt_s: float) -> None:
        """Let the time-out run for `dt_s`."""
        if self._timeout.advance(dt_s) and self.values["missing_mode"] == FALL_BACK:
            self.values["limit"] = self.values["fallback_limit"]


def _forced(asked: Mapping[str, float]) -> Window:
    if asked["mode"] == CHARGE:
        return Window(asked["charge_min"], asked["charge_max"], from_ac=True)
    return Window(-asked["discharge_max"], -asked["discharge_min"], from_ac=False)


def accepts(name: str, value: float) -> bool:
    """Whether the value is one that the register of this name allows."""
    if name in ENUMS:
        return value in ENUMS[name]
    if name in ("limit", "fallback_limit"):
        return 0 <= value <= 100
    return True
