"""What of a utility server must outlive a restart, as the message of a source that is kept.

After a restart the server may be away for hours. Until it is heard, what it said last goes on: its events with what
became of them, its default controls, the limits on their ramps, and the responses that it is owed. So an event that was
superseded or cancelled does not come back, and none is answered twice.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct, field

from orchestrator.setpoints.csip.book import Entry, Response, Wanted
from orchestrator.setpoints.csip.ramps import Track
from orchestrator.setpoints.csip.resources import LIMITS, RAMPED, STORAGE_TARGET, SWITCHES, Default

_FIELDS = frozenset((*LIMITS.values(), *SWITCHES.values(), STORAGE_TARGET))


class Way(Struct, frozen=True):
    """Where the limits are on their ramps, and what has been wanted since `since_s` (server time)."""

    tracks: dict[str, Track] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    since_s: float = 0.0


class Memory(Struct, frozen=True):
    """What a server has said. `ahead_of_wall_s`: its clock against the wall clock of this machine.

    `is_assigned`: it has a program for this site, and wants to be asked for it every `poll_s`. `way` is None where
    nothing was planned yet.
    """

    ahead_of_wall_s: float
    is_assigned: bool
    poll_s: float = 0.0
    entries: tuple[Entry, ...] = ()
    defaults: tuple[Default, ...] = ()
    owed: tuple[Response, ...] = ()
    way: Way | None = None


def to_message(memory: Memory) -> str:
    """What `from_message` reads again."""
    return msgspec.json.encode(memory).decode()


def from_message(message: str) -> Memory:
    """The same memory. Raises ValueError where the text is anything else than `to_message` wrote."""
    try:
        memory = msgspec.json.decode(message, type=Memory)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    asked = [*(each.control.asks for each in memory.entries), *(each.asks for each in memory.defaults)]
    way = memory.way or Way()
    _require(_FIELDS, (*(name for asks in asked for name in asks), *way.wanted))
    _require(frozenset(RAMPED), way.tracks)
    return memory


def _require(known: frozenset[str], names: Iterable[str]) -> None:
    unknown = sorted(set(names) - known)
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such field")
