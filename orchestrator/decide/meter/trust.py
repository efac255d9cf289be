"""Is the meter to be believed? The plant's own moves answer: what the inverters make more, the meter must show less.

A meter that shows one value while AC power moves is frozen; one that moves the same way as AC power counts the other
way round (`meter_votes`). Neither can be seen while nothing moves; then the plant asks (`meter_question`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator.decide.memory import MeterTrust, SignVotes
from orchestrator.decide.meter.votes import Move, count_vote
from orchestrator.samples import MeterSample

if TYPE_CHECKING:
    from orchestrator.decide.plant.units import Plant


AWAY_PART_OF_RATING = 0.005
AWAY_LEAST_WATTS = 50.0
"""AC power is away from where the meter last saw it when it is so by more than both of these."""

FROZEN_AFTER_PERIODS = 3.0
FROZEN_AFTER_LEAST_S = 3.0
LOOK_EARLY_PART = 0.2
"""So long must the value stay the same. A look that comes so much of an interval early counts as in time: inverters do
not always take equally long to answer."""

PERIODS_SEEN = 4
"""The period of the meter is the longest of so many gaps between its values; the first gaps teach it."""

UNKNOWN_PERIOD_S = 1.0
"""The period of a meter that has not shown so many gaps: one that was frozen before the start would never show any. A
slower one may be taken for frozen once at a start, until its next value comes: in doubt less is written."""

LONGEST_GAP_KEPT = 0.97
"""The longest gap lately: each new value lets it fade by this factor, so it takes 130 short gaps to believe in them."""

SAME_VALUE_S = 0.01
"""Times of a new value that are nearer to each other are of one value."""


def watch_meter(
    before: MeterTrust,
    meter: MeterSample,
    plant: Plant,
    interval_s: float,
    now_s: float,
    *,
    read_every_s: float = 0.0,
) -> MeterTrust:
    """The evidence after one more look at meter (import +) and inverters.

    `interval_s` is that of the loop, `read_every_s` that of the meter, as site.yaml says.

    A frozen meter is frozen until it shows another value, wherever AC power goes meanwhile. When other inverters answer
    than before, a new value is no evidence, but what was known of the meter still holds; of a value that stays the same
    those are witnesses that answer still, and who has come back is one from now on.
    """
    ac_watts = {u.name: u.ac_watts for u in plant.units if u.sample.ac_watts is not None}
    if before.changed_at_s is None or before.orientation != meter.orientation:
        anew = replace(before, sign=SignVotes(), orientation=meter.orientation)
        return _from_here(anew, meter, ac_watts, now_s)
    gap_s = meter.changed_at_s - before.changed_at_s
    is_new = gap_s >= SAME_VALUE_S
    if is_new and before.ac_watts.keys() != ac_watts.keys():
        return _from_here(before, meter, ac_watts, now_s)
    moves = [watts - before.ac_watts.get(name, watts) for name, watts in ac_watts.items()]
    if not is_new:
        before = replace(before, ac_watts={name: before.ac_watts.get(name, watts) for name, watts in ac_watts.items()})
        unknown_s = max(UNKNOWN_PERIOD_S, read_every_s)
        return _overdue(before, fsum(moves), plant.rating_watts, interval_s, now_s, unknown_s=unknown_s)
    move = Move(fsum(moves), meter.site_watts - before.site_watts, fsum(map(abs, moves)))
    return MeterTrust(
        changed_at_s=meter.changed_at_s,
        looked_at_s=now_s,
        ac_watts=ac_watts,
        site_watts=meter.site_watts,
        gaps_s=(*before.gaps_s, _gap_s(before, gap_s))[-PERIODS_SEEN:],
        longest_gap_s=max(gap_s, LONGEST_GAP_KEPT * before.longest_gap_s),
        sign=count_vote(before.sign, move, plant.rating_watts),
        question=before.question,
        orientation=before.orientation,
    )


def _from_here(seen: MeterTrust, meter: MeterSample, ac_watts: Mapping[str, float], now_s: float) -> MeterTrust:
    return replace(
        seen,
        changed_at_s=meter.changed_at_s,
        looked_at_s=now_s,
        ac_watts=ac_watts,
        site_watts=meter.site_watts,
        away_s=0.0,
        frozen=False,
    )


def _overdue(
    before: MeterTrust,
    moved_watts: float,
    rating_watts: float,
    interval_s: float,
    now_s: float,
    *,
    unknown_s: float,
) -> MeterTrust:
    """The meter still shows the same value: for too long? Its period is at least `unknown_s` until it is known."""
    if abs(moved_watts) <= max(AWAY_PART_OF_RATING * rating_watts, AWAY_LEAST_WATTS):
        return replace(before, looked_at_s=now_s)
    away_s = before.away_s + now_s - before.looked_at_s
    frozen = before.frozen
    is_known = len(before.gaps_s) == PERIODS_SEEN
    period_s = max((*before.gaps_s, interval_s if is_known else max(unknown_s, interval_s)))
    # The first look that finds AC power away does not say since when.
    seen_s = away_s - (1.0 - LOOK_EARLY_PART) * interval_s
    frozen |= seen_s >= max(FROZEN_AFTER_PERIODS * period_s, FROZEN_AFTER_LEAST_S)
    return replace(before, looked_at_s=now_s, away_s=away_s, frozen=frozen)


def _gap_s(before: MeterTrust, gap_s: float) -> float:
    """What a gap says of the meter's period: a time in which it had nothing new to show does not count."""
    longest_s = max(before.gaps_s, default=gap_s)
    return min(gap_s, max(longest_s, before.away_s))
