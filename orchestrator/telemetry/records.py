"""What is told of a cycle, as records: MQTT messages and the answers of the API are made of these.

Keys are snake case with their units, signs as everywhere: import and charging are positive. None is unknown. `time` is
RFC 3339.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from orchestrator.setpoints.fields import ROWS
from orchestrator.setpoints.values import Choice, Number, Switch, Value, Whole

Watts = Annotated[float, Meta(description="W")]


class ReasonRecord(Struct, frozen=True):
    """One reason: its code, and its facts by name. A fact may be a reason itself, or several: what it is because of."""

    code: str
    values: dict[str, Any]


class EventRecord(Struct, frozen=True):
    """Something people should hear of once. `subject` is an inverter, a source or the site.

    `why` has what `detail` says as a code with facts, for words in another language.
    """

    time: str
    event: str
    subject: str
    detail: str
    why: ReasonRecord | UnsetType = UNSET


class CommandRecord(Struct, frozen=True, kw_only=True):
    """What is asked of one inverter. A null limit is no limit, a null side of the window is left to the device."""

    connect: bool | None
    ac_limit_watts: Watts | None
    battery_mode: str | None
    battery_target_watts: Watts | None
    battery_low_watts: Watts | None
    battery_high_watts: Watts | None
    battery_grid_charging: bool | None
    reasons: list[str]
    reason_codes: list[str]


class InverterRecord(Struct, frozen=True, kw_only=True):
    """One inverter that answers: what it does and could do, and under `command` what is asked of it (null: nothing)."""

    time: str
    online: bool
    manufacturer: str
    model: str
    state: str | None
    connected: bool | None
    ac_watts: Watts | None
    pv_watts: Watts | None
    ac_limit_watts: Watts | None
    controls_age_s: float | None
    battery_watts: Watts | None
    battery_soc_percent: float | None
    battery_state: str | None
    headroom_up_watts: Watts | None
    headroom_down_watts: Watts | None
    response_s: float | None
    faults: list[str]
    command: CommandRecord | None


class AwayRecord(Struct, frozen=True):
    """One inverter that does not answer, and why: in words, and as a code with its facts."""

    time: str
    online: bool
    trouble: str | None
    trouble_why: ReasonRecord | None


class SiteRecord(Struct, frozen=True, kw_only=True):
    """What flows, what is planned, and why."""

    time: str
    mode: str
    site_watts: Watts | None
    load_watts: Watts | None
    ac_watts: Watts | None
    pv_watts: Watts | None
    battery_watts: Watts | None
    battery_mode: str | None
    target_battery_power_watts: Watts | None
    target_export_watts: Watts | None
    target_solar_watts: Watts | None
    headroom_up_watts: Watts | None
    headroom_down_watts: Watts | None
    balanced_charge_watts: Watts | None
    balanced_discharge_watts: Watts | None
    phase_watts: list[float | None]
    phase_volts: list[float | None]
    import_wh: float | None
    export_wh: float | None
    inverters_online: list[str]
    inverters_away: list[str]
    meter_trouble: str | None
    meter_trouble_why: ReasonRecord | None
    reasons: list[str]
    reason_codes: list[str]


class LimitRecord(Struct, frozen=True):
    """One field that somebody asks for: its value, who asked, and until when (null: without an end)."""

    value: float | bool | str | None
    source: str | None
    valid_until: str | None
    is_default: bool | UnsetType = UNSET


def type_of(value: Value) -> Any:
    """The type of a setpoint field, with its range."""
    match value:
        case Switch():
            return bool
        case Number(highest, lowest=lowest):
            return Annotated[float, Meta(ge=lowest, le=highest)]
        case Whole(highest):
            return Annotated[int, Meta(ge=0, le=highest)]
        case Choice(options):
            return options


LimitsRecord: Final = defstruct(
    "LimitsRecord",
    [
        ("time", str),
        *((row.name, Annotated[LimitRecord | UnsetType, Meta(description=row.says)], UNSET) for row in ROWS),
    ],
    frozen=True,
    namespace={"__doc__": "Every field that somebody asks for, by its name in site.yaml."},
    module=__name__,
)
