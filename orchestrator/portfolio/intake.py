"""The commands of the portfolio as a site takes them: from bytes to the setpoint that holds, and the answers.

The law: what holds is the command with the highest sequence number that was valid when it came. A number that is not
higher never changes what holds: the same bytes are answered again, anything else is refused. Nothing that a broker kept
counts. So no command comes back, whoever repeats it, however late, over a restart too (`KeptSource`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from orchestrator.config.audience import PORTFOLIO, PortfolioConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import PayloadError
from orchestrator.portfolio.answers import Answer, Clip, clips
from orchestrator.portfolio.commands import SiteCommand, check_time, read_command, sequence_in
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival, KeptSource
from orchestrator.setpoints.merge import Setpoint

ANSWERED_AT_ONCE: int = 20
"""So many refusals of one batch are answered: a storm of old commands is not answered by another one."""


class Taken(Struct, frozen=True):
    """What a batch of messages means: a new setpoint, or None, and what is answered at once."""

    setpoint: Setpoint | None = None
    answers: tuple[Answer, ...] = ()

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why commands were refused."""
        return tuple(each.reason for each in self.answers if each.reason is not None)


class CommandIntake:
    """The memory of one site for the commands of its portfolio."""

    def __init__(self, config: PortfolioConfig, origin: str) -> None:
        self._config = config
        self._origin = origin
        self.setpoint: Setpoint | None = None
        self._newest: SiteCommand | None = None
        self._bytes = b""
        self._received: datetime | None = None
        self._pending = False
        self._told_at_s = float("-inf")
        self._answer: Answer | None = None

    @classmethod
    def restored(
        cls, config: PortfolioConfig, origin: str, kept: KeptSource | None, *, now_s: float, wall: datetime
    ) -> CommandIntake:
        """The memory as it was before a restart. A validity goes on from when the command came.

        Where the clock says that it came later than now, it counts from now.
        """
        intake = cls(config, origin)
        if kept is None or kept.origin != origin or kept.message is None:
            return intake
        received = min(kept.received, wall)
        arrival = Arrival(kept.message.encode(), False, now_s - (wall - received).total_seconds(), received)
        try:
            intake._accept(read_command(arrival), arrival)
        except PayloadError:  # what was a command for the program that kept it
            return cls(config, origin)
        intake._pending = False
        return intake

    @property
    def newest(self) -> int | None:
        """The sequence number of the newest command that counted."""
        return None if self._newest is None else self._newest.sequence

    def kept(self) -> KeptSource | None:
        """What must outlive a restart; None before the first command."""
        if self._received is None:
            return None
        return KeptSource(self._origin, self._bytes.decode(), self._received)

    def is_fresh(self, now_s: float, wall: datetime) -> bool:
        """Whether the portfolio is heard: a command of it holds."""
        return self.setpoint is not None and self.setpoint.is_valid(now_s, wall.timestamp())

    def take(self, arrivals: Sequence[Arrival]) -> Taken:
        """Take a batch in the order in which it came."""
        setpoint, answers = None, list[Answer]()
        for arrival in arrivals:
            try:
                setpoint = self._take(arrival, answers) or setpoint
            except PayloadError as error:
                answers.append(self._refusal(arrival, str(error)))
        return Taken(setpoint, tuple(answers[-ANSWERED_AT_ONCE:]))

    def answer(self, result: CycleResult, time: str) -> Answer | None:
        """The answer to the newest command, once a decision has it in it; None where there is nothing to answer."""
        if not self._pending or self._newest is None or result.snapshot.at_s < self._told_at_s:
            return None
        found = clips(self._fields(self._newest), self._not_allowed(self._newest), result)
        if found is None or result.mode == "waiting":
            return None
        self._pending = False
        kind = "clipped" if found else "accepted"
        self._answer = Answer(time, kind, self._newest.sequence, self._newest.sequence, found)  # type: ignore[arg-type]
        return self._answer

    def _take(self, arrival: Arrival, answers: list[Answer]) -> Setpoint | None:
        """The setpoint of a command that counts. Raises PayloadError where it does not."""
        if arrival.redelivered:
            raise PayloadError("a broker kept it: commands are sent again by who sent them, and never retained")
        command = read_command(arrival)
        newest = self.newest
        if newest is not None and command.sequence <= newest:
            if arrival.payload != self._bytes:
                raise PayloadError(f"old: sequence {command.sequence} is not above {newest}, which counts already")
            answers += [] if self._pending or self._answer is None else [self._answer]
            return None
        check_time(command, arrival.wall)
        return self._accept(command, arrival)

    def _accept(self, command: SiteCommand, arrival: Arrival) -> Setpoint:
        self._newest, self._bytes, self._received = command, arrival.payload, arrival.wall
        self._pending, self._answer, self._told_at_s = True, None, arrival.at_s
        self.setpoint = Setpoint(
            PORTFOLIO,
            self._fields(command),
            arrival.at_s,
            arrival.at_s + command.valid_for_s,
            rfc3339(command.valid_until),
            until_wall_s=command.valid_until.timestamp(),
        )
        return self.setpoint

    def _fields(self, command: SiteCommand) -> SetpointFields:
        return command.fields(may_charge_from_grid=self._config.grid_charging)

    def _not_allowed(self, command: SiteCommand) -> tuple[Clip, ...]:
        if not command.battery_grid_charging or self._config.grid_charging:
            return ()
        return (Clip("battery_grid_charging_enabled", True, None, "publish.mqtt.portfolio.grid_charging"),)

    def _refusal(self, arrival: Arrival, reason: str) -> Answer:
        return Answer(rfc3339(arrival.wall), "refused", sequence_in(arrival.payload), self.newest, reason=reason)
