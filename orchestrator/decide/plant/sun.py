"""How much PV an AC limit may hide: what nothing held back a moment ago was seen, and the sun moves on from there.

What has shown since then is not hidden any more. The sun is not seen where an inverter says that it is held back, or
comes back behind a limit that has risen.
"""

from __future__ import annotations

from math import inf

from orchestrator.decide.memory import Sun
from orchestrator.decide.plant.units import NEAR_PART_OF_RATING, Unit
from orchestrator.samples import OperatingState

MOVES_PART_OF_RATING_PER_S = 0.006
"""So fast the sun may come back at any time, as far as it is worth a try."""

TIMES_GROWN = 1.5
"""PV that grew by some watts a second when it was seen last may have grown so many times as fast since."""


def remember_sun(unit: Unit, now_s: float) -> Sun | None:
    """What its PV made when no limit held it back last, None where that was never seen.

    One look alone says nothing of how fast it grows. What a limit holds back, and yet makes more than it should be able
    to, shows that what is remembered is wrong.
    """
    before = unit.memory.sun
    if unit.rating_watts is None:
        return before
    if unit.stands_at_limit or unit.sample.state is OperatingState.THROTTLED:
        return before if before is None else _corrected(before, unit, now_s)
    if before is None:
        return Sun(unit.pv_watts, unit.sample.at_s, inf)
    comes_back = unit.throttled and unit.pv_watts < before.watts  # behind a limit that has risen
    if comes_back or unit.sample.at_s <= before.at_s:
        return before
    grown = max(unit.pv_watts - before.watts, 0.0) / (unit.sample.at_s - before.at_s)
    return Sun(unit.pv_watts, unit.sample.at_s, grown)


def _corrected(before: Sun, unit: Unit, now_s: float) -> Sun:
    """What is remembered, or what it makes behind its limit, if that is more than it should be able to."""
    small_watts = NEAR_PART_OF_RATING * (unit.rating_watts or 0.0)
    if unit.pv_watts <= _most_watts(before, unit, now_s) + small_watts or unit.sample.at_s <= before.at_s:
        return before
    return Sun(unit.pv_watts, unit.sample.at_s, (unit.pv_watts - before.watts) / (unit.sample.at_s - before.at_s))


def may_hide_watts(unit: Unit, now_s: float) -> float:
    """The most that its limit may hide of PV, in W, as far as it is worth a try; inf where nothing is known."""
    sun = unit.memory.sun
    return inf if sun is None else max(_most_watts(sun, unit, now_s) - unit.pv_watts, 0.0)


def _most_watts(sun: Sun, unit: Unit, now_s: float) -> float:
    """What its PV could make by now, after what was seen of it."""
    if sun.grows_watts_per_s == inf:
        return inf
    moves = max(TIMES_GROWN * sun.grows_watts_per_s, MOVES_PART_OF_RATING_PER_S * (unit.rating_watts or 0.0))
    return sun.watts + moves * max(now_s - sun.at_s, 0.0)
