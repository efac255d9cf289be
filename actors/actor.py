"""The base of all actors: what every one of them does around its own work.

pykka gives threads and inboxes, and no more: an exception in a message kills an actor without `on_stop`, one in
`on_start` kills it without a word, nobody restarts it, and there are no timers. So here:

- `__init__` only stores. `on_start` only tells itself the first Tick. Everything that can fail happens in a message.
- A crash closes what the actor holds (`close`) and tells the supervisor, which starts a new one.
- Threads are daemons: a process whose main thread died must not hang for ever.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import pykka

from actors.address import Inbox, Recipient, inbox_of
from actors.clock import Clock
from actors.messages import Tick
from actors.observer import Observer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every actor is given: time, whom to tell of itself, and who restarts it."""

    clock: Clock
    observer: Observer
    supervisor: Recipient


OF_AN_INVERTER: Final = "inverter/"
"""Before the name of an inverter it makes the name of its actor, which so is that of no other actor."""
SYSTEM_ACTORS: Final = ("supervisor", "site", "meter", "mqtt", "web", "ledger", "sites")


def actor_of(inverter: str) -> str:
    """The name of the actor of an inverter."""
    return f"{OF_AN_INVERTER}{inverter}"


def label_of(actor: str) -> str:
    """What metrics call an actor: an inverter's by the name of the inverter, unless another actor is called so."""
    short = actor.removeprefix(OF_AN_INVERTER)
    return actor if short in SYSTEM_ACTORS else short


@dataclass(frozen=True, slots=True)
class Crashed:
    """Told to the supervisor by an actor that a bug has ended. `actor_urn` says which incarnation it was."""

    name: str
    actor_urn: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Started:
    """The first message of an actor, sent by itself."""


class Actor(pykka.ThreadingActor):
    """One thread with an inbox. Subclasses implement `receive`, and `close` where they hold something."""

    use_daemon_thread = True

    def __init__(self, name: str, surroundings: Surroundings) -> None:
        super().__init__()
        self.actor_name = name
        """What the supervisor calls it; `name` is what messages call it."""
        self.name = name.removeprefix(OF_AN_INVERTER)
        self._label = label_of(name)
        self.clock = surroundings.clock
        self.observer = surroundings.observer
        self._supervisor = surroundings.supervisor

    @staticmethod
    def _create_actor_inbox() -> Inbox:
        return Inbox()

    def receive(self, message: Any) -> None:
        """Handle one message, in the actor's own thread. A message that it does not know is not for it: ignore it.

        The first message is a Tick. An exception here is a bug and ends the actor; expected trouble is caught.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of sockets and files. Runs in the actor's own thread, after its last message or a crash."""

    def later(self, delay_s: float, message: Any) -> None:
        """Send `message` to this very incarnation in `delay_s` seconds; it dies with it."""
        self.clock.send_after(delay_s, self.actor_ref, message)

    def on_start(self) -> None:
        self.actor_ref.tell(_Started())

    def on_receive(self, message: Any) -> None:
        began_s = self.clock.now_s()
        if isinstance(message, _Started):
            self.observer.actor_up(self._label, True)
            message = Tick()
        self.receive(message)
        self.observer.message_handled(self._label, self.clock.now_s() - began_s, self.inbox_depth())

    def inbox_depth(self) -> int:
        """How many messages wait."""
        return inbox_of(self).qsize()

    def waiting(self) -> tuple[Any, ...]:
        """The messages that wait, the oldest first."""
        return tuple(envelope.message for envelope in inbox_of(self).waiting())

    def on_stop(self) -> None:
        self.observer.actor_up(self._label, False)
        self.close()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,  # noqa: ARG002 (the signature is pykka's)
        exception_value: BaseException | None,
        traceback: TracebackType | None,  # noqa: ARG002
    ) -> None:
        self._supervisor.tell(Crashed(self.actor_name, self.actor_urn, repr(exception_value)))
        log.error("actor %s crashed: %r", self.actor_name, exception_value)
        self.observer.actor_up(self._label, False)
        self.close()
