"""The messages of `driver: mqtt`: the state of a meter or an inverter in, commands out.

A message that is not exactly a state is refused as a whole, with a reason that names the field. Signs as everywhere:
site import +, AC into the site +, battery charging +.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from orchestrator.commands import InverterCommand
from orchestrator.documents.json_values import Payload, rfc3339, rounded
from orchestrator.errors import PayloadError
from orchestrator.reason import Reason, because
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate, SiteBounds, known_volts
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import MAX_PROBLEMS_NAMED, read_object

FUTURE_MAX_S: Final = 5.0
"""A `time` that is further ahead than this is a clock that is wrong."""

Power = Annotated[float, Field(ge=-1e8, le=1e8)]
Magnitude = Annotated[float, Field(ge=0, le=1e8)]
Energy = Annotated[float, Field(ge=0, le=1e15)]
Share = Annotated[float, Field(ge=0, le=100)]
Volts = Annotated[float, Field(ge=0, le=1e6)]
Label = Annotated[str, Field(max_length=64)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def only_text(value: object) -> object:
    """A number would be taken for seconds or milliseconds, as its size goes."""
    if isinstance(value, str):
        return value
    raise ValueError('must be text such as "2030-01-31T12:00:00Z"')


class _State(_Message):
    time: Annotated[AwareDatetime, Field(strict=False), BeforeValidator(only_text)] | None = None


class MeterState(_State):
    """What a meter says. `site_watts` is the power at the grid connection."""

    site_watts: Power
    frequency_hz: Annotated[float, Field(ge=0, le=1000)] | None = None
    site_vars: Power | None = None
    phase_watts: Annotated[tuple[Power, ...], Field(strict=False, max_length=3)] = ()
    phase_volts: Annotated[tuple[Volts | None, ...], Field(strict=False, max_length=3)] = ()
    import_wh: Energy | None = None
    export_wh: Energy | None = None


class BatteryState(_Message):
    """What an inverter says about its battery."""

    watts: Power | None = None
    soc_percent: Share | None = None
    charge_max_watts: Magnitude | None = None
    discharge_max_watts: Magnitude | None = None
    capacity_wh: Energy | None = None
    grid_charging_allowed: bool | None = None


class InverterState(_State):
    """What an inverter says. Without `battery` it has none. A site that speaks as one says what its meter shows."""

    ac_watts: Power
    ac_vars: Power | None = None
    pv_watts: Magnitude | None = None
    ac_limit_watts: Magnitude | None = None
    connected: bool | None = None
    battery: BatteryState | None = None
    has_pv: bool = True
    ac_limit_controllable: bool = True
    battery_controllable: bool = True
    disconnectable: bool = True
    ac_max_watts: Annotated[float, Field(gt=0, le=1e8)] | None = None
    site_watts: Power | None = None
    export_limit_watts: Magnitude | None = None
    import_limit_watts: Magnitude | None = None
    export_limit_after_watts: Magnitude | None = None
    import_limit_after_watts: Magnitude | None = None
    headroom_up_watts: Magnitude | None = None
    headroom_down_watts: Magnitude | None = None
    response_s: Annotated[float, Field(ge=0, le=1e6)] | None = None
    mode: Label = ""
    manufacturer: Label = ""
    model: Label = ""
    version: Label = ""
    serial: Label = ""


StateT = TypeVar("StateT", bound=_State)


def read_meter(arrival: Arrival) -> MeterSample:
    """The sample in a message, in the meter's own sign, stamped with when it was measured. Raises PayloadError."""
    state, at_s = _read(MeterState, arrival)
    return MeterSample(
        at_s=at_s,
        site_watts=state.site_watts,
        changed_at_s=at_s,
        frequency_hz=state.frequency_hz,
        site_vars=state.site_vars,
        phase_watts=state.phase_watts,
        phase_volts=known_volts(state.phase_volts),
        import_wh=state.import_wh,
        export_wh=state.export_wh,
    )


def read_inverter(arrival: Arrival, name: str) -> InverterSample:
    """The sample in a message, stamped with when it was measured. Raises PayloadError."""
    return _inverter(*_read(InverterState, arrival), name)


def _inverter(state: InverterState, at_s: float, name: str) -> InverterSample:
    battery = None if state.battery is None else BatterySample(**state.battery.model_dump(), takes_window=False)
    texts = state.model_dump(include={"manufacturer", "model", "version", "serial", "ac_max_watts"})
    return InverterSample(
        name=name,
        at_s=at_s,
        ac_watts=state.ac_watts,
        ac_vars=state.ac_vars,
        pv_watts=state.pv_watts,
        battery=battery,
        nameplate=Nameplate(**texts),
        connected=state.connected,
        ac_limit_watts=state.ac_limit_watts,
        ac_limit_controllable=state.ac_limit_controllable,
        battery_controllable=battery is not None and state.battery_controllable,
        disconnectable=state.disconnectable,
        has_pv=state.has_pv,
    )


class SiteSample(Struct, frozen=True):
    """What a site says of itself: as an inverter, and what its meter shows (import +; None: it is silent).

    `at_s` is when it was measured, `mode` that of the site.
    """

    at_s: float
    inverter: InverterSample
    site_watts: float | None
    mode: str = ""
    response_s: float | None = None


def read_site(arrival: Arrival, name: str) -> SiteSample:
    """The sample in a message of a site. Raises PayloadError."""
    state, at_s = _read(InverterState, arrival)
    inverter = _inverter(state, at_s, name)
    if state.site_watts is not None:
        limits = {field: getattr(state, field) for field in SiteBounds.__struct_fields__}
        inverter = replace(inverter, site=SiteBounds(**limits))
    return SiteSample(at_s, inverter, state.site_watts, state.mode, state.response_s)


def write_command(command: InverterCommand, wall_now: datetime, why: Mapping[str, Any]) -> dict[str, Any]:
    """The message that tells an inverter what to do until `valid_until`, and which AC limit stays after it.

    `why` are the reasons as they are published (see `telemetry.payloads`).
    """
    return {
        "time": rfc3339(wall_now),
        "valid_until": rfc3339(wall_now + timedelta(seconds=command.valid_for_s)),
        **meaning(command),
        **why,
    }


def meaning(command: InverterCommand) -> dict[str, Any]:
    """What of a message must differ for a command to be another one than the one before."""
    after_watts = command.ac_limit_after_watts if command.ac_limit_reverts else command.ac_limit_watts
    return {
        "valid_for_s": command.valid_for_s,
        **command_payload(command),
        "ac_limit_after_watts": rounded(after_watts),
    }


def _read(kind: type[StateT], arrival: Arrival) -> tuple[StateT, float]:
    """The state, and when it was measured (monotonic)."""
    try:
        state = kind.model_validate(read_object(arrival.payload))
    except ValidationError as error:
        raise PayloadError(wrong_members(error)) from None
    return state, arrival.at_s - _age_s(state.time, arrival)


def _age_s(time: datetime | None, arrival: Arrival) -> float:
    """How old a message was when it came. One that the broker kept may be of any age, unless it says its time."""
    if time is None:
        if arrival.redelivered:
            raise PayloadError(because("retained_without_time"))
        return 0.0
    age_s = (arrival.wall - time).total_seconds()
    if age_s < -FUTURE_MAX_S:
        raise PayloadError(because("time_ahead", seconds=-age_s, now=rfc3339(arrival.wall)))
    return max(age_s, 0.0)


def wrong_members(error: ValidationError) -> Reason:
    """What is wrong, by field; the values are not repeated."""
    details = error.errors(include_url=False, include_input=False, include_context=False)[:MAX_PROBLEMS_NAMED]
    wrong = tuple(
        because("member_wrong", name=".".join(map(str, each["loc"])), what=_wrong(each["type"], each["msg"]))
        for each in details
    )
    return because("several_wrong", what=wrong)


def _wrong(kind: str, message: str) -> Reason | str:
    if kind == "extra_forbidden":
        return because("member_unknown")
    return because("member_missing") if kind == "missing" else message[:1].lower() + message[1:]


def command_payload(command: InverterCommand) -> Payload:
    """What is asked of one inverter; a null limit is no limit, a null side of the window is left to the device."""
    battery = command.battery
    return {
        "connect": command.connect,
        "ac_limit_watts": rounded(command.ac_limit_watts),
        "battery_mode": battery.mode.value if battery else None,
        "battery_target_watts": rounded(battery.watts) if battery else None,
        "battery_low_watts": rounded(battery.low_watts) if battery else None,
        "battery_high_watts": rounded(battery.high_watts) if battery else None,
        "battery_grid_charging": battery.grid_charging if battery else None,
    }
