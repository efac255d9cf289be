"""What each source asks for, and the operating envelope that follows when all of them are merged.

A source is `fixed` or an MQTT entry of site.yaml, or one of the reserved `page` and `manual`.
Limits are magnitudes in W (>= 0, None = not asked, so unlimited); percents are 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # config.py imports this module
    from orchestrator.config.sections import MqttSource, SiteConfig

FIXED: Final = "fixed"
RESERVED_LAST: Final = ("page", "manual")
"""Sources that come after every MQTT entry, in this order; no entry of site.yaml may have these names."""


class PriorityMode(StrEnum):
    """What surplus serves first, after consumption."""

    BATTERY_FIRST = "battery_first"
    EXPORT_FIRST = "export_first"


@dataclass(frozen=True, slots=True)
class SetpointFields:
    """Everything a setpoint can ask for; None is "not asked". Field names are those of site.yaml."""

    connect: bool | None = None
    energize: bool | None = None
    export_limit_watts: float | None = None
    import_limit_watts: float | None = None
    generation_limit_watts: float | None = None
    load_limit_watts: float | None = None
    battery_charge_rate_percent: float | None = None
    battery_discharge_rate_percent: float | None = None
    battery_storage_mode: int | None = None
    battery_target_soc_percent: float | None = None
    battery_soc_min_percent: float | None = None
    battery_soc_max_percent: float | None = None
    battery_charge_max_watts: float | None = None
    battery_discharge_max_watts: float | None = None
    battery_import_target_watts: float | None = None
    battery_export_target_watts: float | None = None
    battery_priority_mode: PriorityMode | None = None
    battery_grid_charging_enabled: bool | None = None
    battery_grid_charging_max_watts: float | None = None

    def asked(self) -> dict[str, object]:
        """The fields that ask for something, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What one source asks for. It holds from `received_at_s` to before `expires_at_s` (monotonic; None: no end).

    `valid_until` is the same end as the wall-clock text that people see (RFC 3339), None where there is none.
    `is_default`: the source itself asks for nothing valid, this is its `default` of site.yaml.
    """

    source: str
    fields: SetpointFields
    received_at_s: float = 0.0
    expires_at_s: float | None = None
    valid_until: str | None = None
    is_default: bool = False

    def is_valid(self, now_s: float) -> bool:
        """Whether it still holds at `now_s` (monotonic seconds)."""
        return self.expires_at_s is None or now_s < self.expires_at_s


@dataclass(frozen=True, slots=True)
class OperatingEnvelope:
    """The merged fields, and for each asked field the setpoint it came from."""

    fields: SetpointFields = field(default_factory=SetpointFields)
    origins: Mapping[str, Setpoint] = field(default_factory=lambda: MappingProxyType({}))

    def source(self, name: str) -> str | None:
        """Which source decided the field `name`, or None where nobody asked."""
        origin = self.origins.get(name)
        return origin.source if origin else None

    def whose(self, name: str) -> str | None:
        """The same for people: `mqtt`, or `default of mqtt` where that source itself asks for nothing."""
        origin = self.origins.get(name)
        return f"default of {origin.source}" if origin and origin.is_default else self.source(name)


# How each field is merged. A further source can only narrow what the others left; only for the wishes of
# LAST_WINS, where nothing is wider than the other, the order of the sources decides.
LOWEST_WINS: Final = frozenset(
    {
        "connect",  # False is below True: who wants it off has it off
        "energize",
        "battery_grid_charging_enabled",
        "export_limit_watts",
        "import_limit_watts",
        "generation_limit_watts",
        "load_limit_watts",
        "battery_charge_rate_percent",
        "battery_discharge_rate_percent",
        "battery_soc_max_percent",
        "battery_charge_max_watts",
        "battery_discharge_max_watts",
        "battery_grid_charging_max_watts",
    }
)
HIGHEST_WINS: Final = frozenset({"battery_soc_min_percent"})
LAST_WINS: Final = frozenset(
    {
        "battery_priority_mode",
        "battery_target_soc_percent",
        "battery_import_target_watts",
        "battery_export_target_watts",
        "battery_storage_mode",
    }
)


def merge(setpoints: Sequence[Setpoint]) -> OperatingEnvelope:
    """What holds when all `setpoints` are asked for at once; they come in the order of their sources.

    A limit, rate or maximum SoC: the lower wins. The minimum SoC: the higher wins. Switches: false wins. Wishes
    (`LAST_WINS`): the last source that has one wins. Among equal limits the first source is named as the origin.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Setpoint] = {}
    for setpoint in setpoints:
        for name, value in setpoint.fields.asked().items():
            if name not in values or _prevails(name, value, values[name]):
                values[name] = value
                origins[name] = setpoint
    return OperatingEnvelope(SetpointFields(**values), MappingProxyType(origins))


def _prevails(name: str, value: Any, former: Any) -> bool:
    """Whether the `value` of a later source replaces the `former` one."""
    if name in LOWEST_WINS:
        return bool(value < former)
    if name in HIGHEST_WINS:
        return bool(value > former)
    return True


def in_force(config: SiteConfig, received: Mapping[str, Setpoint], now_s: float) -> tuple[Setpoint, ...]:
    """The setpoints that hold at `now_s` (monotonic), in the order of their sources: what `merge` takes.

    `received` is the newest setpoint of each source, by name. An MQTT source whose setpoint is missing or has expired
    is represented by its `default` as a whole, under its own name. Sources that nobody configured are left out.
    """
    fixed = Setpoint(FIXED, config.setpoints.fixed.to_fields())
    entries = [_of_entry(entry, received, now_s) for entry in config.setpoints.mqtt]
    reserved = [_valid(received.get(name), now_s) for name in RESERVED_LAST]
    return (fixed, *(setpoint for setpoint in (*entries, *reserved) if setpoint is not None))


def _of_entry(entry: MqttSource, received: Mapping[str, Setpoint], now_s: float) -> Setpoint | None:
    """The setpoint of one MQTT source: its own while that is valid, else its default."""
    setpoint = _valid(received.get(entry.name), now_s)
    if setpoint is None and entry.default is not None:
        return Setpoint(entry.name, entry.default.to_fields(), is_default=True)
    return setpoint


def _valid(setpoint: Setpoint | None, now_s: float) -> Setpoint | None:
    return setpoint if setpoint is not None and setpoint.is_valid(now_s) else None
