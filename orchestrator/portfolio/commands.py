"""A command of the portfolio, from the bytes of `driver: mqtt` to a setpoint of the site.

It is the message that an inverter would get: an AC limit is a generation limit here, a battery window the power of all
batteries together. It asks for nothing else, whatever is in it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from orchestrator.devices.mqtt.messages import FUTURE_MAX_S, only_text, wrong_members
from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import PayloadError
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import read_object

HIGHEST_SEQUENCE: Final = 2**53 - 1
"""The highest number that every reader of JSON keeps whole."""
LONGEST_VALIDITY_S: Final = 3600.0

Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(only_text)]
Power = Annotated[float, Field(ge=-1e9, le=1e9)]
Limit = Annotated[float, Field(ge=0, le=1e9)]


class SiteCommand(BaseModel):
    """One command. `sequence` says which is the newest; its time ends `valid_for_s` after `time`, at `valid_until`."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    sequence: Annotated[int, Field(ge=0, le=HIGHEST_SEQUENCE)]
    time: Moment
    valid_for_s: Annotated[float, Field(gt=0, le=LONGEST_VALIDITY_S)]
    valid_until: Moment
    connect: bool | None = None
    ac_limit_watts: Limit | None = None
    ac_limit_after_watts: Limit | None = None
    battery_mode: Annotated[str, Field(max_length=16)] | None = None
    battery_target_watts: Power | None = None
    battery_low_watts: Power | None = None
    battery_high_watts: Power | None = None
    battery_grid_charging: bool | None = None
    reasons: Annotated[tuple[str, ...], Field(strict=False)] = ()
    reason_codes: Annotated[tuple[str, ...], Field(strict=False)] = ()

    def fields(self, *, may_charge_from_grid: bool) -> SetpointFields:
        """What it asks for. Leave to charge from the grid is given by site.yaml alone; it can be taken away by this."""
        low, high = self.battery_low_watts, self.battery_high_watts
        is_one = low is not None and low == high
        grid = self.battery_grid_charging
        return SetpointFields(
            connect=self.connect,
            generation_limit_watts=self.ac_limit_watts,
            battery_target_watts=low if is_one else None,
            battery_charge_max_watts=None if is_one or high is None else max(high, 0.0),
            battery_discharge_max_watts=None if is_one or low is None else max(-low, 0.0),
            battery_grid_charging_enabled=None if grid and not may_charge_from_grid else grid,
        )


def read_command(arrival: Arrival) -> SiteCommand:
    """The command in a message. Raises PayloadError where it is none.

    Nothing is said here of its time: see `check_time`.
    """
    try:
        return SiteCommand.model_validate(read_object(arrival.payload))
    except ValidationError as error:
        raise PayloadError(wrong_members(error)) from None


def check_time(command: SiteCommand, wall: datetime) -> None:
    """Raises PayloadError where it came too late, or from a clock that is ahead."""
    if command.valid_until <= wall:
        raise PayloadError(
            f"too late: valid_until {rfc3339(command.valid_until)} has passed; here it is {rfc3339(wall)}"
        )
    ahead_s = (command.time - wall).total_seconds()
    if ahead_s > FUTURE_MAX_S:
        raise PayloadError(because("time_ahead", seconds=ahead_s, now=rfc3339(wall)))


def sequence_in(payload: bytes) -> int | None:
    """The sequence number in a message that may be no command, for the answer to it."""
    try:
        sequence = read_object(payload).get("sequence")
    except PayloadError:
        return None
    if isinstance(sequence, bool) or not isinstance(sequence, int):
        return None
    return sequence if 0 <= sequence <= HIGHEST_SEQUENCE else None
