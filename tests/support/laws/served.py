"""What is served: nothing that limits and batteries allow is left undone for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import fsum, inf

from orchestrator.simulation.network.virtual import InverterFault
from tests.support.laws.base import ANYTHING, FOLLOWS_PART, TRIES_S, WITHIN_S, Wild, changed, least
from tests.support.random_plants.possible import Seen


def nothing_is_left_undone_that_limits_allow(wild: Wild) -> Iterator[str]:
    """The load is covered while batteries can; what is wished for is served as far as it is possible."""
    quick = wild.scenario.control.ramp_watts_per_s is None
    for name, is_broken, extra_s in (
        ("the load is not covered", _leaves_load(wild), 2.0),
        ("the export target is missed", _misses_export(wild), 2.0),
        ("exports before charging", _exports_first(wild), TRIES_S),
        ("charges too little from the grid", _charges_too_little(wild), TRIES_S),
    ):
        for at_s in wild.lasting(is_broken, changed(*ANYTHING), extra_s) if quick else ():
            yield f"{at_s:g} s: {name}"


def _leaves_load(wild: Wild) -> Callable[[Seen], bool]:
    def is_broken(seen: Seen) -> bool:
        frozen = InverterFault.FROZEN in seen.trouble.faults.values()
        may = seen.is_governed and seen.sum_is_known and not frozen and seen.grid_charging_watts == 0
        if not may or seen.moment.wanted.battery_grid_charging_enabled:
            return False
        return seen.best_ac_watts > seen.moment.load_watts and seen.moment.site_watts > wild.tolerance_watts

    return is_broken


def _misses_export(wild: Wild) -> Callable[[Seen], bool]:
    """With `export_first`; else batteries may take the surplus that the target is about."""

    def is_broken(seen: Seen) -> bool:
        wanted = seen.moment.wanted
        if not seen.is_governed or not seen.sum_is_known or wanted.battery_grid_charging_enabled:
            return False
        asked = (wanted.battery_export_target_watts or 0.0) if wanted.battery_priority_mode == "export_first" else 0.0
        goal = min(asked, least(wanted.export_limit_watts), seen.best_ac_watts - seen.moment.load_watts)
        too_little = -seen.moment.site_watts < (1 - FOLLOWS_PART) * goal - wild.tolerance_watts
        return goal > wild.tolerance_watts and too_little

    return is_broken


def _exports_first(wild: Wild) -> Callable[[Seen], bool]:
    def is_broken(seen: Seen) -> bool:
        wanted = seen.moment.wanted
        others = wanted.battery_priority_mode == "export_first" or wanted.battery_export_target_watts
        if (
            not seen.is_governed
            or others
            or wanted.battery_grid_charging_enabled
            or wanted.load_limit_watts is not None
        ):
            return False
        could = min(seen.charge_watts - seen.charging_watts, -seen.moment.site_watts)
        return could > wild.tolerance_watts + FOLLOWS_PART * seen.charge_watts

    return is_broken


def _charges_too_little(wild: Wild) -> Callable[[Seen], bool]:
    def is_broken(seen: Seen) -> bool:
        allowed = seen.grid_charging_watts
        if not seen.is_governed or seen.moment.wanted.load_limit_watts is not None or not 0 < allowed < inf:
            return False
        allowed = max(allowed - seen.disobedient_charging_watts, 0.0)
        goal = min(seen.charge_watts, max(seen.available_watts, 0.0) + allowed)
        return seen.charging_watts < (1 - FOLLOWS_PART) * goal - wild.tolerance_watts

    return is_broken


def never_is_all_at_zero(wild: Wild) -> Iterator[str]:
    """While there is light, and load or export to serve, something is made or charged."""

    def is_broken(seen: Seen) -> bool:
        wanted = seen.moment.wanted
        light = fsum(p.power.pv_available_watts for p in seen.parts if p.obeys and not seen.trouble.is_recent(p.name))
        room = min(seen.moment.load_watts + least(wanted.export_limit_watts), least(wanted.generation_limit_watts))
        busy = fsum(max(p.power.ac_watts, 0.0) + max(p.power.battery_watts, 0.0) for p in seen.parts)
        return seen.is_governed and min(light, room) > 2 * wild.tolerance_watts and busy < 10

    for at_s in wild.lasting(is_broken, changed(*ANYTHING), WITHIN_S):
        yield f"{at_s:g} s: all is at zero"
