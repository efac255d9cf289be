"""What is asked of a plant in a storm: an operator, a broker that keeps one message, and a disk that may be full.

The broker and the disk hold what they were given, and nothing else. `sure` says what the orchestrator can know at best,
found without the code that is tested: by the numbers of the messages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestrator.loop.kept import Kept
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival, Intake, KeptSource
from orchestrator.setpoints.payload import to_payload
from orchestrator.simulation.scenarios.timeline import SOURCE
from orchestrator.simulation.virtual_time import VirtualTime

BEGAN = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
"""The wall clock when virtual time is 0."""
ORIGIN = "broker topic"


@dataclass(frozen=True)
class Message:
    """The `number`-th message of the operator. `fields` None takes the setpoint back; it ends at `ends_s`."""

    number: int
    payload: bytes
    fields: SetpointFields | None
    ends_s: float | None

    def holds(self, now_s: float) -> bool:
        return self.fields is not None and (self.ends_s is None or now_s < self.ends_s)


@dataclass
class Disk:
    """What outlives the process; a `full` one keeps what it has."""

    full: bool = False
    source: KeptSource | None = None
    sign: MeterSign | None = None
    message: Message | None = None

    def keep(self, source: KeptSource | None, message: Message | None) -> None:
        if not self.full:
            self.source, self.message = source, message

    def wipe(self) -> None:
        self.source = self.sign = self.message = None


@dataclass
class Asking:
    """The way of a setpoint from the operator to the loop of `plant`."""

    plant: VirtualTime
    disk: Disk = field(default_factory=Disk)
    broker_is_up: bool = True
    runs: bool = True
    sent: int = 0
    retained: Message | None = None
    newest: Message | None = None
    """What the operator asked for last, whether or not anybody could hear it."""
    sure: Message | None = None
    """What the orchestrator can know at best."""

    def __post_init__(self) -> None:
        self._kept = Kept()
        self.plant.wall_ahead_s = BEGAN.timestamp()
        self.start()

    def publish(self, fields: SetpointFields | None, *, retained: bool, validity_s: float | None) -> None:
        """The operator asks, once there is a broker. What holds until then is what was asked before."""
        if not self.broker_is_up:
            return
        self.sent += 1
        now_s = self.plant.now_s
        ends_s = None if validity_s is None else now_s + validity_s
        payload = b"" if fields is None else _bytes(self.sent, fields, ends_s)
        message = Message(self.sent, payload, fields, ends_s)
        self.newest = message
        if fields is None:
            self.retained = None
        elif retained:
            self.retained = message
        if self.runs:
            self._hear(payload, redelivered=False)
            self._know(message)

    def publish_bytes(self, payload: bytes) -> None:
        """Something that is no setpoint, to be refused."""
        if self.runs and self.broker_is_up:
            self._hear(payload, redelivered=False)

    def publish_expired(self) -> None:
        """A setpoint that lifts all limits, and that has ended 10 s ago."""
        self.publish_bytes(_bytes(0, SetpointFields(), self.plant.now_s - 10.0))

    def connect(self) -> None:
        """The broker hands over what it keeps."""
        if self.runs and self.broker_is_up and self.retained is not None:
            message = self.retained
            self._hear(message.payload, redelivered=True)
            is_newer = self.sure is None or message.number > self.sure.number
            if is_newer and message.holds(self.plant.now_s):
                self._know(message)

    def end(self) -> None:
        """The orchestrator is gone."""
        if self.runs and not self.disk.full:
            self.disk.sign = self._kept.sign
        self.runs = False

    def start(self) -> None:
        """The orchestrator starts with what the disk has kept, and connects to the broker if there is one."""
        now_s = self.plant.now_s
        kept, self.sure, self.runs = self.disk.source, self.disk.message, True
        self._intake = Intake.restored(SOURCE, None, ORIGIN, kept, now_s=now_s, wall=_wall(now_s))
        known = self._intake.setpoint
        self._kept = Kept({SOURCE: known} if known else {}, {SOURCE} if kept else set(), self.disk.sign)
        self.plant.start(self._kept)
        self.connect()

    def _know(self, message: Message) -> None:
        self.sure = message
        self.disk.keep(self._intake.kept(), message)

    def _hear(self, payload: bytes, *, redelivered: bool) -> None:
        now_s = self.plant.now_s
        outcome = self._intake.take([Arrival(payload, redelivered, now_s, _wall(now_s))])
        if outcome.setpoint is not None:
            self.plant.receive(outcome.setpoint)
        if outcome.withdrawn:
            self.plant.withdraw(SOURCE)


def _bytes(number: int, fields: SetpointFields, ends_s: float | None) -> bytes:
    until = {} if ends_s is None else {"validUntil": _wall(ends_s).isoformat()}
    return json.dumps({**to_payload(fields), **until}).encode() + b" " * (number % 1000)


def _wall(now_s: float) -> datetime:
    return BEGAN + timedelta(seconds=now_s)
