"""Whether the plant still decides: a process that lives and no longer controls must end, so that it is restarted.

systemd has a watchdog of its own, which is fed by the cycles; a container has none, and its health check restarts
nothing. So the process looks after itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from orchestrator.decide.records import CycleResult

PATIENCE_S: Final = 60.0
CYCLES: Final = 6.0


class CycleWatch:
    """A listener of the site, told in its thread; asked in the main thread."""

    def __init__(self, interval_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._interval_s = interval_s
        self._decided_at_s = now_s()

    def tell(self, message: Any) -> None:
        """A cycle was decided."""
        if isinstance(message, CycleResult):
            self._decided_at_s = self._now_s()

    def expect(self, interval_s: float) -> None:
        """Cycles come in this interval from now on."""
        self._interval_s, self._decided_at_s = interval_s, self._now_s()

    @property
    def is_stuck(self) -> bool:
        """Whether no cycle was decided for a minute, or for six cycles where that is longer."""
        return self._now_s() - self._decided_at_s > max(PATIENCE_S, CYCLES * self._interval_s)
