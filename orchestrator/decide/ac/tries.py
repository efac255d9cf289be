"""How far a throttled inverter is let: nobody sees what its PV could make, and room that it cannot use is missing.

What came of its last step tells whether its limit holds it or the sun.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.decide.ac.limit import rise_watts_per_s
from orchestrator.decide.plant.units import Unit

TRIED_PART_OF_RATING_PER_S = 0.05
TRIED_FIRST_PART_OF_RATING = 0.015
"""So much further an inverter at its limit is let, at most and at first, at the cost of hybrids that make use of the
room: the sun may hold it, and then the room is imported."""

GROWN_PART_OF_RATING = 0.01
TRIED_TIMES_GROWN = 3.0
"""One that grows by so much in a step follows its limit rather than the sun. With a lag of 3 s it comes nearer by 28 %
of what is missing, so three times as much is left to it."""


def reach_watts(unit: Unit, dt_s: float, *, unused: bool) -> float:
    """How far its output may come in `dt_s`, in W: what its limit rises to.

    While room stays `unused` though power is imported, PV that has some left is left only what it comes nearer by.
    """
    rises_to = unit.limit_watts + rise_watts_per_s(unit, importing=unused) * dt_s
    if not unused or unit.battery is not None or unit.stands_at_limit:
        return rises_to
    least = TRIED_PART_OF_RATING_PER_S * (unit.rating_watts or 0.0)
    return min(unit.ac_watts + max(TRIED_TIMES_GROWN * _grown_watts(unit), least), rises_to)


def tried_watts(unit: Unit, rating: float, hybrids: Sequence[Unit], import_watts: float) -> float:
    """How much further it is let at the cost of hybrids, in W a second: it has used up its limit, or is on its way.

    One that is on its way is left so much less as is imported meanwhile, but what it grows by: others can use that.
    """
    most = TRIED_PART_OF_RATING_PER_S * rating
    if not hybrids:
        return most
    least = TRIED_FIRST_PART_OF_RATING * rating if unit.stands_at_limit else 0.0
    if not follows_its_limit(unit):
        return 0.0
    grown = _grown_watts(unit)
    further = TRIED_TIMES_GROWN * grown
    if not unit.stands_at_limit:
        further = max(further - max(import_watts, 0.0), grown)
    return min(max(further, least), most)


def follows_its_limit(unit: Unit) -> bool:
    """Whether its output is what its limit allows, or on its way there; else it is what the sun allows."""
    grows = _grown_watts(unit) >= GROWN_PART_OF_RATING * (unit.rating_watts or 0.0)
    return unit.stands_at_limit or grows


def _grown_watts(unit: Unit) -> float:
    return 0.0 if unit.memory.output is None else unit.ac_watts - unit.memory.output.ac_watts
