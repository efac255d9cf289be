"""Limits over time: how the value of a field goes from one target to the next, no faster than it may.

A ramp is that of the event (rampTms), else that of the default control (setGradW, a share of the rated power a second).
Where neither is given a limit falls at once and rises by 0.27 % a second: on the safe side of every reading of the
rule. Above the rated power nothing is limited in effect, so a ramp begins and ends there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from orchestrator.setpoints.csip.book import Wanted

USUAL_GRADIENT: Final = 0.0027
"""Of the rated power per second, where the server gives none: the usual value of CSIP-AUS (AS/NZS 4777.2)."""
STEPS_MOST: Final = 100
SHORTEST_STEP_S: Final = 1.0


class Track(Struct, frozen=True):
    """The way of one limit from `begin_watts` at `begin_s` to `target_watts` at `end_s`; then it stays.

    The way leads to `goal_watts`: that is the target, or the rated power where the target is above or is None, which is
    unlimited.
    """

    begin_s: float
    begin_watts: float
    end_s: float
    target_watts: float | None
    goal_watts: float

    def at(self, at_s: float) -> float | None:
        """The limit in W; None: unlimited."""
        if at_s >= self.end_s or self.end_s <= self.begin_s:
            return self.target_watts
        share = max(0.0, at_s - self.begin_s) / (self.end_s - self.begin_s)
        return self.begin_watts + share * (self.goal_watts - self.begin_watts)

    def between(self, from_s: float, to_s: float) -> float | None:
        """The lowest limit between these times, so that a step never exceeds the ramp."""
        limits = [each for each in (self.at(from_s), self.at(to_s)) if each is not None]
        return min(limits, default=None)

    def breaks_s(self, after_s: float, before_s: float) -> Iterator[float]:
        """Where a stair of the ramp begins between these times."""
        step_s = max(SHORTEST_STEP_S, (self.end_s - self.begin_s) / STEPS_MOST)
        at_s = self.begin_s
        while at_s < min(self.end_s, before_s):
            if at_s > after_s:
                yield at_s
            at_s += step_s
        if after_s < self.end_s < before_s:
            yield self.end_s


def track(
    former: float | None, wanted: Wanted | None, at_s: float, *, rated_watts: float, gradient: float | None
) -> Track | None:
    """The way from the `former` limit (None: unlimited) to the one that is wanted; None: there is no limit at all.

    `gradient` is a share of `rated_watts` (> 0) per second.
    """
    target = None if wanted is None else float(wanted.value)
    if former is None and target is None:
        return None
    if target is not None and (former is None or former > target):
        highest = max(rated_watts, target)
        begin, goal = highest if former is None else min(former, highest), target
    else:
        begin = former or 0.0
        highest = max(rated_watts, begin)
        goal = highest if target is None else min(target, highest)
    lasts_s = _lasts_s(begin, goal, wanted, rated_watts, gradient)
    return Track(at_s, begin, at_s + lasts_s, target, goal)


def _lasts_s(begin: float, goal: float, wanted: Wanted | None, rated_watts: float, gradient: float | None) -> float:
    if begin == goal:
        return 0.0
    if wanted is not None and wanted.ramp_s is not None:
        return wanted.ramp_s
    if gradient is None and goal < begin:
        return 0.0
    return abs(goal - begin) / (rated_watts * (USUAL_GRADIENT if gradient is None else gradient))
