"""Starts the other actors, starts a crashed one anew, and gives up on one that keeps crashing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pykka

from actors.actor import Actor, Crashed, Surroundings, label_of
from actors.address import Address
from actors.clock import Clock
from actors.messages import Tick

RESTART_FIRST_S = 0.1

RESTARTS_MAX = 5

RESTART_WINDOW_S = 60.0

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Child:
    """An actor to keep alive: where it is reached, and how a new one is started."""

    address: Address
    start: Callable[[], pykka.ActorRef[Any]]

    @property
    def name(self) -> str:
        """Its name in messages, logs and metrics."""
        return self.address.name


@dataclass(frozen=True, slots=True)
class StartChildren:
    """Start every child, in order. For `ask`: whoever starts the system hears of an exception."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Start one more child and keep it alive. For `ask`."""

    child: Child


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Leave this child alone from now on: whoever asks stops it. For `ask`."""

    name: str


@dataclass(frozen=True, slots=True)
class _Restart:
    name: str


class Supervisor(Actor):
    """Keeps `children` alive. `failed` is set when one of them crashes too often, or when this actor itself does."""

    def __init__(self, surroundings: Surroundings, children: Sequence[Child], failed: threading.Event) -> None:
        super().__init__("supervisor", surroundings)
        self._children = {child.name: child for child in children}
        self._failed = failed
        self._urns: dict[str, str] = {}
        self._crashes_s: dict[str, tuple[float, ...]] = {}

    def receive(self, message: Any) -> None:
        """StartChildren, Adopt, Dismiss, Crashed, and its own Tick."""
        match message:
            case StartChildren():
                for child in self._children.values():
                    self._start(child)
            case Adopt(child):
                self._children[child.name] = child
                self._start(child)
            case Dismiss(name):
                for known in (self._children, self._urns, self._crashes_s):
                    known.pop(name, None)
            case Crashed(name, urn, _):
                self._on_crash(name, urn)
            case _Restart(name):
                self._on_restart_due(name)
            case Tick():
                self._check_children()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._failed.set()
        super().on_failure(exception_type, exception_value, traceback)

    def _start(self, child: Child) -> None:
        ref = child.start()
        self._urns[child.name] = ref.actor_urn
        child.address.lead_to(ref)

    def _on_restart_due(self, name: str) -> None:
        if name not in self._children or name in self._urns:
            return  # dismissed meanwhile, or replaced by one that runs
        log.warning("starting actor %s anew", name)
        self._start(self._children[name])
        self.observer.actor_restarted(label_of(name))

    def _check_children(self) -> None:
        # A child can die without a word: an exception in on_start does that.
        for name, urn in list(self._urns.items()):
            if not self._children[name].address.is_alive:
                self._on_crash(name, urn)
        self.later(CHECK_INTERVAL_S, Tick())

    def _on_crash(self, name: str, urn: str) -> None:
        if self._urns.get(name) != urn:
            return  # known already
        del self._urns[name]
        self._children[name].address.lead_to(None)
        now_s = self.clock.now_s()
        crashes_s = (*recent_crashes(self._crashes_s.get(name, ()), now_s), now_s)
        self._crashes_s[name] = crashes_s
        delay_s = restart_delay_s(crashes_s)
        if delay_s is None:
            log.critical("actor %s crashed %d times within a minute: giving up", name, len(crashes_s))
            self._failed.set()
        else:
            self.later(delay_s, _Restart(name))


def stop_in_reverse(addresses: Sequence[Address], deadline_s: float, clock: Clock) -> None:
    """Stop the actors behind `addresses`, the last one first, all of them before `deadline_s` (monotonic).

    Not for actors: it waits. One that is stuck is logged and left behind; its thread is a daemon.
    """
    refs = [(address.name, ref) for address in reversed(addresses) if (ref := address.ref) is not None]
    ends = [(name, ref.stop(block=False)) for name, ref in refs]
    for name, end in ends:
        try:
            end.get(timeout=max(0.0, deadline_s - clock.now_s()))
        except pykka.Timeout:
            log.error("actor %s did not stop in time", name)
    for address in addresses:
        address.lead_to(None)


def recent_crashes(crashes_s: Sequence[float], now_s: float) -> tuple[float, ...]:
    """Those of the crash times that still count."""
    return tuple(at_s for at_s in crashes_s if now_s - at_s < RESTART_WINDOW_S)


def restart_delay_s(crashes_s: Sequence[float]) -> float | None:
    """How long to wait before the restart after the last of these recent crashes; None: give up."""
    if len(crashes_s) > RESTARTS_MAX:
        return None
    return RESTART_FIRST_S * 2.0 ** (len(crashes_s) - 1)
