"""What a setpoint may ask for, one field after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

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

MAX_WATTS: Final = 1_000_000_000


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


class _Wrong(Exception):
    """A value is not what its field wants; the text is what the field may be."""


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Wrong("true or false")


def _number(value: object, high: int, unit: str) -> float:
    """`value` as a float from 0 to `high`. JSON true is a Python number and is not one here."""
    if not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= high:
        return float(value) + 0.0  # -0.0 becomes 0.0
    raise _Wrong(f"a number from 0 to {high} ({unit})")


def _watts(value: object) -> float:
    return _number(value, MAX_WATTS, "W")


def _percent(value: object) -> float:
    return _number(value, 100, "%")


def _storage_mode(value: object) -> int:
    if not isinstance(value, bool) and isinstance(value, int | float) and value in (0, 1, 2, 3):
        return int(value)
    raise _Wrong("0, 1, 2 or 3")


def _priority_mode(value: object) -> PriorityMode:
    try:
        return PriorityMode(value)  # type: ignore[arg-type]  # any JSON value may come; what is no mode raises
    except ValueError:
        raise _Wrong('"battery_first" or "export_first"') from None


@dataclass(frozen=True, slots=True)
class PayloadField:
    """One field of a message: its name there, its name in `SetpointFields`, and the check of its value."""

    name: str
    attribute: str
    read: Callable[[object], object]


FIELDS: Final = (
    PayloadField("opModConnect", "connect", _switch),
    PayloadField("opModEnergize", "energize", _switch),
    PayloadField("opModExpLimW", "export_limit_watts", _watts),
    PayloadField("opModImpLimW", "import_limit_watts", _watts),
    PayloadField("opModGenLimW", "generation_limit_watts", _watts),
    PayloadField("opModLoadLimW", "load_limit_watts", _watts),
    PayloadField("batteryChargeRatePercent", "battery_charge_rate_percent", _percent),
    PayloadField("batteryDischargeRatePercent", "battery_discharge_rate_percent", _percent),
    PayloadField("batteryStorageMode", "battery_storage_mode", _storage_mode),
    PayloadField("batteryTargetSocPercent", "battery_target_soc_percent", _percent),
    PayloadField("batterySocMinPercent", "battery_soc_min_percent", _percent),
    PayloadField("batterySocMaxPercent", "battery_soc_max_percent", _percent),
    PayloadField("batteryChargeMaxWatts", "battery_charge_max_watts", _watts),
    PayloadField("batteryDischargeMaxWatts", "battery_discharge_max_watts", _watts),
    PayloadField("batteryImportTargetWatts", "battery_import_target_watts", _watts),
    PayloadField("batteryExportTargetWatts", "battery_export_target_watts", _watts),
    PayloadField("batteryPriorityMode", "battery_priority_mode", _priority_mode),
    PayloadField("batteryGridChargingEnabled", "battery_grid_charging_enabled", _switch),
    PayloadField("batteryGridChargingMaxWatts", "battery_grid_charging_max_watts", _watts),
)


ALIASES: Final = (PayloadField("batterySocTargetPercent", "battery_target_soc_percent", _percent),)
