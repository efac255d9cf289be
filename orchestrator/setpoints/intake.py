"""The messages of one MQTT source, from bytes to the setpoint that holds: the newest valid one wins.

A broker hands its retained message over again at every connection, also one that a later message has superseded (a
later one that was not retained leaves the former in the broker). By its bytes a message is known again: what holds is
neither new nor renewed by that, what was superseded or withdrawn stays so. `KeptSource` is what must outlive a restart
for this to hold across restarts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from orchestrator.errors import PayloadError
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.payload import HasPassedError, parse_setpoint

SUPERSEDED_KEPT: Final = 64
"""So many superseded messages are remembered, the newest ones: a broker retains one of a topic."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message, at `at_s` (monotonic) and `wall` (the same moment with its zone).

    `redelivered`: the broker held it already when we subscribed (MQTT calls that retained).
    """

    payload: bytes
    redelivered: bool
    at_s: float
    wall: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch of messages means. `setpoint`: a new one, or None. `withdrawn`: the source takes its setpoint back.

    `reasons` are those of the messages that were refused, newest first; what they wanted to replace stays.
    """

    setpoint: Setpoint | None = None
    withdrawn: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptSource:
    """What is kept of a source that was heard: its message, None once it was withdrawn, and when that came last.

    `origin` is the broker and topic it came from: a source that is moved to another one is not what it was.
    `superseded` are the digests of messages that count no more, the newest last.
    """

    origin: str
    message: str | None
    received: datetime
    superseded: tuple[str, ...] = ()


class Reader(Protocol):
    """How the messages of a source are read."""

    def __call__(
        self, payload: bytes, *, source: str, received_at_s: float, wall_now: datetime, validity_s: float | None
    ) -> Setpoint:
        """As `payload.parse_setpoint`."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the messages of a source look like.

    `repeats`: they are a few words that come again and again, such as the states of a contact. Then a word that was
    said before is no former message: one that the broker hands over again counts where it is another than what holds.
    """

    read: Reader
    repeats: bool = False


SETPOINTS: Final = Language(parse_setpoint)


class Intake:
    """The memory of one source: what it asks for, and which bytes that came from."""

    def __init__(self, source: str, validity_s: float | None, origin: str = "", language: Language = SETPOINTS) -> None:
        self.source = source
        self._language = language
        self._origin = origin
        self.setpoint: Setpoint | None = None
        self._validity_s = validity_s
        self._accepted: bytes | None = None
        self._received: datetime | None = None
        self._refused: bytes | None = None
        self._passed: Arrival | None = None
        self._late: dict[str, None] = {}
        self._superseded: dict[str, None] = {}

    @classmethod
    def restored(
        cls,
        source: str,
        validity_s: float | None,
        origin: str,
        kept: KeptSource | None,
        *,
        now_s: float,
        wall: datetime,
        language: Language = SETPOINTS,
    ) -> Intake:
        """The memory as it was before a restart; `now_s` (monotonic) and `wall` are the same moment.

        A validity goes on from when the message came. Where the clock says that it came later than now, it counts from
        now: the clock is wrong, and the limit must not end early.
        """
        intake = cls(source, validity_s, origin, language)
        if kept is not None and kept.origin == origin:
            intake._restore(kept, now_s, wall)
        return intake

    def kept(self) -> KeptSource | None:
        """What must outlive a restart; None while the source was never heard."""
        if self._received is None:
            return None
        message = None if self._accepted is None else self._accepted.decode("utf-8")
        return KeptSource(self._origin, message, self._received, tuple(self._superseded))

    def is_fresh(self, now_s: float, wall: datetime) -> bool:
        """Whether the source renews its setpoint as it must; always true of one whose setpoints have no validity."""
        if self._validity_s is None:
            return True
        return self.setpoint is not None and self.setpoint.is_valid(now_s, wall.timestamp())

    def take(self, arrivals: Sequence[Arrival]) -> Outcome:
        """Take a batch, oldest first. Only the newest valid message counts; those before it are superseded.

        A message that the broker hands over again is neither a new setpoint (its validity goes on running), nor a new
        refusal, nor does it come back once it was superseded. One that is refused for nothing but its time, which may
        be the fault of a wrong clock, may count later: see `reconsider`.
        """
        late: list[bytes] = []
        outcome = self._take(arrivals, late)
        self._remember_late(reversed(late))
        return outcome

    def _take(self, arrivals: Sequence[Arrival], late: list[bytes]) -> Outcome:
        """Put those that are refused for their time alone into `late`, newest first."""
        reasons: list[str] = []
        passed, self._passed = self._passed, None
        for position, arrival in reversed(list(enumerate(arrivals))):
            if arrival.redelivered and self._is_known(arrival.payload):
                continue
            if not arrival.payload:
                self._supersede(each.payload for each in arrivals[:position])
                return self._withdraw(arrival, reasons)
            try:
                setpoint = self._parse(arrival)
            except HasPassedError as error:
                if not (arrival.redelivered and _digest(arrival.payload) in self._late):
                    reasons.append(str(error))
                    self._passed = self._passed or arrival
                    late.append(arrival.payload)
                continue
            except PayloadError as error:
                self._refused = arrival.payload if not reasons else self._refused
                reasons.append(str(error))
                continue
            self._supersede(each.payload for each in arrivals[:position])
            return self._accept(setpoint, arrival, reasons)
        self._passed = self._passed or passed
        return Outcome(reasons=tuple(reasons))

    def reconsider(self, now_s: float, wall: datetime) -> Outcome:
        """Take the newest message that was refused for its time alone, where the clock of now says that it was in time.

        `now_s` (monotonic) and `wall` are the same moment: by them it is known when the message really came.
        """
        if self._passed is None:
            return Outcome()
        arrival = replace(self._passed, wall=wall - timedelta(seconds=now_s - self._passed.at_s))
        return self.take([arrival]) if self.is_sound(arrival) else Outcome()

    def is_sound(self, arrival: Arrival) -> bool:
        """Whether this message would count: a setpoint, or the word that there is none any more. Remembers nothing."""
        if arrival.redelivered and self._is_known(arrival.payload):
            return False
        try:
            return not arrival.payload or self._parse(arrival) is not None
        except PayloadError:
            return False

    def _is_known(self, payload: bytes) -> bool:
        return payload in (self._accepted, self._refused) or _digest(payload) in self._superseded

    def _parse(self, arrival: Arrival) -> Setpoint:
        return self._language.read(
            arrival.payload,
            source=self.source,
            received_at_s=arrival.at_s,
            wall_now=arrival.wall,
            validity_s=self._validity_s,
        )

    def _withdraw(self, arrival: Arrival, reasons: Iterable[str]) -> Outcome:
        self._supersede_all_before()
        self.setpoint = self._accepted = None
        self._received = arrival.wall
        return Outcome(withdrawn=True, reasons=tuple(reasons))

    def _accept(self, setpoint: Setpoint, arrival: Arrival, reasons: Iterable[str]) -> Outcome:
        self._supersede_all_before()
        self._superseded.pop(_digest(arrival.payload), None)
        former, self.setpoint, self._accepted = self.setpoint, setpoint, arrival.payload
        self._received = arrival.wall
        is_news = former is None or _meaning(former) != _meaning(setpoint)
        return Outcome(setpoint=setpoint if is_news else None, reasons=tuple(reasons))

    def _remember_late(self, payloads: Iterable[bytes]) -> None:
        """Refused for their time: superseded once another message counts, whatever a clock says of them later."""
        self._late |= dict.fromkeys(_digest(payload) for payload in payloads)
        while len(self._late) > SUPERSEDED_KEPT:
            del self._late[next(iter(self._late))]

    def _supersede_all_before(self) -> None:
        late, self._late = self._late, {}
        self._supersede_digests([*late, *([] if self._accepted is None else [_digest(self._accepted)])])

    def _supersede(self, payloads: Iterable[bytes]) -> None:
        self._supersede_digests(_digest(payload) for payload in payloads)

    def _supersede_digests(self, digests: Iterable[str]) -> None:
        if self._language.repeats:
            return
        for digest in digests:
            self._superseded.pop(digest, None)  # the newest stands last
            self._superseded[digest] = None
        while len(self._superseded) > SUPERSEDED_KEPT:
            del self._superseded[next(iter(self._superseded))]

    def _restore(self, kept: KeptSource, now_s: float, wall: datetime) -> None:
        self._received = min(kept.received, wall)
        self._superseded = dict.fromkeys(kept.superseded)
        if kept.message is None:
            return
        self._accepted = kept.message.encode()
        age_s = max((wall - kept.received).total_seconds(), 0.0)
        try:
            self.setpoint = self._language.read(
                self._accepted,
                source=self.source,
                received_at_s=now_s - age_s,
                wall_now=kept.received.astimezone(UTC),
                validity_s=self._validity_s,
            )
        except PayloadError:  # what was a setpoint for the program that kept it
            self._accepted = None


def _digest(payload: bytes) -> str:
    return sha256(payload).hexdigest()


def _meaning(setpoint: Setpoint) -> tuple[object, ...]:
    """What must differ for a setpoint to be news to the site: what it asks for, and until when."""
    return setpoint.fields, setpoint.plan, setpoint.expires_at_s, setpoint.until_wall_s, setpoint.valid_until
