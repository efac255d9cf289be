"""What batteries may do while the meter says nothing: no discharge, and charging from own PV only.

The window goes up to what the battery was charged with when the meter fell silent. Where an AC limit holds back PV of
the same inverter, it goes up to all that the battery takes: what comes of that PV is neither exported nor imported, and
would be lost. What the site has asked for (limits, rates, ramps, rests) holds all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.allocation.spread import share_by_weight
from orchestrator.decide.battery.command import AT_REST_WATTS, must_rest
from orchestrator.decide.memory import BatteryMemory
from orchestrator.decide.plant.units import NO_LIMIT_PART, Battery, Plant, Unit


def windows_without_meter(
    plant: Plant,
    limits_watts: Mapping[str, float],
    *,
    charge_limit_watts: float | None,
    has_site_ramp: bool,
    now_s: float,
) -> dict[str, float]:
    """The most that each battery may be charged with, in W, behind these AC limits.

    All together are charged with `charge_limit_watts` at most (None: unlimited). A ramp of the site is for all together
    as well, and nobody adds up now what comes of it: with one, no window opens.
    """
    held, most = {}, {}
    for unit in plant.units:
        if unit.controllable and unit.battery is not None:
            held[unit.name] = _held_watts(unit.battery, unit.memory.battery)
            open_to = 0.0 if has_site_ramp else _open_watts(unit, unit.battery, limits_watts, now_s)
            most[unit.name] = max(held[unit.name], open_to)
    if charge_limit_watts is None:
        return most
    part = min(charge_limit_watts / (fsum(held.values()) or 1.0), 1.0)
    held = {name: part * watts for name, watts in held.items()}
    open_watts = {name: most[name] - watts for name, watts in held.items()}
    left_watts = max(charge_limit_watts - fsum(held.values()), 0.0)
    more = share_by_weight(left_watts, open_watts, {name: max(watts, 1.0) for name, watts in most.items()})
    return {name: watts + more.get(name, 0.0) for name, watts in held.items()}


def hold(unit: Unit, battery: Battery, window_watts: float, now_s: float) -> tuple[BatteryCommand, BatteryMemory]:
    """Keep it within its window. What takes a power and no window goes on with what it did, from own PV only."""
    before = unit.memory.battery
    held_watts = min(_held_watts(battery, before), window_watts)
    command = BatteryCommand(
        BatteryMode.HOLD, watts=held_watts, low_watts=0.0, high_watts=max(window_watts, 0.0), grid_charging=False
    )
    memory = replace(
        before, target_watts=None, grid_charging=False, hold_watts=_then_watts(battery, before), open_to_watts=None
    )
    charges = battery.watts > AT_REST_WATTS
    return command, replace(memory, direction=1, direction_at_s=now_s) if charges else memory


def _open_watts(unit: Unit, battery: Battery, limits_watts: Mapping[str, float], now_s: float) -> float:
    """What it may take of PV that its AC limit holds back; 0 where that is not sure to be all it takes, or too soon."""
    rating = unit.rating_watts or 0.0
    held_back = unit.sample.has_pv and limits_watts.get(unit.name, rating) < NO_LIMIT_PART * rating
    if not held_back or battery.grid_charging_allowed is None or not battery.below_max or must_rest(unit, True, now_s):
        return 0.0
    return battery.charge_max_watts


def _held_watts(battery: Battery, before: BatteryMemory) -> float:
    """What it was charged with when the meter fell silent, within its limits of now."""
    return min(_then_watts(battery, before), battery.charge_max_watts) if battery.below_max else 0.0


def _then_watts(battery: Battery, before: BatteryMemory) -> float:
    return max(battery.watts, 0.0) if before.hold_watts is None else before.hold_watts
