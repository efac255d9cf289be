"""Where messages go. An address outlives the actor behind it: after a restart it leads to the new one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol, cast

import pykka


class Recipient(Protocol):
    """Takes a message and returns at once; it never raises and never answers. Any thread may call it."""

    def tell(self, message: Any) -> None:
        """Queue `message`."""


def _always(_message: Any) -> bool:
    return True


class Inbox:
    """What waits for one actor, in order. Any thread may put a message and look; only the actor takes.

    In place of pykka's own, a `queue.Queue`: its lock and its conditions are Python's, and with some hundred messages a
    second in a hundred threads they were a quarter of the time. Here nobody is woken who is awake, nor for a message
    that does not hurry.
    """

    def __init__(self) -> None:
        self.hurries: Callable[[Any], bool] = _always
        """Whether a message is to wake the actor; else it waits for the next one that does."""
        self._waiting: deque[Any] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_asleep = False

    def put(self, envelope: Any) -> None:
        """Add one at the end."""
        self._waiting.append(envelope)
        if self.hurries(envelope.message) and self._is_asleep:
            self._is_asleep = False
            self._bell.put(None)

    def get(self) -> Any:
        """Take the oldest; wait for one where there is none."""
        while not self._waiting:
            self._is_asleep = True
            if not self._waiting:  # who puts one from here on sees the sleeper
                self._bell.get()
            self._is_asleep = False
        return self._waiting.popleft()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def qsize(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def waiting(self) -> tuple[Any, ...]:
        """All that wait, the oldest first."""
        return tuple(self._waiting)


class Address:
    """The present incarnation of one actor, by name. A message that nobody can take is dropped.

    Dropping is right here: everything is computed anew each cycle, so a lost message costs one period, while an
    `ActorDeadError` would take the sender down as well.
    """

    def __init__(self, name: str, most_waiting: int | None = None, *, deaf_to: tuple[type[Any], ...] = ()) -> None:
        """`most_waiting`: with so many messages in its inbox the actor gets no more, because its disk may hang.

        `deaf_to`: what others are told as well and it does not read is not put into its inbox, for waking it costs.
        """
        self.name = name
        self._most_waiting = most_waiting
        self._deaf_to = deaf_to
        self._ref: pykka.ActorRef[Any] | None = None

    def lead_to(self, ref: pykka.ActorRef[Any] | None) -> None:
        """From now on messages go to `ref`; None: to nobody."""
        self._ref = ref

    @property
    def ref(self) -> pykka.ActorRef[Any] | None:
        """The present incarnation, None where there is none."""
        return self._ref

    @property
    def is_alive(self) -> bool:
        """Whether somebody takes messages here."""
        ref = self._ref
        return ref is not None and ref.is_alive()

    def tell(self, message: Any) -> None:
        """Queue `message` for the actor, or drop it when there is none."""
        ref = self._ref
        if ref is None or isinstance(message, self._deaf_to):
            return
        if self._most_waiting is not None and inbox_of(ref).qsize() >= self._most_waiting:
            return
        tell_if_alive(ref, message)


def tell_if_alive(recipient: Recipient | pykka.ActorRef[Any], message: Any) -> None:
    """Queue `message`; a recipient that is dead by now does not get it."""
    try:
        recipient.tell(message)
    except pykka.ActorDeadError:
        return


def inbox_of(actor: pykka.ActorRef[Any] | pykka.Actor) -> Inbox:
    """The inbox of an actor of ours."""
    return cast("Inbox", actor.actor_inbox)
