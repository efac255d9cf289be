"""Whose turn it is at a link that several devices share: one request at a time, and the urgent ones first.

Each kind of request has a head start in seconds: it counts as asked for that much earlier than it was. So a command
overtakes what came a moment before it, and nobody waits for ever: a read that has waited for as long as the head start
of the meter is not overtaken by the meter any more.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Turn(Enum):
    """What a request is for."""

    WRITE = "write"
    """A command: a limit that falls must be obeyed within 5 s."""
    METER = "meter"
    """A reading of the meter: without one for 3 s the plant is in its failsafe."""
    READ = "read"
    """A reading of another device that answers."""
    TRY = "try"
    """A try at a device that does not answer."""


HEAD_START_S: Final = {Turn.WRITE: 4.0, Turn.METER: 2.0, Turn.READ: 0.0, Turn.TRY: -60.0}


def rank(turn: Turn, asked_at_s: float) -> float:
    """Of those who wait, the one with the lowest rank goes next; of equal ones the one that came first.

    `asked_at_s` in monotonic seconds.
    """
    return asked_at_s - HEAD_START_S[turn]
