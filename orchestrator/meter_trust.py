"""Is the meter to be believed? The plant's own moves answer: what the inverters make more, the meter must show less.

A meter that shows one value for ever while AC power moves is frozen; one that moves the same way as AC power counts the
other way round. Neither can be seen while nothing moves, and neither does harm then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from orchestrator.samples import MeterSample

if TYPE_CHECKING:
    from orchestrator.plant import Plant

MeterFault = Literal["silent", "frozen", "reversed"]

FAULT_WORDS: Mapping[MeterFault, str] = {
    "silent": "meter silent",
    "frozen": "meter frozen",
    "reversed": "meter with the wrong sign",
}

MOVE_PART_OF_RATING = 0.02
MOVE_LEAST_WATTS = 150.0
"""AC power has moved when it moved by more than both of these."""

FROZEN_AFTER_PERIODS = 3.0
FROZEN_AFTER_LEAST_S = 3.0
PERIODS_SEEN = 4
"""The period of the meter is the longest of so many gaps between its values; the first gaps teach it."""

REVERSED_AFTER_MOVES = 3
REVERSED_ABOVE = 0.5
"""The part of the moves that the meter showed the wrong way round."""

FORGET_PER_MOVE = 0.8


@dataclass(frozen=True, slots=True)
class MeterTrust:
    """The evidence. All of it starts anew when other inverters answer, or when the meter is turned round.

    `ac_watts` and `site_watts` are of the last new value of the meter; `moved_since_s` is since when AC power is away
    from there, and `frozen` says that the meter should have shown it. `gaps_s` are the last times between new values.
    `weight` and `wrong` sum up moves of AC power and how far the meter went the same way, old ones counting less;
    `moves` counts them.
    """

    changed_at_s: float | None = None
    ac_watts: float = 0.0
    site_watts: float = 0.0
    moved_since_s: float | None = None
    frozen: bool = False
    gaps_s: tuple[float, ...] = ()
    moves: int = 0
    weight: float = 0.0
    wrong: float = 0.0
    inverters: frozenset[str] = frozenset()
    orientation: int = 1

    @property
    def fault(self) -> MeterFault | None:
        """What is wrong with the meter, as far as its answers show."""
        if self.moves >= REVERSED_AFTER_MOVES and self.wrong > REVERSED_ABOVE * self.weight:
            return "reversed"
        return "frozen" if self.frozen else None


def watch_meter(before: MeterTrust, meter: MeterSample, plant: Plant, interval_s: float, now_s: float) -> MeterTrust:
    """The evidence after one more look at meter (import +) and inverters. `interval_s` is that of the loop.

    A frozen meter is frozen until it shows another value, wherever AC power goes meanwhile.
    """
    answering = frozenset(u.name for u in plant.units if u.sample.ac_watts is not None)
    if before.changed_at_s is None or before.inverters != answering or before.orientation != meter.orientation:
        return _anew(before, meter, plant.ac_watts, answering)
    moved = plant.ac_watts - before.ac_watts
    has_moved = abs(moved) > max(MOVE_PART_OF_RATING * plant.rating_watts, MOVE_LEAST_WATTS)
    if meter.changed_at_s == before.changed_at_s:
        since_s = now_s if before.moved_since_s is None else before.moved_since_s
        frozen = before.frozen or (has_moved and _is_overdue(before, since_s, interval_s, now_s))
        return replace(before, moved_since_s=since_s if has_moved else None, frozen=frozen)
    seen = replace(
        before,
        changed_at_s=meter.changed_at_s,
        ac_watts=plant.ac_watts,
        site_watts=meter.site_watts,
        moved_since_s=None,
        frozen=False,
        gaps_s=(*before.gaps_s, meter.changed_at_s - before.changed_at_s)[-PERIODS_SEEN:],
    )
    return _judged(seen, before, moved) if has_moved else seen


def _is_overdue(before: MeterTrust, moved_since_s: float, interval_s: float, now_s: float) -> bool:
    """Whether the meter should long have shown that AC power moved. Its own period must be known for that."""
    if len(before.gaps_s) < PERIODS_SEEN:
        return False
    period_s = max(*before.gaps_s, interval_s)
    return now_s - moved_since_s >= max(FROZEN_AFTER_PERIODS * period_s, FROZEN_AFTER_LEAST_S)


def _anew(before: MeterTrust, meter: MeterSample, ac_watts: float, answering: frozenset[str]) -> MeterTrust:
    return MeterTrust(
        changed_at_s=meter.changed_at_s,
        ac_watts=ac_watts,
        site_watts=meter.site_watts,
        gaps_s=before.gaps_s,
        inverters=answering,
        orientation=meter.orientation,
    )


def _judged(seen: MeterTrust, before: MeterTrust, moved_watts: float) -> MeterTrust:
    """Weigh one move of AC power against what the meter did meanwhile."""
    same_way = (seen.site_watts - before.site_watts) * (1 if moved_watts > 0 else -1)
    size = abs(moved_watts)
    return replace(
        seen,
        moves=before.moves + 1,
        weight=FORGET_PER_MOVE * before.weight + size,
        wrong=FORGET_PER_MOVE * before.wrong + max(-size, min(same_way, size)),
    )
