"""The messages of one MQTT source, from bytes to the setpoint that holds: the newest valid one wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import PayloadError
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.payload import parse_setpoint


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


class Intake:
    """The memory of one source: what it asks for, and which bytes that came from."""

    def __init__(self, source: str, validity_s: float | None) -> None:
        self.source = source
        self.setpoint: Setpoint | None = None
        self._validity_s = validity_s
        self._accepted: bytes | None = None
        self._refused: bytes | None = None

    def is_fresh(self, now_s: float) -> bool:
        """Whether the source renews its setpoint as it must; always true of one whose setpoints have no validity."""
        return self._validity_s is None or (self.setpoint is not None and self.setpoint.is_valid(now_s))

    def take(self, arrivals: Sequence[Arrival]) -> Outcome:
        """Take a batch, oldest first. Only the newest valid message counts; those before it are superseded.

        A broker hands its retained message over again at every reconnect: as long as the bytes are the same, that is
        neither a new setpoint (its validity goes on running) nor a new refusal.
        """
        reasons: list[str] = []
        for arrival in reversed(arrivals):
            if arrival.redelivered and arrival.payload in (self._accepted, self._refused):
                continue
            if not arrival.payload:
                return self._withdraw(reasons)
            try:
                setpoint = self._parse(arrival)
            except PayloadError as error:
                self._refused = arrival.payload if not reasons else self._refused
                reasons.append(str(error))
                continue
            return self._accept(setpoint, arrival.payload, reasons)
        return Outcome(reasons=tuple(reasons))

    def is_sound(self, arrival: Arrival) -> bool:
        """Whether this message would count: a setpoint, or the word that there is none any more. Remembers nothing."""
        try:
            return not arrival.payload or self._parse(arrival) is not None
        except PayloadError:
            return False

    def _parse(self, arrival: Arrival) -> Setpoint:
        return parse_setpoint(
            arrival.payload,
            source=self.source,
            received_at_s=arrival.at_s,
            wall_now=arrival.wall,
            validity_s=self._validity_s,
        )

    def _withdraw(self, reasons: Iterable[str]) -> Outcome:
        self.setpoint = self._accepted = None
        return Outcome(withdrawn=True, reasons=tuple(reasons))

    def _accept(self, setpoint: Setpoint, payload: bytes, reasons: Iterable[str]) -> Outcome:
        former, self.setpoint, self._accepted = self.setpoint, setpoint, payload
        is_news = former is None or _meaning(former) != _meaning(setpoint)
        return Outcome(setpoint=setpoint if is_news else None, reasons=tuple(reasons))


def _meaning(setpoint: Setpoint) -> tuple[object, ...]:
    """What must differ for a setpoint to be news to the site: what it asks for, and until when."""
    return setpoint.fields, setpoint.expires_at_s, setpoint.valid_until
