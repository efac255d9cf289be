"""What signals ask of the process, without a lock that the thread they interrupt may hold.

A handler runs in the main thread, between two steps of whatever that is at. `threading.Event.set` takes a lock there
that `wait` and `clear` take too: a signal at the wrong moment stops the main thread for good, and the plant with it.
"""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any


class Flag:
    """Like `threading.Event`, for one thread that waits, and handlers of signals that set it."""

    def __init__(self) -> None:
        self._is_set = False
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        """Whether it was set since it was cleared last."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake who waits."""
        self._is_set = True
        self._wakes.put(None)  # its put may be interrupted by itself, as the library promises

    def clear(self) -> None:
        """What was asked is being done: what is asked from now on counts anew."""
        self._is_set = False

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until it is set, for `timeout_s` at most; whether it is. It may return early."""
        if not self._is_set:
            with suppress(queue.Empty):
                self._wakes.get(timeout=timeout_s)
        return self._is_set


@contextmanager
def handling(handlers: Mapping[int, Callable[[int, Any], None]]) -> Iterator[None]:
    """These handlers by the number of their signal, and the former ones afterwards."""
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, before in former.items():
            signal.signal(number, before)
