"""What the API answers, as records. Those of a cycle are in `telemetry.records`; the description is made of both."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field

from orchestrator.setpoints.fields import ROWS
from orchestrator.telemetry.records import (
    EventRecord,
    LimitsRecord,
    ReasonRecord,
    SiteRecord,
    type_of,
)

REFERENCE: Final = "#/components/schemas/"
"""Where the description has the records."""


def _either(*records: str) -> Meta:
    """One of several records: they are told apart by their fields, which msgspec does not do."""
    return Meta(extra_json_schema={"anyOf": [{"$ref": REFERENCE + each} for each in records]})


AnyInverter = Annotated[Any, _either("InverterRecord", "AwayRecord")]
AnyHistory = Annotated[Any, _either("SiteHistory", "InverterHistory")]


class SourceRecord(Struct, frozen=True):
    """A source of setpoints, and whether it renews its setpoint as it must."""

    name: str
    fresh: bool


class MissingRecord(Struct, frozen=True):
    """A device that has not been heard: `what` is "meter" or an inverter. `why` is the trouble with its facts."""

    what: str
    trouble: str
    why: ReasonRecord


class SetupRecord(Struct, frozen=True):
    """What keeps the site from being whole."""

    missing: list[MissingRecord]


class WhyRecord(Struct, frozen=True):
    """The reasons of the site, and of each inverter that is commanded, with their facts: for words in any language."""

    site: list[ReasonRecord]
    inverters: dict[str, list[ReasonRecord]]


ManualRecord: Final = defstruct(
    "ManualRecord",
    [
        ("valid_until", str | None),
        *((row.name, type_of(row.value) | UnsetType, UNSET) for row in ROWS),
    ],
    frozen=True,
    namespace={"__doc__": "The setpoint that people have set by hand, and until when it holds."},
    module=__name__,
)


class SiteView(Struct, frozen=True, kw_only=True):
    """The whole site at a moment. `site` is null before the first decision.

    `control`: "running", "paused" (batteries are left to themselves until `control_until`) or "released" (nothing is
    commanded until it is resumed). `may_change`: whether who asks may change something; if not, `read_only_why` is
    "no_token_configured" or "not_signed_in".
    """

    name: str
    timezone: str
    version: str
    time: str
    interval_s: float
    language: str
    site: SiteRecord | None
    inverters: dict[str, AnyInverter]
    why: WhyRecord
    limits: LimitsRecord  # type: ignore[valid-type] # made from the rows of the setpoint fields
    manual: ManualRecord | None  # type: ignore[valid-type] # the same
    sources: list[SourceRecord]
    shadow: bool
    control: str
    control_until: str | None
    may_change: bool
    read_only_why: str | None
    events: list[EventRecord]
    setup: SetupRecord


class SiteHistory(Struct, frozen=True):
    """Means over `step_s` seconds each, as columns. `time` is in seconds since 1970; null: nothing is known."""

    step_s: int
    time: list[int]
    site_watts: list[float | None]
    load_watts: list[float | None]
    pv_watts: list[float | None]
    battery_watts: list[float | None]
    battery_soc_percent: list[float | None]
    export_limit_watts: list[float | None]


class InverterHistory(Struct, frozen=True):
    """The same of one inverter."""

    step_s: int
    time: list[int]
    ac_watts: list[float | None]
    pv_watts: list[float | None]
    battery_watts: list[float | None]
    battery_soc_percent: list[float | None]
    ac_limit_watts: list[float | None]


class ExcessRecord(Struct, frozen=True, kw_only=True):
    """One excess over a limit. `peak_watts` is the most above it, `energy_wh` what flowed above it.

    `why` are the reasons with their facts; empty where the ledger was written before it kept them.
    """

    began: str
    ended: str
    limit: str
    limit_watts: float
    source: str
    seconds: float
    peak_watts: float
    energy_wh: float
    outcome: str
    away: list[str]
    reasons: list[str]
    why: list[ReasonRecord]


class Done(Struct, frozen=True):
    """A change was taken. `control` is what the plant does from now on, until `until` (null: no end)."""

    control: str
    until: str | None = None


class SetpointTaken(Struct, frozen=True):
    """The manual setpoint holds until `valid_until`. `limits` are its fields."""

    valid_until: str
    limits: dict[str, Any]


class Reloaded(Struct, frozen=True):
    """What a reload has changed, one line each; null where the server itself is started anew by it.

    `why` has the lines as codes with their facts.
    """

    changes: list[str] | None
    why: list[ReasonRecord] | UnsetType = UNSET


class Session(Struct, frozen=True):
    """A bearer token for changes, and when it ends."""

    token: str
    expires: str


class Problem(Struct, frozen=True):
    """Why a request is refused, in plain words; `field` is the one that is wrong.

    `why` has the same as a code with its facts; it is left out for what only words say, such as a mistake in site.yaml.
    """

    error: str
    field: str | UnsetType = UNSET
    why: ReasonRecord | UnsetType = UNSET


class ForTime(Struct, frozen=True):
    """For how many seconds."""

    for_s: float


class Password(Struct, frozen=True):
    """What `page.change_password` says."""

    password: str


SetpointAsked: Final = defstruct(
    "SetpointAsked",
    [
        ("valid_until", str | UnsetType, UNSET),
        ("for_s", float | UnsetType, UNSET),
        *((row.name, type_of(row.value) | UnsetType, field(default=UNSET)) for row in ROWS),
    ],
    frozen=True,
    namespace={"__doc__": "A setpoint by hand: fields by their names in site.yaml, and its end in one of two ways."},
    module=__name__,
)
