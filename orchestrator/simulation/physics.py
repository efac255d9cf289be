"""One inverter with its PV and its DC-side battery, in steps of dt seconds. Values in, values out.

    PV --pv--> DC bus --dc--> [converter] --ac--> site        pv = battery + dc
                 |                                            ac = dc x efficiency        (dc >= 0, into the site)
                 +--battery--> battery                        ac = dc / efficiency        (dc < 0, drawn from the site)

Signs: `ac_watts` into the site +, `battery_watts` charging +, `pv_watts` never negative. The AC limit bounds AC output
alone: behind it PV still charges the battery as its window allows, and what neither takes is curtailed. PV goes before
discharging: a discharge that does not fit under the limit is cut, not the PV. With `discharge_goes_first` it is the
other way round: the battery keeps to its window, and PV gets what that leaves of the limit.

A battery that nobody commands follows its own default, "pv_first": it charges from its own PV, up to its power limit,
and does not discharge.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from msgspec import Struct

from orchestrator.config.simulation import BatterySimulation, InverterSimulation

SECONDS_PER_HOUR = 3600.0
CURTAILED_FROM_WATTS = 1.0
TAPER_FLOOR = 0.05
"""The last percent is charged (and the first above the reserve discharged) at this part of full power."""
DISCHARGE_TAPER_PERCENT = 3.0


class Controls(Struct, frozen=True):
    """What an inverter was told. Battery power (charging +) is kept in low_watts..high_watts; None: its own default.

    `ac_limit_watts` None is unlimited. `grid_charging` allows charging from AC. `reserve_percent` is the SoC at which
    discharging stops. `pv_gives_way` is `discharge_goes_first` for as long as it is told so.
    """

    connected: bool = True
    ac_limit_watts: float | None = None
    low_watts: float | None = None
    high_watts: float | None = None
    grid_charging: bool = False
    reserve_percent: float = 0.0
    pv_gives_way: bool = False


class PowerRange(NamedTuple):
    """What battery power (charging +) may be; low_watts <= 0 <= high_watts."""

    low_watts: float
    high_watts: float

    def clamp(self, watts: float) -> float:
        """The nearest power inside the range."""
        low_watts, high_watts = self
        if watts < low_watts:
            return low_watts
        return high_watts if watts > high_watts else watts

    def within(self, other: PowerRange) -> PowerRange:
        """What both ranges allow."""
        return PowerRange(
            other.low_watts if other.low_watts > self.low_watts else self.low_watts,
            other.high_watts if other.high_watts < self.high_watts else self.high_watts,
        )


NO_BATTERY = PowerRange(0.0, 0.0)
WHOLE_RANGE = PowerRange(-math.inf, math.inf)
"""Nothing but its own ratings holds a battery back."""


class PowerState(Struct, frozen=True):
    """The powers of one inverter at one moment in W, and what its battery holds in Wh.

    `curtailed` says that PV is held below what the light allows, once the goal is reached. `accepted` is what the
    battery's own management lets through.
    """

    ac_watts: float = 0.0
    pv_watts: float = 0.0
    battery_watts: float = 0.0
    pv_available_watts: float = 0.0
    stored_wh: float = 0.0
    curtailed: bool = False
    accepted: PowerRange = WHOLE_RANGE

    @property
    def losses_watts(self) -> float:
        """What the converter turns into heat: pv = ac + battery + losses."""
        return self.pv_watts - self.ac_watts - self.battery_watts


class Goal(NamedTuple):
    """Where an inverter would settle if nothing changed any more."""

    ac_watts: float
    pv_watts: float
    battery_watts: float


def advance_inverter(
    settings: InverterSimulation,
    controls: Controls,
    state: PowerState,
    *,
    pv_available_watts: float,
    dt_s: float,
    battery_speed: float = 1.0,
    accepted: PowerRange = WHOLE_RANGE,
) -> PowerState:
    """One inverter `dt_s` (> 0) later, with `pv_available_watts` (>= 0) of light on its PV.

    `accepted` is what its battery management lets through now.
    """
    battery = settings.battery
    possible = NO_BATTERY
    if battery is not None:
        batteries = battery_range(battery, controls, state.stored_wh, dt_s, battery_speed).within(accepted)
        possible = narrow_to_converter(batteries, settings, controls, pv_available_watts)
    goal = find_goal(settings, controls, possible, pv_available_watts)
    battery_watts = 0.0
    if battery is not None:
        battery_watts = _follow_battery(settings, battery, possible.clamp(state.battery_watts), goal, dt_s)
        battery_watts = possible.clamp(battery_watts)
    # What has become impossible since the last step ends at once; only from there on anything moves gradually.
    start_watts = max(state.ac_watts, -to_draw(settings, possible.high_watts))
    dc_wish_watts = _follow_converter(settings, controls, start_watts, goal, dt_s)
    if dc_wish_watts >= 0:
        battery_watts = max(battery_watts, -dc_wish_watts)
    pv_watts = min(max(dc_wish_watts + battery_watts, 0.0), pv_available_watts)
    return PowerState(
        ac_watts=to_ac(settings, pv_watts - battery_watts),
        pv_watts=pv_watts,
        battery_watts=battery_watts,
        pv_available_watts=pv_available_watts,
        stored_wh=0.0 if battery is None else _store(battery, state.stored_wh, battery_watts, dt_s, battery_speed),
        curtailed=pv_available_watts - goal.pv_watts > CURTAILED_FROM_WATTS,
        accepted=accepted,
    )


def find_goal(
    settings: InverterSimulation, controls: Controls, possible: PowerRange, pv_available_watts: float
) -> Goal:
    """Where the inverter settles: window, AC limit and light decide, in that order, inside what is possible."""
    high_watts, low_watts = controls.high_watts, controls.low_watts
    wish_watts = min(pv_available_watts, possible.high_watts)
    if high_watts is not None and high_watts < wish_watts:
        wish_watts = high_watts
    if low_watts is not None and low_watts > wish_watts:
        wish_watts = low_watts
    dc_max_watts = to_dc(settings, ac_output_max(settings, controls))
    pv_first_watts = 0.0 if settings.discharge_goes_first or controls.pv_gives_way else pv_available_watts
    battery_watts = possible.clamp(max(wish_watts, min(pv_first_watts - dc_max_watts, 0.0)))
    pv_watts = min(pv_available_watts, dc_max_watts + battery_watts)
    return Goal(to_ac(settings, pv_watts - battery_watts), pv_watts, battery_watts)


def ac_output_max(settings: InverterSimulation, controls: Controls) -> float:
    """The most AC power in W that may flow into the site: rating, limit and connection."""
    if not controls.connected:
        return 0.0
    rating_watts, limit_watts = settings.ac_rating_watts, controls.ac_limit_watts
    return rating_watts if limit_watts is None or limit_watts >= rating_watts else max(limit_watts, 0.0)


def battery_range(
    battery: BatterySimulation | None, controls: Controls, stored_wh: float, dt_s: float, speed: float = 1.0
) -> PowerRange:
    """What the battery itself can do for the next `dt_s`: its ratings, tapered near full and near its reserve."""
    if battery is None:
        return NO_BATTERY
    soc_percent = 100.0 * stored_wh / battery.capacity_wh
    efficiency, hours = battery.efficiency_percent / 100, dt_s * speed / SECONDS_PER_HOUR
    reserve_wh = battery.capacity_wh * controls.reserve_percent / 100
    charge = battery.charge_watts * _taper(100.0 - soc_percent, 100.0 - battery.taper_from_percent)
    discharge = battery.discharge_watts * _taper(soc_percent - controls.reserve_percent, DISCHARGE_TAPER_PERCENT)
    return PowerRange(
        low_watts=-min(discharge, max(stored_wh - reserve_wh, 0.0) * efficiency / hours),
        high_watts=min(charge, max(battery.capacity_wh - stored_wh, 0.0) / efficiency / hours),
    )


def warm_part(battery: BatterySimulation, celsius: float) -> float:
    """The part of its charging power (0..1) that a battery of this temperature takes."""
    if celsius >= battery.cold_below_celsius:
        return 1.0
    span = battery.cold_below_celsius - battery.no_charge_below_celsius
    return max(celsius - battery.no_charge_below_celsius, 0.0) / span if span > 0 else 0.0


def narrow_to_converter(
    batteries: PowerRange, settings: InverterSimulation, controls: Controls, pv_available_watts: float
) -> PowerRange:
    """The same range without what the converter cannot carry, or may not draw from AC (ChaGriSet 0, Conn 0)."""
    draws = controls.connected and controls.grid_charging
    import_dc_watts = -to_dc(settings, -settings.ac_rating_watts) if draws else 0.0
    export_dc_watts = to_dc(settings, settings.ac_rating_watts) if controls.connected else 0.0
    return PowerRange(
        low_watts=max(batteries.low_watts, -export_dc_watts),
        high_watts=min(batteries.high_watts, pv_available_watts + import_dc_watts),
    )


def to_ac(settings: InverterSimulation, dc_watts: float) -> float:
    """AC power (into the site +) of `dc_watts` through the converter."""
    efficiency = settings.efficiency_percent / 100
    return dc_watts * efficiency if dc_watts >= 0 else dc_watts / efficiency


def to_draw(settings: InverterSimulation, dc_watts: float) -> float:
    """AC power that is drawn from the site to bring `dc_watts` (>= 0) to the DC bus."""
    return dc_watts * 100 / settings.efficiency_percent


def to_dc(settings: InverterSimulation, ac_watts: float) -> float:
    """DC power that `ac_watts` (into the site +) needs; the inverse of `to_ac`."""
    efficiency = settings.efficiency_percent / 100
    return ac_watts / efficiency if ac_watts >= 0 else ac_watts * efficiency


def _follow_battery(
    settings: InverterSimulation, battery: BatterySimulation, watts: float, goal: Goal, dt_s: float
) -> float:
    rating_watts = max(battery.charge_watts, battery.discharge_watts)
    return _follow(settings, watts, goal.battery_watts, rating_watts, dt_s)


def _follow_converter(
    settings: InverterSimulation, controls: Controls, ac_watts: float, goal: Goal, dt_s: float
) -> float:
    """The DC power that AC wants next. A relay that opens and a permission that ends act at once, without a ramp."""
    if not controls.connected:
        return 0.0
    start_watts = ac_watts if controls.grid_charging else max(ac_watts, 0.0)
    return to_dc(settings, _follow(settings, start_watts, goal.ac_watts, settings.ac_rating_watts, dt_s))


def _follow(settings: InverterSimulation, watts: float, goal_watts: float, rating_watts: float, dt_s: float) -> float:
    """A first-order lag towards the goal, never faster than the ramp; exact for any `dt_s`."""
    gap_watts = goal_watts - watts
    size_watts, lag_s = abs(gap_watts), settings.lag_s
    ramp_watts_per_s = rating_watts * settings.ramp_percent_per_s / 100
    # Above this gap the ramp holds the lag back, below it the lag is slower than the ramp.
    too_wide_watts = size_watts - ramp_watts_per_s * lag_s
    if too_wide_watts > 0:
        ramped_watts = min(too_wide_watts, ramp_watts_per_s * dt_s)
        size_watts -= ramped_watts
        dt_s -= ramped_watts / ramp_watts_per_s
    if dt_s > 0:
        size_watts *= math.exp(-dt_s / lag_s) if lag_s else 0.0
    return goal_watts - math.copysign(size_watts, gap_watts)


def _taper(left_percent: float, from_percent: float) -> float:
    """1 with room enough, falling with the room that is left, 0 without any."""
    if left_percent >= from_percent:
        return 1.0
    return max(left_percent / from_percent, TAPER_FLOOR) if left_percent > 0 else 0.0


def _store(battery: BatterySimulation, stored_wh: float, watts: float, dt_s: float, speed: float) -> float:
    efficiency, hours = battery.efficiency_percent / 100, dt_s * speed / SECONDS_PER_HOUR
    after_wh = stored_wh + (watts * hours * efficiency if watts >= 0 else watts * hours / efficiency)
    # The range already forbids more; this removes only the last bit of rounding.
    return after_wh if 0.0 <= after_wh <= battery.capacity_wh else min(max(after_wh, 0.0), battery.capacity_wh)
