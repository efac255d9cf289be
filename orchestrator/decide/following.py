"""Whether a battery does what it is told: one record of what was seen, and the states that follow from it.

A command is a wish: a battery may be full, cold, slow, on its own timer, or wired to nothing. So each new sample is
held against what was asked when it was taken, and two things are counted in a row: samples in which the battery was
short of its target and came no nearer, and samples in which it did more than asked and did not come down. One that is
on its way is slow, not disobedient. Only a new sample counts: a device that is read seldom is not judged twice by one
reading.

    nothing          it is at its target, or comes nearer
    stalled          1 sample short           nothing is built on more of it: no room for AC, no step of a probe
    short            2 samples short          it is asked for little more than it gives, the others take the rest
    stubborn         2 samples too much       it is taken as it is, and the others do so much less
    deaf             30 s hardly anything     people are told; nothing else changes

States hold side by side: what is short is stalled too, and a battery that discharges when it is told to charge is short
and stubborn. An inverter that goes on above its AC limit is called stubborn as well (`ac/limit.py`): it is taken as it
is, and the others do without. The words are those of docs/glossary.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct

STALLED_AFTER_STEPS = 1
SHORT_AFTER_STEPS = 2
"""So many samples in a row short of the target: the first may be chance, and it costs little to be careful at once."""

STUBBORN_AFTER_STEPS = 2
"""So many samples in a row above what was asked for."""

DEAF_AFTER_S = 30.0
"""Slow batteries need some seconds: only what lasts for longer is worth a person's time."""

DEAF_PART = 0.3
"""One that gives less than this part of what is asked for does hardly anything of it."""

OFF_BY_PART = 0.01
OFF_BY_WATTS = 30.0
"""A battery is short by more than this part of what is asked, and by more than these watts: less is noise."""

TOO_MUCH_PART_OF_LIMIT = 0.05
"""Above what is asked by more than this part of its power limit is too much: its inverter's own use is less."""

PROGRESS_PART = 0.1
"""A battery that comes nearer to its target by this part of what is missing is slow, not short."""


class Disobeys(StrEnum):
    """How a battery fails to do what it is told. Several may hold at once; where none does, it follows."""

    STALLED = "stalled"
    """It is short of its target, and its newest sample is no nearer to it than the one before."""
    SHORT = "short"
    """It has stalled twice in a row: it gives less than asked, and goes on with that."""
    STUBBORN = "stubborn"
    """It gives or takes more than asked, and goes on with that."""
    DEAF = "deaf"
    """For 30 s it has done hardly anything of what was asked, or a lot although nothing was."""


FOLLOWS: Final[frozenset[Disobeys]] = frozenset()
_BY_COUNT: Final = {
    (stalled, short, stubborn): frozenset(
        state
        for state, holds in ((Disobeys.STALLED, stalled), (Disobeys.SHORT, short), (Disobeys.STUBBORN, stubborn))
        if holds
    )
    for stalled in (False, True)
    for short in (False, True)
    for stubborn in (False, True)
}


class Following(Struct, frozen=True):
    """How one battery follows its commands. `seen_watts` is where it was, `seen_pv_watts` what its PV made then.

    `short_steps` counts samples in which it came no nearer to its target, `over_steps` those in which it gave more than
    asked; since `deaf_since_s` it does not care.
    """

    seen_watts: float = 0.0
    seen_pv_watts: float = 0.0
    seen_at_s: float | None = None
    deaf_since_s: float | None = None
    short_steps: int = 0
    over_steps: int = 0

    @property
    def states(self) -> frozenset[Disobeys]:
        """How it disobeys; nothing where it follows."""
        short, over = self.short_steps, self.over_steps
        if not short and not over and self.deaf_since_s is None:
            return FOLLOWS  # as nearly all do, nearly always
        counted = _BY_COUNT[short >= STALLED_AFTER_STEPS, short >= SHORT_AFTER_STEPS, over >= STUBBORN_AFTER_STEPS]
        return counted | {Disobeys.DEAF} if self._is_deaf() else counted

    def _is_deaf(self) -> bool:
        since_s, seen_at_s = self.deaf_since_s, self.seen_at_s
        return since_s is not None and seen_at_s is not None and seen_at_s - since_s >= DEAF_AFTER_S


class Reading(NamedTuple):
    """A sample of one battery, in W, charging +, with what it was asked for when it was taken (None: nothing).

    `limit_watts` is the larger of its power limits, the measure for little. `held_at_ac`: its inverter stands at an AC
    limit below its rating, so what it discharges less than asked says nothing of the battery. Charging up to
    `open_to_watts` is not too much, None where what is asked is the most.
    """

    at_s: float
    watts: float
    pv_watts: float
    asked_watts: float | None
    limit_watts: float
    held_at_ac: bool = False
    open_to_watts: float | None = None

    @property
    def asked_most_watts(self) -> float | None:
        """The most that it was allowed, charging +; None where it was told nothing."""
        if self.asked_watts is None or self.open_to_watts is None:
            return self.asked_watts
        return max(self.asked_watts, min(self.open_to_watts, self.watts))


def watch_following(before: Following, reading: Reading) -> Following:
    """What is known after one more reading; one that was seen before says nothing new."""
    if reading.at_s == before.seen_at_s:
        return before
    return Following(
        seen_watts=reading.watts,
        seen_pv_watts=reading.pv_watts,
        seen_at_s=reading.at_s,
        deaf_since_s=_deaf_since_s(before, reading),
        short_steps=before.short_steps + 1 if _is_short(before, reading) else 0,
        over_steps=before.over_steps + 1 if _gives_too_much(before, reading) else 0,
    )


def _is_short(before: Following, reading: Reading) -> bool:
    """It does clearly less than it was asked for, and comes no nearer."""
    asked = reading.asked_watts
    if not asked or before.seen_at_s is None or (asked < 0 and reading.held_at_ac):
        return False
    sign = 1 if asked > 0 else -1
    missing = sign * (asked - reading.watts)
    came_nearer = sign * (reading.watts - before.seen_watts)
    return missing > max(OFF_BY_PART * abs(asked), OFF_BY_WATTS) and came_nearer < PROGRESS_PART * missing


def _gives_too_much(before: Following, reading: Reading) -> bool:
    """It does clearly more than it was asked for, and goes on with it."""
    most = reading.asked_most_watts
    if most is None or before.seen_at_s is None or reading.watts == 0:
        return False
    sign = 1 if reading.watts > 0 else -1
    too_much = sign * (reading.watts - most)
    came_nearer = sign * (before.seen_watts - reading.watts)
    return too_much > _little_watts(reading) and came_nearer < PROGRESS_PART * too_much


def _deaf_since_s(before: Following, reading: Reading) -> float | None:
    if not _does_not_care(reading):
        return None
    return reading.at_s if before.deaf_since_s is None else before.deaf_since_s


def _does_not_care(reading: Reading) -> bool:
    """It does hardly anything of what it is asked for, or a lot although it is asked for nothing."""
    asked = reading.asked_watts
    if asked is None or (asked < 0 and reading.held_at_ac):
        return False
    if asked == 0:
        return abs(reading.watts - (reading.asked_most_watts or 0.0)) > _little_watts(reading)
    given = reading.watts if asked > 0 else -reading.watts
    return given < DEAF_PART * abs(asked)


def _little_watts(reading: Reading) -> float:
    """What is too little to be called disobedience."""
    return max(TOO_MUCH_PART_OF_LIMIT * reading.limit_watts, OFF_BY_WATTS)
