"""Where paho's threads leave messages for the actor, so that a storm of them costs memory and time with a bound."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from actors.clock import Clock
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import MAX_PAYLOAD_BYTES

LOOK_INTERVAL_S: Final = 0.1
"""A mailbox with many senders is looked into ten times a second at most: there is always a message."""
MAX_WAITING: Final = 64
"""Messages kept per source between two looks."""


def arrival_of(payload: bytes, redelivered: bool, clock: Clock) -> Arrival:
    """A message that comes now. One that is too long is cut, to be refused for it later."""
    return Arrival(payload[: MAX_PAYLOAD_BYTES + 1], redelivered, clock.now_s(), clock.wall())


@dataclass(frozen=True, slots=True)
class Mail:
    """Messages wait in the mailbox."""


class Looks:
    """When an actor looks into its mailbox, however many messages ring for it."""

    def __init__(self) -> None:
        self._next_s = -inf

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the next look, at `now_s` (monotonic). 0: look now, and that counts as one."""
        if now_s < self._next_s:
            return self._next_s - now_s
        self._next_s = now_s + LOOK_INTERVAL_S
        return 0.0


class Mailbox:
    """The newest messages of each source, and of those that there is no room for the newest that is `sound`.

    So a storm of bad messages never takes a good one away. `sound` is called by whoever puts a message. Thread safe.
    """

    def __init__(self, sound: Callable[[str, Arrival], bool] = lambda _source, _arrival: False) -> None:
        self._lock = threading.Lock()
        self._sound = sound
        self._waiting: dict[str, deque[Arrival]] = {}
        self._kept: dict[str, Arrival] = {}
        self._announced = False

    def put(self, source: str, arrival: Arrival) -> bool:
        """Leave a message. True for the first since the last `take`: then somebody has to be told."""
        with self._lock:
            waiting = self._waiting.setdefault(source, deque())
            waiting.append(arrival)
            if len(waiting) > MAX_WAITING:
                self._make_room(source, waiting.popleft())
            is_first, self._announced = not self._announced, True
            return is_first

    def take(self) -> dict[str, tuple[Arrival, ...]]:
        """Everything that waits, by source, oldest first."""
        with self._lock:
            waiting = {source: (*self._kept_of(source), *arrivals) for source, arrivals in self._waiting.items()}
            self._waiting.clear()
            self._kept.clear()
            self._announced = False
            return waiting

    def _make_room(self, source: str, oldest: Arrival) -> None:
        if self._sound(source, oldest):
            self._kept[source] = oldest

    def _kept_of(self, source: str) -> tuple[Arrival, ...]:
        kept = self._kept.get(source)
        return () if kept is None else (kept,)
