"""The events of a server: which is in force for which field at a moment, and which responses are owed.

Rules (IEEE 2030.5, 10.2.3.3, and CSIP-AUS): an event of a lower primacy value supersedes one of a higher, among equals
the one that was created later; for each field by itself, as far as both ask for it. It does so from its own begin on,
and what was superseded does not come back. An event that has lost all its fields is superseded as a whole. Where no
event asks for a field, the default control of the lowest primacy value that does is in force.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum
from hashlib import sha256
from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.setpoints.csip.resources import Control, Default, Status

MOST_ENTRIES: Final = 2000
"""A week of events of five minutes. Further ones wait until some have ended: a server must not fill the memory."""
KEPT_S: Final = 86_400
"""So long what has ended is remembered: a server goes on listing it, and it must not begin anew."""
ENDS_NOW_S: Final = 5.0
"""An event that is listed no more so shortly before its end has ended, and was not cancelled."""
RECEIVED_BIT, SPECIFIC_BIT = 1, 2
"""Of responseRequired: that it was received, and what became of it."""


class Code(IntEnum):
    """Response.status, table 27 of IEEE 2030.5-2018."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    CANCELLED = 6
    SUPERSEDED = 7
    NOT_APPLICABLE = 252
    EXPIRED = 254


ENDED: Final = frozenset((Code.COMPLETED, Code.CANCELLED, Code.SUPERSEDED, Code.NOT_APPLICABLE, Code.EXPIRED))


class Response(Struct, frozen=True):
    """What is owed to the server: `status` of the event `mrid` since `at_s` (server time), posted to `reply_to`."""

    mrid: str
    status: int
    reply_to: str
    at_s: int


class Entry(Struct, frozen=True):
    """One event as it is followed: from `begin_s` to before `end_s`, random shifts included.

    `state` is the last response to it, asked for or not. An event that was cancelled before it began has an end before
    its begin, so it never was in force.
    """

    control: Control
    begin_s: float
    end_s: float
    state: Code = Code.RECEIVED

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED

    def runs_at(self, at_s: float) -> bool:
        """Whether its time is now."""
        return self.begin_s <= at_s < self.end_s

    def is_stronger_than(self, other: Entry) -> bool:
        """Whether it supersedes the other where both ask for the same field at the same time."""
        ours, theirs = self.control, other.control
        if ours.primacy != theirs.primacy:
            return ours.primacy < theirs.primacy
        return (ours.created_s, ours.start_s, ours.mrid) > (theirs.created_s, theirs.start_s, theirs.mrid)


class Wanted(Struct, frozen=True):
    """What is in force for one field. `ramp_s` is that of the event; None: by the gradient of the default."""

    value: float | bool
    ramp_s: float | None = None
    by_event: bool = True


class Book:
    """All events and default controls that are known. `salt` makes the random shifts of this site its own."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._entries: dict[str, Entry] = {}
        self._defaults: tuple[Default, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every event that is remembered."""
        return tuple(self._entries.values())

    @property
    def defaults(self) -> tuple[Default, ...]:
        """Every default control, the strongest first."""
        return self._defaults

    def recall(self, entries: Iterable[Entry], defaults: Iterable[Default]) -> None:
        """Know these and nothing else, as before a restart."""
        self._entries = {each.control.mrid: each for each in entries}
        self._defaults = tuple(defaults)

    @property
    def has_default(self) -> bool:
        """Whether any default control asks for something."""
        return any(each.asks for each in self._defaults)

    @property
    def gradient(self) -> float | None:
        """setGradW as a share of the rated power per second, of the strongest default that gives one."""
        return next((each.gradient for each in self._defaults if each.gradient is not None), None)

    def take(self, controls: Iterable[Control], defaults: Iterable[Default], now_s: float) -> tuple[Response, ...]:
        """What the server lists now, all of it; `now_s` is server time. What is listed no more is cancelled.

        Unless it ends just now: a server takes away what has ended, and its clock is read in whole seconds.
        """
        self._defaults = tuple(sorted(defaults, key=lambda each: (each.primacy, each.program)))
        responses = list(self.advance(now_s))
        listed = {each.mrid: each for each in controls}
        for mrid, entry in list(self._entries.items()):
            if not entry.is_over and mrid not in listed and entry.end_s > now_s + ENDS_NOW_S:
                responses += self._set(_ended_at(entry, now_s), Code.CANCELLED, now_s)
        for each in listed.values():
            responses += self._take(each, now_s)
        self._follow_on()
        self._forget(listed, now_s)
        return (*responses, *self.advance(now_s))

    def _take(self, control: Control, now_s: float) -> list[Response]:
        former = self._entries.get(control.mrid)
        if former is None:
            if len(self._entries) >= MOST_ENTRIES or control.status in (Status.CANCELLED, Status.CANCELLED_AT_RANDOM):
                return []
            return self._add(control, now_s)
        if former.is_over:
            return []
        if control.status in (Status.CANCELLED, Status.CANCELLED_AT_RANDOM):
            return self._cancel(former, control, now_s)
        if control.status == Status.SUPERSEDED:
            return self._set(_ended_at(former, now_s), Code.SUPERSEDED, now_s)
        if replace(control, status=former.control.status) != former.control:
            self._entries[control.mrid] = replace(self._entry(control), state=former.state)
        return []

    def _add(self, control: Control, now_s: float) -> list[Response]:
        entry = self._entries[control.mrid] = self._entry(control)
        if not control.asks:
            return self._set(_never(entry), Code.NOT_APPLICABLE, now_s)
        if control.status == Status.SUPERSEDED:
            return self._set(_never(entry), Code.SUPERSEDED, now_s)
        if entry.end_s <= now_s:
            return self._set(_never(entry), Code.EXPIRED, now_s)
        return self._set(entry, Code.RECEIVED, now_s)

    def _cancel(self, entry: Entry, control: Control, now_s: float) -> list[Response]:
        if control.status == Status.CANCELLED_AT_RANDOM and entry.runs_at(now_s):
            most_s = max(abs(control.randomize_start_s), abs(control.randomize_duration_s))
            later_s = now_s + self._share(control.mrid, "cancelled") * most_s
            entry = replace(entry, end_s=min(entry.end_s, later_s))
            self._entries[control.mrid] = entry
            return self._set(entry, Code.CANCELLED, now_s)
        return self._set(_ended_at(entry, now_s), Code.CANCELLED, now_s)

    def advance(self, now_s: float) -> tuple[Response, ...]:
        """What the time alone changes."""
        responses: list[Response] = []
        for entry in self.entries:
            if entry.is_over or now_s < entry.begin_s:
                continue
            if any(not self._is_superseded(entry, field, min(now_s, entry.end_s)) for field in entry.control.asks):
                if entry.state is not Code.STARTED:
                    responses += self._set(entry, Code.STARTED, now_s)
                if entry.end_s <= now_s:
                    responses += self._set(self._entries[entry.control.mrid], Code.COMPLETED, now_s)
            else:
                responses += self._set(entry, Code.SUPERSEDED, now_s)
        return tuple(responses)

    def wanted(self, at_s: float, *, events: bool = True) -> dict[str, Wanted]:
        """What is in force at `at_s`, now or later, by field; without `events` by default controls alone."""
        found: dict[str, Wanted] = {}
        for each in reversed(self._defaults):
            found |= {field: Wanted(value, by_event=False) for field, value in each.asks.items()}
        for entry in self.entries if events else ():
            if not entry.runs_at(at_s):
                continue
            for field, value in entry.control.asks.items():
                if not self._is_superseded(entry, field, at_s):
                    found[field] = Wanted(value, entry.control.ramp_s)
        return found

    def edges_s(self, after_s: float, before_s: float) -> list[float]:
        """When events begin or end between these."""
        edges = {edge for each in self.entries for edge in (each.begin_s, each.end_s)}
        return sorted(edge for edge in edges if after_s < edge < before_s)

    def _is_superseded(self, entry: Entry, field: str, at_s: float) -> bool:
        """Whether another event has taken this field of it by `at_s`; that one may be over."""
        return entry.state is Code.SUPERSEDED or any(
            other.begin_s <= at_s
            and other.begin_s < min(entry.end_s, other.end_s)
            and other.end_s > entry.begin_s
            and field in other.control.asks
            and other.is_stronger_than(entry)
            for other in self._entries.values()
        )

    def _set(self, entry: Entry, code: Code, now_s: float) -> list[Response]:
        control = entry.control
        self._entries[control.mrid] = replace(entry, state=code)
        bit = RECEIVED_BIT if code is Code.RECEIVED else SPECIFIC_BIT
        if control.reply_to is None or not control.response_required & bit:
            return []
        return [Response(control.mrid, code, control.reply_to, int(now_s))]

    def _entry(self, control: Control) -> Entry:
        begin_s = control.start_s + self._shift_s(control.mrid, "start", control.randomize_start_s)
        longer_s = self._shift_s(control.mrid, "duration", control.randomize_duration_s)
        return Entry(control, begin_s, begin_s + max(0.0, control.duration_s + longer_s))

    def _follow_on(self) -> None:
        """Events that follow each other without a gap go on doing so: the later begins when the former ends."""
        waiting = [each for each in self.entries if each.state is Code.RECEIVED]
        for entry in sorted(waiting, key=lambda each: each.control.start_s):
            control = entry.control
            if not control.randomize_start_s:
                continue
            former = next((each for each in self.entries if _is_followed_by(each, control)), None)
            if former is not None:
                self._entries[control.mrid] = replace(entry, begin_s=former.end_s, end_s=max(former.end_s, entry.end_s))

    def _shift_s(self, mrid: str, of: str, most_s: int) -> float:
        return float(round(self._share(mrid, of) * most_s))

    def _share(self, mrid: str, of: str) -> float:
        """A number from 0 to 1 that looks random and is the same each time, over a restart too."""
        digest = sha256(f"{self._salt}/{mrid}/{of}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def _forget(self, listed: Collection[str], now_s: float) -> None:
        for mrid, entry in list(self._entries.items()):
            if entry.is_over and mrid not in listed and min(entry.end_s, inf) < now_s - KEPT_S:
                del self._entries[mrid]


def _is_followed_by(former: Entry, control: Control) -> bool:
    before = former.control
    return (
        before.program == control.program
        and before.start_s + before.duration_s == control.start_s
        and bool(before.asks.keys() & control.asks.keys())
        and former.state in (Code.RECEIVED, Code.STARTED, Code.COMPLETED)
    )


def _ended_at(entry: Entry, now_s: float) -> Entry:
    """The entry with its end now, or as one that never was where it has not begun."""
    return replace(entry, end_s=min(entry.end_s, now_s)) if entry.begin_s < now_s else _never(entry)


def _never(entry: Entry) -> Entry:
    return replace(entry, end_s=entry.begin_s)
