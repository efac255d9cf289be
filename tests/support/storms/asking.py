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
from orchestrator.setpoints.intake import Arrival, Intake, KeptSource, Outcome
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
        """Whether it does where a clock shows that it is `now_s`."""
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
    clock_wrong_s: float = 0.0
    """How far the wall clock of the orchestrator is ahead of that of the operator."""
    runs: bool = True
    sent: int = 0
    retained: Message | None = None
    newest: Message | None = None
    """What the operator asked for last, whether or not anybody could hear it."""
    sure: Message | None = None
    """What the orchestrator can know at best."""
    too_late: Message | None = None
    """The newest that had ended when it came, by the clock of the orchestrator: another clock may find that it came in
    time, and then it counts, be it ended by now."""
    came_s: float = 0.0

    def __post_init__(self) -> None:
        self._kept = Kept()
        self.plant.wall_ahead_s = BEGAN.timestamp()
        self.start()

    @property
    def takes_for_export_positive(self) -> bool:
        """Whether the orchestrator takes it for granted that the meter counts export as positive."""
        return self._kept.sign is not None and self._kept.sign.export_positive

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
            self._take(message)

    def set_clock(self, wrong_s: float) -> None:
        """The wall clock of the orchestrator jumps, to be ahead by `wrong_s`."""
        self.clock_wrong_s = wrong_s
        self.plant.wall_ahead_s = BEGAN.timestamp() + wrong_s
        if self.runs:
            now_s = self.plant.now_s
            self._tell(self._intake.reconsider(now_s, self._clock()))
            if self.too_late is not None and self.too_late.holds(self.came_s + wrong_s):
                self._know(self.too_late)

    def publish_bytes(self, payload: bytes) -> None:
        """Something that is no setpoint, to be refused."""
        if self.runs and self.broker_is_up:
            self._hear(payload, redelivered=False)

    def publish_expired(self) -> None:
        """A setpoint that lifts all limits, and that has ended 10 s ago. It is nothing that the operator asks for."""
        self.sent += 1
        ends_s = self.plant.now_s - 10.0
        payload = _bytes(0, SetpointFields(), ends_s)
        if self.runs and self.broker_is_up:
            self._hear(payload, redelivered=False)
            self._take(Message(self.sent, payload, SetpointFields(), ends_s))

    def connect(self) -> None:
        """The broker hands over what it keeps."""
        if self.runs and self.broker_is_up and self.retained is not None:
            message = self.retained
            self._hear(message.payload, redelivered=True)
            if self.sure is None or message.number > self.sure.number:
                self._take(message)

    def end(self) -> None:
        """The orchestrator is gone."""
        if self.runs and not self.disk.full:
            self.disk.sign = self._kept.sign
        self.runs = False

    def start(self) -> None:
        """The orchestrator starts with what the disk has kept, and connects to the broker if there is one."""
        now_s = self.plant.now_s
        kept, self.sure, self.too_late, self.runs = self.disk.source, self.disk.message, None, True
        self._intake = Intake.restored(SOURCE, None, ORIGIN, kept, now_s=now_s, wall=self._clock())
        known = self._intake.setpoint
        self._kept = Kept({SOURCE: known} if known else {}, {SOURCE} if kept else set(), self.disk.sign)
        self.plant.start(self._kept)
        self.connect()

    def _take(self, message: Message) -> None:
        """It has come: it counts unless it has ended, by the clock of the orchestrator."""
        if message.fields is None or message.holds(self.plant.now_s + self.clock_wrong_s):
            self._know(message)
        elif self.too_late is None or message.number > self.too_late.number:
            self.too_late, self.came_s = message, self.plant.now_s

    def _know(self, message: Message) -> None:
        self.sure, self.too_late = message, None
        self.disk.keep(self._intake.kept(), message)

    def _hear(self, payload: bytes, *, redelivered: bool) -> None:
        now_s = self.plant.now_s
        self._tell(self._intake.take([Arrival(payload, redelivered, now_s, self._clock())]))

    def _tell(self, outcome: Outcome) -> None:
        if outcome.setpoint is not None:
            self.plant.receive(outcome.setpoint)
        if outcome.withdrawn:
            self.plant.withdraw(SOURCE)

    def _clock(self) -> datetime:
        return _wall(self.plant.now_s + self.clock_wrong_s)


def _bytes(number: int, fields: SetpointFields, ends_s: float | None) -> bytes:
    until = {} if ends_s is None else {"validUntil": _wall(ends_s).isoformat()}
    return json.dumps({**to_payload(fields), **until}).encode() + b" " * (number % 1000)


def _wall(now_s: float) -> datetime:
    return BEGAN + timedelta(seconds=now_s)
