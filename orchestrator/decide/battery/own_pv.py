"""PV behind an AC limit of next to nothing can only charge its own battery, so that may take all of it.

Nobody sees what such PV could make. A window that is open for it needs no guess: what there is goes into the battery,
nothing is exported for it and nothing imported. As soon as the site needs AC power of that inverter, its battery is
pinned to its share again.

What is stored so counts as the share of that battery, whatever the strategy says. Under `equal_soc` that would keep one
ahead of the others for as long as the sun shines, so it gives up what is beyond its share where the others take it: its
AC limit rises in the same step, and the PV comes through it (`ac/levelled.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf

from orchestrator.config.sections import ControlConfig
from orchestrator.decide.battery.command import must_rest
from orchestrator.decide.plant.units import Battery, Plant, Unit
from orchestrator.setpoints.fields import SetpointFields

NOTHING_PART_OF_RATING = 0.035
"""An AC limit up to here is nothing but headroom and sight."""

IDLE_AC_PART_OF_RATING = 0.04
"""One that makes more AC power than this is of use to the site with it; less is what such a limit leaves."""

OVER_TARGET_WATTS = 40.0
"""What is stored may be so much more than what the site has for its batteries: noise, and less than what is idle."""


def may_open(plant: Plant, control: ControlConfig, wanted: SetpointFields) -> bool:
    """Whether nothing that is asked for the batteries together speaks against it: a limit, a ramp, a plan for each.

    Under a generation limit PV may be held back while the site imports, and what batteries are to do then follows that.
    """
    limit = wanted.battery_charge_max_watts
    if control.ramp_watts_per_s is not None or control.allocation == "fewest_units":
        return False
    if wanted.battery_grid_charging_enabled or wanted.generation_limit_watts is not None:
        return False
    return limit is None or fsum(b.charge_max_watts for b in plant.batteries) <= limit


def open_to_watts(unit: Unit, battery: Battery, target_watts: float, limit_watts: float, now_s: float) -> float | None:
    """The most that its own PV may charge it with, in W; None where the target holds as it is.

    `limit_watts` is the AC limit that it is about to get.
    """
    rating = unit.rating_watts
    if rating is None or not unit.limitable or target_watts < 0 or not battery.below_max or not takes_window(unit):
        return None
    limited = max(unit.limit_watts, limit_watts) <= NOTHING_PART_OF_RATING * rating
    if not limited or abs(unit.ac_watts) > IDLE_AC_PART_OF_RATING * rating or must_rest(unit, True, now_s):
        return None
    return max(battery.charge_max_watts, target_watts)


def takes_window(unit: Unit) -> bool:
    """Whether its battery may do more than its target within a window; one that is told a power does just that."""
    return unit.sample.battery is not None and unit.sample.battery.takes_window


def is_open(unit: Unit) -> bool:
    """Whether own PV may charge its battery beyond its target, and does charge it."""
    return unit.battery_watts > 0 and unit.memory.battery.open_to_watts is not None


def stored_watts(plant: Plant, target_watts: float) -> Mapping[str, float]:
    """What batteries with an open window take of their own PV, in W, where all of that is there for batteries.

    No more than each may be charged with: one whose charging is left to its device may take more.
    """
    stored = {
        u.name: min(u.battery.watts, u.battery.charge_max_watts)
        for u in plant.units
        if u.battery is not None and is_open(u)
    }
    return stored if fsum(stored.values()) <= target_watts + OVER_TARGET_WATTS else {}


def gives_up(unit: Unit, stored_watts: float, share_watts: float) -> bool:
    """Whether its share leaves enough of what it stores, both in W, for an AC limit that is more than nothing.

    Its AC limit rises for that in the same step, and shuts the window. With less the window would stay open, and all of
    it would still go into the battery: what the others are asked for in its place would be imported.
    """
    return stored_watts - share_watts > NOTHING_PART_OF_RATING * (unit.rating_watts or inf)
