"""The client as a whole: rounds through the server, events, and the setpoint that follows. Times are handed in."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from msgspec import Struct

from orchestrator.errors import OrchestratorError
from orchestrator.setpoints.csip.book import Book
from orchestrator.setpoints.csip.documents import DocumentError
from orchestrator.setpoints.csip.memory import Memory
from orchestrator.setpoints.csip.plan import AHEAD_S, Moment, Planner
from orchestrator.setpoints.csip.posting import Posting
from orchestrator.setpoints.csip.readings import Picture
from orchestrator.setpoints.csip.telemetry import Rating
from orchestrator.setpoints.csip.walk import (
    LONGEST_POLL_S,
    LONGEST_RETRY_S,
    RETRY_S,
    Errand,
    Member,
    Refused,
    ServerTrouble,
    Walk,
)
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint

TOLD_EVERY_S: Final = AHEAD_S / 5
PAUSE_SHARE: Final = 1.25
"""A pause that the server asks for is a quarter longer: it asked everybody, and they need not all come back at once."""
GRACE_S: Final = 120.0
"""A server that wants to be asked more rarely than it may be silent is lost when it has not answered the next look and
some more tries (see RETRY_S), and not before."""
CLOCK_SHIFT_S: Final = 0.5
"""A plan is told anew when the wall clock has moved by more against the monotonic one: its steps are by the wall."""


class Settings(Struct, frozen=True):
    """How a client runs. `server` is the URL of the DeviceCapability; `begin` is asked for until the server is heard.

    Events that are known go on for `lost_after_s` after the last word of the server.
    """

    source: str
    server: str
    rating: Rating
    lost_after_s: float
    version: str
    begin: SetpointFields


class _Pause:
    """When something may be tried again: longer after each failure."""

    def __init__(self) -> None:
        self.failures = 0
        self.at_s = -inf
        self.due_s = -inf

    def begin(self, now_s: float, asked_s: float | None) -> None:
        """It failed at `now_s`; the server may have asked for a pause."""
        own_s = min(LONGEST_RETRY_S, RETRY_S * 2**self.failures)
        self.at_s = now_s + max(own_s, PAUSE_SHARE * min(asked_s or 0.0, LONGEST_POLL_S))
        self.failures = min(self.failures + 1, 10)

    def over(self) -> None:
        """It went well."""
        self.failures, self.at_s = 0, -inf


class CsipClient:
    """One site at one server. `clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, member: Member, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self.identity = member.identity
        self._walk = Walk(settings.server, member)
        self._book = Book(member.identity.lfdi)
        self._planner = Planner(settings.source, settings.rating.watts, settings.begin)
        self._posting = Posting(member.identity.lfdi, settings.rating, settings.version)
        self._heard_s: float | None = None
        self._poll_s = 0.0
        self._reading, self._telling = _Pause(), _Pause()
        self._is_assigned = False
        self._told: tuple[float, float] | None = None
        self._is_news = False
        self._is_kept = True
        self._recalled: tuple[float, float] | None = None
        self._withdrawn = False

    def recall(self, memory: Memory, heard_wall_s: float, wall_s: float) -> None:
        """Go on from what was remembered before a restart; the server said its last word at `heard_wall_s`."""
        self._recalled = (memory.ahead_of_wall_s, heard_wall_s)
        self._reckon(wall_s)
        self._is_assigned, self._poll_s = memory.is_assigned, memory.poll_s
        self._book.recall(memory.entries, memory.defaults)
        self._posting.owe(memory.owed)
        if memory.way is not None:
            self._planner.recall(memory.way)

    def _reckon(self, wall_s: float) -> None:
        """After a restart the time of the server follows from the wall clock, which may be put right meanwhile.

        A wall clock before the last word of the server is wrong: it is taken as that time, so that no limit ends by it.
        """
        if self._recalled is None:
            return
        ahead_of_wall_s, heard_wall_s = self._recalled
        since_s, now_s = max(0.0, wall_s - heard_wall_s), self._clock()
        self._heard_s = now_s - since_s
        self._walk.found.server_ahead_s = ahead_of_wall_s + heard_wall_s + since_s - now_s

    def to_keep(self, wall_s: float) -> Memory | None:
        """What must outlive a restart; None where it was asked for already, and nothing has changed."""
        if self._is_kept or self._heard_s is None:
            return None
        self._is_kept = True
        return Memory(
            ahead_of_wall_s=round(self._server_s() - wall_s, 1),
            is_assigned=self._is_assigned,
            poll_s=self._poll_s,
            entries=self._book.entries,
            defaults=self._book.defaults,
            owed=self._posting.owed,
            way=self._planner.way,
        )

    @property
    def book(self) -> Book:
        """The events that are known."""
        return self._book

    @property
    def heard_s(self) -> float | None:
        """When what is asked for was last read (monotonic); None: never."""
        return self._heard_s

    def show(self, shown: Picture) -> None:
        """The site looks like this now."""
        self._posting.show(shown, self._clock())

    def next_s(self) -> float:
        """When the next round is due (monotonic)."""
        return min(max(each.due_s, each.at_s) for each in self._parts())

    def _parts(self) -> tuple[_Pause, ...]:
        self._reading.due_s = self._walk.due.next_s()
        self._telling.due_s = self._posting.next_s()
        return (self._reading, self._telling)

    def round(self) -> Errand[str | None]:
        """Read and post what is due; what is wrong with the server, in words, or None.

        What cannot be posted waits by itself: it does not keep from reading what is asked for.
        """
        trouble: OrchestratorError | None = None
        if self._clock() >= self._reading.at_s:
            try:
                read = yield from self._walk.round(self._clock)
                if read and self._walk.is_complete:
                    self._take()
                self._reading.over()
            except (ServerTrouble, DocumentError, Refused) as error:
                trouble = error
                self._failed(self._reading, error)
            if "Time" in self._walk.due.at_s:
                self._recalled = None
        if self._heard_s is not None and not self._reading.failures and self._clock() >= self._telling.at_s:
            self._is_kept = self._is_kept and not self._posting.owed
            try:
                yield from self._posting.round(self._walk, self._clock, self._book.gradient)
                self._telling.over()
            except (ServerTrouble, DocumentError, Refused) as error:
                trouble = error
                self._failed(self._telling, error)
        return None if trouble is None else str(trouble)

    def _take(self) -> None:
        self._heard_s, self._recalled = self._clock(), None
        found, due = self._walk.found, self._walk.due.at_s
        self._poll_s = round(min((due[path] for path in found.program_lists), default=self._heard_s) - self._heard_s, 1)
        self._is_assigned = bool(found.controls)
        controls = [each for controls in found.controls.values() for each in controls]
        defaults = [each for each in found.defaults.values() if each is not None]
        self._posting.owe(self._book.take(controls, defaults, self._server_s()))
        self._is_news = True

    def _failed(self, pause: _Pause, trouble: OrchestratorError) -> None:
        asked_s = trouble.retry_after_s if isinstance(trouble, ServerTrouble) else None
        if isinstance(trouble, ServerTrouble) and trouble.is_gone:
            self._walk.begin_anew()
            self._posting.begin_anew()
        pause.begin(self._clock(), asked_s)

    def setpoint(self, wall_s: float) -> Setpoint | None:
        """What is asked for now, where it has to be told (anew). Also moves the events on."""
        self._reckon(wall_s)
        if self._heard_s is None:
            return None
        responses = self._book.advance(self._server_s())
        if responses:
            self._posting.owe(responses)
            self._is_news = True
        now_s = self._clock()
        if not (self._is_news or self._told is None or self._is_stale(now_s, wall_s)):
            return None
        self._is_news = False
        lost_at_s = self._heard_s + self._silence_s + (self._server_s() - now_s)
        setpoint = None
        if self._is_assigned:
            setpoint = self._planner.setpoint(self._book, Moment(now_s, wall_s, self._server_s()), lost_at_s)
        self._told = (now_s, wall_s)
        self._is_kept = False
        self._withdrawn = setpoint is None
        return setpoint

    @property
    def _silence_s(self) -> float:
        """So long known events go on after the last word of the server."""
        allowed_s = self._settings.lost_after_s
        return allowed_s if self._poll_s < allowed_s else self._poll_s + GRACE_S

    @property
    def is_silent(self) -> bool:
        """Whether the server has no program for this site, or is lost and has left nothing that holds.

        Then the default of site.yaml does.
        """
        return self._withdrawn

    def _is_stale(self, now_s: float, wall_s: float) -> bool:
        told_s, told_wall_s = self._told or (-inf, 0.0)
        return now_s - told_s >= TOLD_EVERY_S or abs((wall_s - told_wall_s) - (now_s - told_s)) > CLOCK_SHIFT_S

    def _server_s(self) -> float:
        return self._clock() + (self._walk.found.server_ahead_s or 0.0)
