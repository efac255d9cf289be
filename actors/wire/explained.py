"""Trouble on a wire that we name ourselves: a value beside its words. What the system says has words only."""

from __future__ import annotations

from orchestrator.reason import Reason
from orchestrator.reason.troubles import say_trouble


class Explained(Exception):
    """`why` is what is wrong; the text says it."""

    def __init__(self, why: Reason) -> None:
        self.why = why
        super().__init__(say_trouble(why))


class Closed(Explained, ConnectionResetError):
    """The other side has ended the connection."""


class NothingSent(Explained, TimeoutError):
    """What is to be sent was not taken in time."""


def why_of(problem: Exception) -> Reason | None:
    """What is wrong, where that is ours to say."""
    return problem.why if isinstance(problem, Explained) else None
