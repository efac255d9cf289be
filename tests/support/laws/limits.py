"""Limits: what is exceeded for too long, and what is commanded too late."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from math import fsum, inf

from orchestrator.simulation.measuring.measures import LIMITED, limit_watts
from tests.support.laws.base import AT_ONCE_PART, TOLERANCE_PART, WITHIN_S, Wild, changed, least
from tests.support.random_plants.possible import EFFICIENCY, Seen

HARDER = {
    "export": ("load", "fault"),
    "generation": ("fault",),
    "load": ("light", "fault"),
    "import": ("load", "light", "fault"),
}
"""What makes each limit harder to keep, beside that it falls."""


def limits_are_kept(wild: Wild) -> Iterator[str]:
    """Each limit, except by those that do not obey and for longer than it takes, wherever the others can."""
    for limit, changes in HARDER.items():
        is_above, is_harder = partial(_is_above, wild, limit), partial(_is_harder, changes, _falls(wild, limit))
        for at_s in wild.lasting(is_above, is_harder):
            yield f"{at_s:g} s: {limit} limit"


def _is_harder(changes: tuple[str, ...], fallen: frozenset[float], seen: Seen) -> bool:
    return seen.moment.at_s in fallen or changed(*changes)(seen)


def _is_above(wild: Wild, limit: str, seen: Seen) -> bool:
    watts = limit_watts(seen.moment.wanted, limit)
    if watts is None or seen.moment.mode is None or not _is_possible(seen, limit, watts):
        return False
    return LIMITED[limit](seen.moment) > watts + wild.tolerance_watts


def _is_possible(seen: Seen, limit: str, watts: float) -> bool:
    """Whether those that obey can make up for those that do not.

    Nothing is known of what an inverter makes that was not heard since the orchestrator started; that counts only under
    the generation limit, because the meter sees the rest. An import can be met where the loop has its hands free.
    """
    match limit:
        case "export":
            return seen.forced_out_watts <= seen.moment.load_watts + watts
        case "generation":
            return seen.forced_out_watts <= watts and not seen.trouble.unheard
        case "load":
            return seen.forced_draw_watts <= watts and not seen.trouble.unheard
    return seen.is_governed and seen.sum_is_known and seen.moment.load_watts - seen.best_ac_watts <= watts


def _falls(wild: Wild, limit: str) -> frozenset[float]:
    """The moments at which this limit is lower than before."""
    limits = [inf, *(least(limit_watts(seen.moment.wanted, limit)) for seen in wild.seen)]
    return frozenset(
        seen.moment.at_s for seen, (before, now) in zip(wild.seen, pairwise(limits), strict=True) if now < before
    )


def a_limit_that_falls_is_commanded_at_once(wild: Wild) -> Iterator[str]:
    """The commands of each step keep the generation and the load limit of that step."""
    changes_watts = AT_ONCE_PART / TOLERANCE_PART * wild.tolerance_watts
    for seen in wild.seen:
        wanted, at_s = seen.moment.wanted, seen.moment.at_s
        if seen.is_governed and seen.sum_is_known:
            caps_watts = fsum(part.ac_cap_watts for part in seen.parts if part.command)
            if caps_watts > least(wanted.generation_limit_watts) + changes_watts:
                yield f"{at_s:g} s: AC limits of {caps_watts:.0f} W under the generation limit"
        limit_left = least(wanted.load_limit_watts) - seen.forced_draw_watts
        is_known = (
            "light" not in seen.trouble.changed and not seen.trouble.unheard and not seen.trouble.is_new(WITHIN_S)
        )
        if seen.is_governed and limit_left >= 0 and is_known:
            drawn_watts = fsum(
                max(part.target_watts - part.power.pv_watts, 0.0) / EFFICIENCY
                for part in seen.parts
                if part.battery_obeys
            )
            if drawn_watts > limit_left + changes_watts:
                yield f"{at_s:g} s: charging {drawn_watts:.0f} W from AC under the load limit"
