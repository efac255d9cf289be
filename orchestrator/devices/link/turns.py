"""Whose turn it is at a link that several devices share: one request at a time, and the urgent ones first.

Each kind of request has a head start in seconds: it counts as asked for that much earlier than it was. So a command
overtakes what came a moment before it, and nobody waits for ever: a read that has waited for as long as the head start
of the meter is not overtaken by the meter any more.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from orchestrator.commands import InverterCommand


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


TRY_WITHIN_S: Final = 5.0
"""On a link that is never free each try would wait for a minute. So one has its turn in so many seconds; how much time
they get in all is bounded by `tries`."""


def try_slot_s(now_s: float, last_slot_s: float) -> float:
    """The rank of a try that is asked for now, where the one before had or has `last_slot_s`."""
    return min(max(now_s, last_slot_s) + TRY_WITHIN_S, rank(Turn.TRY, now_s))


SMALL_WATTS: Final = 500.0
"""So much battery power may wait for the next reading: at 9600 baud that is a second or two."""


def can_wait(before: InverterCommand | None, command: InverterCommand, ac_watts: float) -> bool:
    """Whether `command` may wait for the next reading, on a line that can carry one command for each reading.

    `before` is what was carried out since the last reading, which saw `ac_watts`. Nothing waits that takes power away,
    is another kind of command, or moves the battery by much: without this a line is so full of small steps that nobody
    is read any more.
    """
    if before is None or command.connect != before.connect or command.settings != before.settings:
        return False
    limit, former = command.ac_limit_watts, before.ac_limit_watts
    if limit is not None and (former is None or limit < former) and limit < ac_watts + SMALL_WATTS:
        return False
    battery, was = command.battery, before.battery
    if battery is None or was is None:
        return battery is was
    is_same = (battery.mode, battery.grid_charging) == (was.mode, was.grid_charging)
    return is_same and abs(battery.watts - was.watts) <= SMALL_WATTS
