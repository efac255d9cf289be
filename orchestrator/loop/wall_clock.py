"""The wall clock beside the monotonic one: it may be wrong at a start, and is put right while the plant runs."""

from __future__ import annotations

from typing import Final

from orchestrator.loop.messages import Event
from orchestrator.reason import because

JUMP_S: Final = 2.0
"""By more than this from one message to the next no clock is slewed: somebody has put it right, or wrong."""


class WallClock:
    """How far the wall clock is ahead of the monotonic one, as it was told last; 0 before it ever was."""

    def __init__(self, now_s: float, wall_s: float | None) -> None:
        self._ahead_s = None if wall_s is None else wall_s - now_s

    def wall_s(self, now_s: float) -> float:
        """What it shows at `now_s` (monotonic), in seconds since 1970."""
        return now_s + (self._ahead_s or 0.0)

    def told(self, now_s: float, wall_s: float | None) -> float:
        """It shows `wall_s`; by how many seconds it has jumped since it was told before (forward +), else 0."""
        if wall_s is None:
            return 0.0
        before_s, self._ahead_s = self._ahead_s, wall_s - now_s
        moved_s = 0.0 if before_s is None else self._ahead_s - before_s
        return moved_s if abs(moved_s) > JUMP_S else 0.0


def clock_jumped(seconds: float) -> Event:
    """What people hear of it; `seconds` forward +."""
    put = because("clock_forward" if seconds > 0 else "clock_back", seconds=abs(seconds))
    return Event.of("clock_jumped", "site", put)
