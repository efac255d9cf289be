"""Which way the meter counts: every move of the plant's AC power is a witness.

    an honest meter shows    how the load moved - how AC power moved
    a reversed one           how AC power moved - how the load moved

A load that moves by twice as much at the same moment makes an honest meter look reversed. So a vote against the meter
must fit closely, several are needed that are not alike, and one vote for the meter undoes them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.decide.memory import SignVotes

LEAST_PART_OF_RATING = 0.001
LEAST_WATTS = 20.0
PART_OF_TURNOVER = 0.25
TIMES_UNREST = 3.0
UNREST_VALUES = 7
"""A move is a witness when it is larger than all of these: than a part of what inverters moved against each other, and
than the unrest of the load, the middle of what the last values of the meter showed beside the moves."""

FOR_WITHIN = 0.25
AGAINST_WITHIN = 0.12
"""How near the meter must come to what it is expected to show, as a part of the move."""

ALIKE_WITHIN = 0.25
"""Moves nearer to each other than this count once: a load may rise steadily, twice as fast as AC power can."""

BETWEEN_COUNTS = 0.75
"""What a move counts for that the meter showed together with a part of the one before: the meter was read at another
moment than the inverters, while they moved. A load that rises hides more easily in it than in a move that fits closely.
"""

ACCUSED_BY = 3
ACQUITTED_BY = 2
"""So many votes that no other comes between."""

REST_PART_OF_RATING = 0.01
"""AC power that moves by less from one value to the next is at rest."""

LARGE_PART_OF_RATING = 0.05
"""A part of a move so large is still a witness."""


class Move(Struct, frozen=True):
    """From one value of the meter to the next: by how much AC power and the meter moved, signed, in W.

    `turnover_watts` is what the moves of the single inverters add up to, without their signs.
    """

    ac_watts: float
    site_watts: float
    turnover_watts: float


def count_vote(before: SignVotes, move: Move, rating_watts: float) -> SignVotes:
    """The evidence after one more value of the meter; `rating_watts` is the plant's.

    Meter and inverters are not read at one moment: the meter may show a part of this move and a part of the one before.
    """
    low, high = sorted((move.ac_watts, before.moved_watts))
    honest_misses = _distance(-move.site_watts, low, high)
    reversed_misses = _distance(move.site_watts, low, high)
    unrest = min(honest_misses, reversed_misses)
    size = abs(move.ac_watts)
    seen = SignVotes(
        count=before.count,
        accused=before.accused,
        moved_watts=move.ac_watts,
        against_watts=before.against_watts,
        rests=before.rests + 1 if size < REST_PART_OF_RATING * rating_watts else 0,
        unrest_watts=(*before.unrest_watts, unrest)[-UNREST_VALUES:],
    )
    usual = TIMES_UNREST * _middle(before.unrest_watts)
    least = max(LEAST_PART_OF_RATING * rating_watts, LEAST_WATTS, PART_OF_TURNOVER * move.turnover_watts, usual)
    could_be_honest = honest_misses <= FOR_WITHIN * size
    if size <= least:
        return seen
    if could_be_honest and move.site_watts * move.ac_watts < 0:
        return _one_for(seen)
    if could_be_honest:
        return seen
    if abs(move.site_watts - move.ac_watts) <= AGAINST_WITHIN * size:
        return _one_against(seen, 1.0)
    goes_on = before.moved_watts * move.ac_watts > 0 and abs(before.moved_watts) > least
    if goes_on and reversed_misses <= AGAINST_WITHIN * size:
        return _one_against(seen, BETWEEN_COUNTS)
    return seen


def has_just_spoken_against(votes: SignVotes, rating_watts: float) -> bool:
    """Whether the newest move is the first that spoke against the meter, and a large one of a plant of that rating."""
    is_newest = votes.moved_watts == votes.against_watts
    return 0.0 < votes.against <= 1.0 and is_newest and abs(votes.moved_watts) >= LARGE_PART_OF_RATING * rating_watts


def _one_for(votes: SignVotes) -> SignVotes:
    if not votes.accused:
        return replace(votes, count=1, against_watts=0.0)
    count = votes.count + 1
    acquitted = count >= ACQUITTED_BY - ACCUSED_BY
    return replace(votes, count=1 if acquitted else count, accused=not acquitted, against_watts=0.0)


def _one_against(votes: SignVotes, weight: float) -> SignVotes:
    largest = max(abs(votes.moved_watts), abs(votes.against_watts))
    if abs(votes.moved_watts - votes.against_watts) <= ALIKE_WITHIN * largest:
        return votes
    count = max(min(votes.count, 0) - weight, -ACCUSED_BY)
    return replace(votes, count=count, accused=votes.accused or count <= -ACCUSED_BY, against_watts=votes.moved_watts)


def _middle(watts: Sequence[float]) -> float:
    """The median, the higher of two; 0 of nothing."""
    return sorted(watts)[len(watts) // 2] if watts else 0.0


def _distance(watts: float, low_watts: float, high_watts: float) -> float:
    """How far outside of a range, 0 inside."""
    return max(low_watts - watts, watts - high_watts, 0.0)
