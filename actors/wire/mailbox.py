"""Where paho's threads leave messages for the actor, so that a storm of them costs memory and time with a bound."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from orchestrator.setpoints.intake import Arrival

MAX_WAITING: Final = 64
"""Messages kept per source between two looks; the older ones are superseded anyway."""


class Mailbox:
    """The newest messages of each source. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Arrival]] = {}
        self._announced = False

    def put(self, source: str, arrival: Arrival) -> bool:
        """Leave a message. True for the first since the last `take`: then somebody has to be told."""
        with self._lock:
            self._waiting.setdefault(source, deque(maxlen=MAX_WAITING)).append(arrival)
            is_first, self._announced = not self._announced, True
            return is_first

    def take(self) -> dict[str, tuple[Arrival, ...]]:
        """Everything that waits, by source, oldest first."""
        with self._lock:
            waiting = {source: tuple(arrivals) for source, arrivals in self._waiting.items()}
            self._waiting.clear()
            self._announced = False
            return waiting
