"""The commands of a portfolio to one site: numbered, and sent again until the site answers or a newer one takes over.

Numbers begin with the time in milliseconds, so that they rise over a restart. Where a site knows a higher one it says
so, and the next command is numbered above it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from orchestrator.documents.json_values import Payload
from orchestrator.portfolio.answers import Answer
from orchestrator.portfolio.commands import HIGHEST_SEQUENCE

REPEAT_AFTER_S: Final = 2.0
"""A site answers with its next decision, which takes a second as a rule. Sooner would double what is on its way."""
DEAF_AFTER: Final = 3
"""A site that has not answered so many of the same command in a row is deaf."""

Write = Callable[[Payload], bytes]


class Outbox:
    """The newest command to one site. `write` makes bytes of a payload."""

    def __init__(self, wall_s: float, write: Write) -> None:
        self._sequence = int(wall_s * 1000)
        self._write = write
        self._bytes: bytes | None = None
        self._payload: Payload = {}
        self._sent_at_s = -inf
        self._ends_at_s = -inf
        self._tries = 0
        self.answer: Answer | None = None

    @property
    def sequence(self) -> int:
        """The number of the newest command."""
        return self._sequence

    @property
    def is_deaf(self) -> bool:
        """Whether the site does not answer."""
        return self._tries > DEAF_AFTER

    @property
    def waits(self) -> bool:
        """Whether an answer is still to come."""
        return self._bytes is not None

    def put(self, payload: Payload, valid_for_s: float, now_s: float) -> bytes:
        """The bytes of a new command, to be sent now. The former one is never sent again."""
        unanswered = self._tries if self.waits else 0
        self._sequence = min(self._sequence + 1, HIGHEST_SEQUENCE)
        self._payload = {"sequence": self._sequence, **payload}
        self._bytes = self._write(self._payload)
        self._sent_at_s, self._ends_at_s, self._tries = now_s, now_s + valid_for_s, unanswered + 1
        return self._bytes

    def due(self, now_s: float) -> bytes | None:
        """What has to be sent again now; None where nothing has."""
        if self._bytes is None or now_s < self._sent_at_s + REPEAT_AFTER_S:
            return None
        if now_s >= self._ends_at_s:
            self._bytes = None
            return None
        self._sent_at_s, self._tries = now_s, self._tries + 1
        return self._bytes

    def take(self, answer: Answer) -> bool:
        """Take an answer. True where the command has to be made anew: the site knows a higher number than this one."""
        newest = -1 if answer.newest is None else answer.newest
        if answer.answer == "refused" and newest >= self._sequence:
            self._sequence, self._bytes = newest, None
            return True
        if answer.sequence != self._sequence:
            return False
        self._bytes, self._tries, self.answer = None, 0, answer
        return False
