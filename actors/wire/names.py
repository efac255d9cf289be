"""Host names looked up with a bound: a name server that does not answer must not hold up a link.

The system's look-up knows no time limit, so it runs in a thread of its own. What it found holds on until the next
answer: while a name server is away, devices are reached where they were.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from actors.wire.explained import Explained
from orchestrator.reason import because

LOOK_UP_S: Final = 2.0

Target = tuple[int, tuple[Any, ...]]
"""The family of an address, and the address as a socket takes it."""
LookUp = Callable[[str, int], Sequence[Target]]
"""May take any time. Raises OSError."""


class NameNotKnown(Explained, OSError):
    """There is no address for this host name, or nobody has told it in time."""


def system_look_up(host: str, port: int) -> Sequence[Target]:
    """What the system says. Raises OSError."""
    return [(family, address) for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Name:
    """One host and port. Thread safe. `look_up` runs in a thread that is left behind where it never ends."""

    def __init__(self, host: str, port: int, *, look_up: LookUp = system_look_up, longest_s: float = LOOK_UP_S) -> None:
        self._host, self._port = host, port
        self._look_up = look_up
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._targets = _numeric(host, port)
        self._is_fixed = bool(self._targets)
        self._is_stale = not self._is_fixed
        self._trouble: OSError | None = None
        self._ended: threading.Event | None = None
        self._until_s = 0.0

    def prepare(self) -> None:
        """Have the name looked up where that is due; wait for it, at most `longest_s`, only where none is known."""
        if self._is_fixed or not self._is_stale:
            return
        ended, until_s = self._begin()
        if not self._targets:
            ended.wait(max(0.0, until_s - time.monotonic()))

    def targets(self) -> Sequence[Target]:
        """The addresses that are known, without waiting. Raises NameNotKnown where there is none."""
        with self._lock:
            if self._targets:
                return self._targets
            if self._trouble is not None:
                raise NameNotKnown(because("name_not_known", host=self._host, words=self._trouble.strerror))
            raise NameNotKnown(because("no_name_server", host=self._host))

    def doubt(self) -> None:
        """It was not reached there: look it up again, it may have moved."""
        self._is_stale = not self._is_fixed

    def _begin(self) -> tuple[threading.Event, float]:
        """The look-up that is under way, or a new one; and until when it may be waited for."""
        with self._lock:
            if self._ended is None:
                self._ended, self._until_s = threading.Event(), time.monotonic() + self._longest_s
                threading.Thread(target=self._run, args=(self._ended,), name="host name", daemon=True).start()
            return self._ended, self._until_s

    def _run(self, ended: threading.Event) -> None:
        found: Sequence[Target] = ()
        trouble: OSError | None = None
        try:
            found = self._look_up(self._host, self._port)
        except (OSError, UnicodeError) as problem:  # a name that cannot be encoded is none
            trouble = problem if isinstance(problem, OSError) else OSError(0, str(problem))
        with self._lock:
            self._targets = tuple(found) or self._targets
            self._trouble, self._is_stale, self._ended = trouble, not found, None
        ended.set()


def _numeric(host: str, port: int) -> Sequence[Target]:
    """The address itself, where the host is one: nobody has to be asked."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    return tuple((family, address) for family, _, _, _, address in infos)
