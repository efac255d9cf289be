"""Time for actors: what it is now, and messages that come later. The only timer of the project."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import pykka

from actors.address import Recipient, tell_if_alive

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""CLOCK_MONOTONIC stands still while the machine is suspended, so a limit would hold for longer than it was given."""

Target = Recipient | pykka.ActorRef[Any]


class Clock(Protocol):
    """Time is asked for and waited for here only, so that tests can own it."""

    def now_s(self) -> float:
        """Monotonic seconds, from an arbitrary start."""

    def wall(self) -> datetime:
        """The time of day, with its zone."""

    def send_after(self, delay_s: float, target: Target, message: Any) -> None:
        """Tell `message` to `target` in `delay_s` seconds (>= 0); a target that is dead by then does not get it."""


class RealClock:
    """The machine's clock. One daemon thread serves all waiting messages; it starts with the first one."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Target, Any]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def now_s(self) -> float:
        """Monotonic seconds of this machine, those that it slept or stood still as a virtual machine included."""
        return time.clock_gettime(_CLOCK)

    def wall(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    def send_after(self, delay_s: float, target: Target, message: Any) -> None:
        """Tell `message` to `target` in `delay_s` seconds; nothing is sent any more after `close`."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (self.now_s() + delay_s, next(self._order), target, message))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Drop what still waits, and end the thread. Called twice, the second call does nothing."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (due := self._wait_for_next()) is not None:
            tell_if_alive(*due)

    def _wait_for_next(self) -> tuple[Target, Any] | None:
        with self._changed:
            while not self._closed:
                if not self._heap:
                    self._changed.wait()
                    continue
                wait_s = self._heap[0][0] - self.now_s()
                if wait_s <= 0:
                    _, _, target, message = heapq.heappop(self._heap)
                    return target, message
                self._changed.wait(wait_s)
            return None


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start_s: float = 1000.0, wall: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start_s = self._now_s = start_s
        self._wall = wall
        self._heap: list[tuple[float, int, Target, Any]] = []
        self._order = itertools.count()

    def now_s(self) -> float:
        """The seconds it was moved to."""
        return self._now_s

    def wall(self) -> datetime:
        """The time of day that it started with, plus what it was moved by."""
        return self._wall + timedelta(seconds=self._now_s - self._start_s)

    def set_wall(self, wall: datetime) -> None:
        """Put the time of day right, or wrong; the seconds go on as they do."""
        self._wall = wall - timedelta(seconds=self._now_s - self._start_s)

    def send_after(self, delay_s: float, target: Target, message: Any) -> None:
        """Tell `message` when `advance` has moved the clock by `delay_s` or more."""
        heapq.heappush(self._heap, (self._now_s + delay_s, next(self._order), target, message))

    def next_due_s(self) -> float | None:
        """When the next message is due, or None when none waits."""
        return self._heap[0][0] if self._heap else None

    def advance(self, seconds: float) -> None:
        """Move on, delivering what becomes due in order, each at its own time."""
        end_s = self._now_s + seconds
        while self._heap and self._heap[0][0] <= end_s:
            due_s, _, target, message = heapq.heappop(self._heap)
            self._now_s = max(self._now_s, due_s)
            tell_if_alive(target, message)
        self._now_s = end_s
