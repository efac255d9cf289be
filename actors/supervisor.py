"""Starts the other actors, starts a crashed one anew, gives up on one that keeps crashing, and stops all in reverse."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pykka

from actors.actor import Actor, Crashed, Surroundings
from actors.address import Address
from actors.messages import Tick
from orchestrator.cadence import recent_crashes, restart_delay_s

log = logging.getLogger(__name__)

LIVENESS_INTERVAL_S = 1.0


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
class StopChildren:
    """Stop every child, the last started first, all of them before `deadline_s` (monotonic)."""

    deadline_s: float


@dataclass(frozen=True, slots=True)
class _Restart:
    name: str


@dataclass(frozen=True, slots=True)
class _Check:
    """See whether all children live."""


class Supervisor(Actor):
    """Keeps `children` alive. `failed` is set when one of them crashes too often, or when this actor itself ends."""

    def __init__(self, surroundings: Surroundings, children: Sequence[Child], failed: threading.Event) -> None:
        super().__init__("supervisor", surroundings)
        self._children = {child.name: child for child in children}
        self._failed = failed
        self._running: dict[str, pykka.ActorRef[Any]] = {}
        self._crashes_s: dict[str, tuple[float, ...]] = {}
        self._stopping = False

    def receive(self, message: Any) -> None:
        """The first Tick starts the children; then Crashed and StopChildren."""
        match message:
            case Tick():
                self._start_children()
            case _Check():
                self._check_children()
            case Crashed(name, urn, _):
                self._on_crash(name, urn)
            case _Restart(name):
                self._restart(name)
            case StopChildren(deadline_s):
                self._stop_children(deadline_s)

    def close(self) -> None:
        """Ending without having been asked to is a failure of the whole system."""
        if not self._stopping:
            self._failed.set()

    def _start_children(self) -> None:
        for child in self._children.values():
            self._start(child)
        self.later(LIVENESS_INTERVAL_S, _Check())

    def _check_children(self) -> None:
        # A child can die without a word: an exception in on_start does that.
        dead = [(name, ref.actor_urn) for name, ref in self._running.items() if not ref.is_alive()]
        for name, urn in dead:
            self._on_crash(name, urn)
        self.later(LIVENESS_INTERVAL_S, _Check())

    def _start(self, child: Child) -> None:
        ref = child.start()
        self._running[child.name] = ref
        child.address.lead_to(ref)

    def _on_crash(self, name: str, urn: str) -> None:
        ref = self._running.get(name)
        if self._stopping or ref is None or ref.actor_urn != urn:
            return
        del self._running[name]
        self._children[name].address.lead_to(None)
        now_s = self.clock.now_s()
        crashes_s = (*recent_crashes(self._crashes_s.get(name, ()), now_s), now_s)
        self._crashes_s[name] = crashes_s
        delay_s = restart_delay_s(crashes_s)
        if delay_s is None:
            log.critical("actor %s crashed %d times within a minute: giving up", name, len(crashes_s))
            self._failed.set()
            return
        self.later(delay_s, _Restart(name))

    def _restart(self, name: str) -> None:
        if self._stopping:
            return
        log.warning("starting actor %s anew", name)
        self._start(self._children[name])
        self.observer.actor_restarted(name)

    def _stop_children(self, deadline_s: float) -> None:
        self._stopping = True
        running = [(name, self._running[name]) for name in reversed(self._children) if name in self._running]
        ends = [(name, ref.stop(block=False)) for name, ref in running]
        for name, end in ends:
            try:
                end.get(timeout=max(0.0, deadline_s - self.clock.now_s()))
            except pykka.Timeout:
                log.error("actor %s did not stop in time", name)
        for child in self._children.values():
            child.address.lead_to(None)
        self._running.clear()
