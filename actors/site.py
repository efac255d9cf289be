"""The site: the thread and the inbox around the loop. What is done and when is `orchestrator.loop.site_loop`'s."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.actor import Actor, Surroundings
from actors.address import Recipient, inbox_of
from actors.files.sign_store import SignStore
from actors.messages import Acknowledged, Event, Reconfigure, SetpointRefused, Stop, Tick
from orchestrator.config.sections import SiteConfig
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import (
    Action,
    Command,
    HandedBack,
    Input,
    Read,
    Reconfigured,
    Release,
    ReleaseAsked,
    Report,
    ResumeAsked,
    SetpointReceived,
    SetpointWithdrawn,
    StopAsked,
    TimePassed,
)
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.loop.site_loop import SiteLoop
from orchestrator.samples import METER


@dataclass(frozen=True, slots=True)
class _WakeUp:
    """The loop asked to be told the time at `at_s` (monotonic)."""

    at_s: float


class Hurry:
    """Which messages wake the site: not each report while others are still waited for, and none that only counts.

    They are taken with the next message that does, which is a value of the meter or what the loop wakes up for.
    """

    def __init__(self) -> None:
        self._awaited: set[str] = set()

    def wait_for(self, inverters: Iterable[str]) -> None:
        """From now on a decision waits for the reports of these."""
        self._awaited = set(inverters)

    def __call__(self, message: Any) -> bool:
        """Whether `message` wakes the site. Any thread may ask, once for each message."""
        match message:
            case Report(sender=sender) if self._awaited and sender != METER:
                self._awaited.discard(sender)
                return not self._awaited
            case Acknowledged(fault=None, released=False):
                return False
        return True


class SiteActor(Actor):
    """One plant. `kept` outlives a restart of this actor."""

    def __init__(
        self,
        surroundings: Surroundings,
        config: SiteConfig,
        inverters: Mapping[str, Recipient],
        listeners: Sequence[Recipient],
        kept: Kept,
        *,
        sign_store: SignStore | None = None,
    ) -> None:
        super().__init__("site", surroundings)
        self._hurry = Hurry()
        inbox_of(self).hurries = self._hurry
        self._inverters = self._released = inverters
        self._listeners = listeners
        self._config, self._kept, self._sign_store = config, kept, sign_store
        self._loop = SiteLoop(config, kept, self.clock.now_s(), wall_s=self.clock.wall().timestamp())
        self._kept_sign: MeterSign | None = None
        self._wakes_at_s = float("inf")
        self._done: threading.Event | None = None

    def receive(self, message: Any) -> None:
        """What the loop knows goes to the loop, what is only for people to the listeners."""
        match message:
            case Report() | SetpointReceived() | SetpointWithdrawn() | ReleaseAsked() | ResumeAsked():
                self._tell_loop(message)
            case Acknowledged():
                self._announce(message)
                self._tell_loop(message)
            case SetpointRefused() | Event():
                self._announce(message)
            case Tick():
                self._tell_loop(TimePassed())
            case _WakeUp(at_s):
                # One that an earlier one has replaced has nothing to say. Were it to set the next, there would be one
                # more in each cycle, for ever.
                if at_s == self._wakes_at_s:
                    self._wakes_at_s = float("inf")
                    self._tell_loop(TimePassed())
            case Reconfigure(config, changes, inverters, done) if not self._loop.is_stopped:
                self._released, self._inverters, self._done = self._inverters, inverters, done
                self._config = config
                self._tell_loop(Reconfigured(config, changes))
                self._released = inverters
            case Stop(done):
                self._released, self._done = self._inverters, done
                self._tell_loop(StopAsked())

    def _tell_loop(self, message: Input) -> None:
        self._perform(self._loop.receive(message, self.clock.now_s(), self.clock.wall().timestamp()))
        self._keep_sign()
        wake_s = self._loop.next_wake_s
        if wake_s < self._wakes_at_s:
            self._wakes_at_s = wake_s
            self.later(max(0.0, wake_s - self.clock.now_s()), _WakeUp(wake_s))

    def _keep_sign(self) -> None:
        """Last of all: a limit is obeyed before anything is kept."""
        sign = self._kept.sign
        if self._sign_store is not None and sign is not self._kept_sign:
            self._kept_sign = sign
            self._sign_store.keep(self._config.meter, sign)

    def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Read():
                    self._hurry.wait_for(self._loop.awaited)
                    for inverter in self._inverters.values():
                        inverter.tell(action)
                case Command(command):
                    self._inverters[command.inverter].tell(action)
                case Release(command):
                    self._released[command.inverter].tell(action)
                case HandedBack():
                    if self._done is not None:
                        self._done.set()
                case _:
                    self._announce(action)

    def _announce(self, message: Any) -> None:
        for listener in self._listeners:
            listener.tell(message)
