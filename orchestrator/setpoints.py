"""What each source asks for, and the operating envelope that follows when all of them are merged.

A source is `fixed` or an MQTT entry of site.yaml, or one of the reserved `page` and `manual`.
Limits are magnitudes in W (>= 0, None = not asked, so unlimited); percents are 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType


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
    """

    source: str
    fields: SetpointFields
    received_at_s: float = 0.0
    expires_at_s: float | None = None
    valid_until: str | None = None

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
