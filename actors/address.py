"""Where messages go. An address outlives the actor behind it: after a restart it leads to the new one."""

from __future__ import annotations

import queue
from typing import Any, Protocol, cast

import pykka


class Recipient(Protocol):
    """Takes a message and returns at once; it never raises and never answers. Any thread may call it."""

    def tell(self, message: Any) -> None:
        """Queue `message`."""


class Address:
    """The present incarnation of one actor, by name. A message that nobody can take is dropped.

    Dropping is right here: everything is computed anew each cycle, so a lost message costs one period, while an
    `ActorDeadError` would take the sender down as well.
    """

    def __init__(self, name: str, most_waiting: int | None = None) -> None:
        """`most_waiting`: with so many messages in its inbox the actor gets no more, because its disk may hang."""
        self.name = name
        self._most_waiting = most_waiting
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
        if ref is None or (self._most_waiting is not None and _waiting(ref) >= self._most_waiting):
            return
        tell_if_alive(ref, message)


def tell_if_alive(recipient: Recipient | pykka.ActorRef[Any], message: Any) -> None:
    """Queue `message`; a recipient that is dead by now does not get it."""
    try:
        recipient.tell(message)
    except pykka.ActorDeadError:
        return


def _waiting(ref: pykka.ActorRef[Any]) -> int:
    """How many messages wait for an actor."""
    return cast("queue.Queue[Any]", ref.actor_inbox).qsize()
