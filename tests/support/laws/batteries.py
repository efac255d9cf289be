"""Batteries: what they are told, and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from math import fsum

from tests.support.laws.base import ANYTHING, FOLLOWS_PART, Wild, changed, least
from tests.support.random_plants.possible import Part, Seen


def batteries_keep_what_is_asked_of_them(wild: Wild) -> Iterator[str]:
    """Rates and sums, and one direction for all."""
    for seen in wild.seen:
        wanted, at_s = seen.moment.wanted, seen.moment.at_s
        charging = fsum(max(part.target_watts, 0.0) for part in seen.parts)
        discharging = fsum(max(-part.target_watts, 0.0) for part in seen.parts)
        if charging > 0 < discharging:
            yield f"{at_s:g} s: one battery charges another"
        if charging > least(wanted.battery_charge_max_watts) + 1:
            yield f"{at_s:g} s: charging {charging:.0f} W in all"
        if discharging > least(wanted.battery_discharge_max_watts) + 1:
            yield f"{at_s:g} s: discharging {discharging:.0f} W in all"
        for part in seen.parts:
            if not _least_target_watts(part) - 1 <= part.target_watts <= _most_target_watts(part) + 1:
                yield f"{at_s:g} s: {part.name} at {part.target_watts:.0f} W"


def _most_target_watts(part: Part) -> float:
    battery, rate = part.simulation.battery, part.moment.wanted.battery_charge_rate_percent
    return battery.charge_watts * min(least(rate), 100.0) / 100 if battery else 0.0


def _least_target_watts(part: Part) -> float:
    battery, rate = part.simulation.battery, part.moment.wanted.battery_discharge_rate_percent
    return -battery.discharge_watts * min(least(rate), 100.0) / 100 if battery else 0.0


def no_command_leads_beyond_the_states_of_charge(wild: Wild) -> Iterator[str]:
    """No battery that obeys is told to charge at its maximum, or to discharge at its minimum.

    A sample is a little older or younger than its moment: only what was so in two moments must have been seen.
    """
    for before, seen in pairwise(wild.seen):
        for former, part in zip(before.parts, seen.parts, strict=True):
            if not part.battery_obeys:
                continue
            full = min(former.soc_percent, part.soc_percent) >= part.soc_max_percent
            empty = max(former.soc_percent, part.soc_percent) <= part.soc_min_percent - 0.1
            if (full and part.target_watts > 0) or (empty and part.target_watts < 0):
                yield f"{seen.moment.at_s:g} s: {part.name} told {part.target_watts:.0f} W at {part.soc_percent:.1f} %"


def states_of_charge_stay_between_minimum_and_maximum(wild: Wild) -> Iterator[str]:
    """No battery that obeys goes on beyond. Disconnected ones are left to themselves."""
    for number, name in enumerate(wild.scenario.inverters):
        is_broken = partial(_goes_beyond, number)
        for at_s in wild.lasting(is_broken, changed("setpoint")):
            yield f"{at_s:g} s: the battery of {name} goes beyond its limits"


def _goes_beyond(number: int, seen: Seen) -> bool:
    part = seen.parts[number]
    battery = part.simulation.battery
    if battery is None or not part.battery_obeys or not part.steady or not seen.is_governed:
        return False
    watts = part.power.battery_watts
    above = part.soc_percent > part.soc_max_percent + 0.05 and watts > FOLLOWS_PART * battery.charge_watts
    below = part.soc_percent < part.soc_min_percent - 0.05 and -watts > FOLLOWS_PART * battery.discharge_watts
    return above or below


def batteries_charge_from_the_grid_only_where_they_may(wild: Wild) -> Iterator[str]:
    """Without grid charging nothing is imported for batteries; with it, no more than allowed."""

    def is_broken(seen: Seen) -> bool:
        charging = seen.charging_watts
        imported = min(charging, seen.moment.site_watts - seen.forced_import_watts)
        allowed = seen.grid_charging_watts + wild.tolerance_watts + FOLLOWS_PART * charging
        return seen.is_governed and imported > allowed

    for at_s in wild.lasting(is_broken, changed(*ANYTHING)):
        yield f"{at_s:g} s: batteries charge from the grid"
