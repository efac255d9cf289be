"""A lock that is granted by urgency, see `orchestrator.devices.link.turns`."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.devices.link.turns import Turn, rank


class TurnLock:
    """One holder at a time. Whoever comes back at once does not overtake who waits."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, threading.Event]] = []

    @property
    def waiting(self) -> int:
        """How many wait for the one who has it."""
        with self._guard:
            return len(self._waiting)

    @contextmanager
    def turn(self, turn: Turn, now_s: float) -> Iterator[None]:
        """Hold the lock, once it is granted. `now_s`: when it is asked for, in monotonic seconds."""
        self._acquire(rank(turn, now_s))
        try:
            yield
        finally:
            self._release()

    def _acquire(self, at_rank: float) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            granted = threading.Event()
            heapq.heappush(self._waiting, (at_rank, next(self._order), granted))
        granted.wait()

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()  # it stays taken: nobody can come in between
            else:
                self._is_taken = False
