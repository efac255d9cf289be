"""Recipients of messages for tests: they keep what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from orchestrator.loop.messages import Acknowledged
from tests.support.servers.required import PATIENCE_S, wait_until

MessageT = TypeVar("MessageT")


class Inbox:
    """A Recipient that remembers. Appending to a list is one step, so any thread may tell."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def tell(self, message: Any) -> None:
        """Keep `message`."""
        self.messages.append(message)

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        """The messages of one kind, oldest first."""
        return [message for message in self.messages if isinstance(message, kind)]

    def wait_for(self, kind: type[MessageT], count: int = 1, timeout_s: float = PATIENCE_S) -> MessageT:
        """The newest message of one kind as soon as there are `count` of them."""
        wait_until(lambda: len(self.of(kind)) >= count, f"{kind.__name__} number {count}", timeout_s)
        return self.of(kind)[-1]


def answer_to_a_command(acknowledged: Sequence[Acknowledged], now_s: float) -> Acknowledged:
    """The newest of what came after a command; where nothing came, no write was needed."""
    return acknowledged[-1] if acknowledged else Acknowledged("east", now_s, now_s, 0)
