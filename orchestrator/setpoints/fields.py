"""What a setpoint may ask for: one row for each field, in `SetpointFields`.

The section of site.yaml, the reader of messages, the merging of sources, whether a change is stricter, and the tables
of the docs follow from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Final, NamedTuple, get_type_hints

from orchestrator.setpoints.values import (
    PERCENT,
    PRIORITY_MODE,
    SIGNED_WATTS,
    STORAGE_MODE,
    SWITCH,
    WATTS,
    PriorityMode,
    Switch,
    Value,
)


class Merge(Enum):
    """Whose value holds when several sources ask for a field.

    With LOWEST and HIGHEST a further source can only narrow what the others left. LAST is for wishes, where nothing is
    wider than the other: the order of the sources decides.
    """

    LOWEST = "lowest"
    HIGHEST = "highest"
    LAST = "last"


LOWEST, HIGHEST, LAST = Merge.LOWEST, Merge.HIGHEST, Merge.LAST


class Row(NamedTuple):
    """One field: its `wire` name in messages (or an alias), what its value may be, whose holds, and a sentence.

    `name` is that of the record and of site.yaml; `ROWS` has it filled in.
    """

    wire: str
    value: Value
    merge: Merge
    says: str
    aliases: tuple[str, ...] = ()
    name: str = ""

    @property
    def wire_names(self) -> tuple[str, ...]:
        """Every name that it may have in a message, the usual one first."""
        return (self.wire, *self.aliases)

    @property
    def wins(self) -> str:
        """What wins when several sources ask, in a word: of switches false, which is below true."""
        return "false" if isinstance(self.value, Switch) else self.merge.value


@dataclass(frozen=True, slots=True)
class SetpointFields:
    """Everything a setpoint can ask for; None is "not asked". Field names are those of site.yaml."""

    connect: Annotated[
        bool | None,
        Row(
            "opModConnect",
            SWITCH,
            LOWEST,
            "`false`: every inverter disconnects from the grid, batteries are left to themselves. "
            "One that does not is held at AC power 0.",
        ),
    ] = None
    energize: Annotated[
        bool | None,
        Row("opModEnergize", SWITCH, LOWEST, "`false`: AC power 0, batteries idle. It wins over disconnecting."),
    ] = None
    export_limit_watts: Annotated[
        float | None, Row("opModExpLimW", WATTS, LOWEST, "Most that may be exported at the meter.")
    ] = None
    import_limit_watts: Annotated[
        float | None,
        Row(
            "opModImpLimW",
            WATTS,
            LOWEST,
            "Most that may be imported at the meter. What exceeds it is covered by discharging; "
            "charging from the grid stays below.",
        ),
    ] = None
    generation_limit_watts: Annotated[
        float | None, Row("opModGenLimW", WATTS, LOWEST, "Most AC power that all inverters together may make.")
    ] = None
    load_limit_watts: Annotated[
        float | None,
        Row("opModLoadLimW", WATTS, LOWEST, "Most AC power that all inverters together may draw, for charging."),
    ] = None
    battery_charge_rate_percent: Annotated[
        float | None,
        Row(
            "batteryChargeRatePercent",
            PERCENT,
            LOWEST,
            "Limit of each battery's charging, in percent of its rated power.",
        ),
    ] = None
    battery_discharge_rate_percent: Annotated[
        float | None,
        Row(
            "batteryDischargeRatePercent",
            PERCENT,
            LOWEST,
            "Limit of each battery's discharging, in percent of its rated power.",
        ),
    ] = None
    battery_storage_mode: Annotated[
        int | None,
        Row(
            "batteryStorageMode",
            STORAGE_MODE,
            LAST,
            "Which sides of a battery may be limited: 1 charging, 2 discharging, 3 both, "
            "0 leaves the batteries to themselves.",
        ),
    ] = None
    battery_target_soc_percent: Annotated[
        float | None,
        Row(
            "batteryTargetSocPercent",
            PERCENT,
            LAST,
            "Charge up to here. Not set: up to the maximum.",
            aliases=("batterySocTargetPercent",),
        ),
    ] = None
    battery_soc_min_percent: Annotated[
        float | None, Row("batterySocMinPercent", PERCENT, HIGHEST, "Do not discharge below.")
    ] = None
    battery_soc_max_percent: Annotated[
        float | None, Row("batterySocMaxPercent", PERCENT, LOWEST, "Do not charge above.")
    ] = None
    battery_charge_max_watts: Annotated[
        float | None,
        Row("batteryChargeMaxWatts", WATTS, LOWEST, "Most that all batteries together may charge with."),
    ] = None
    battery_discharge_max_watts: Annotated[
        float | None,
        Row("batteryDischargeMaxWatts", WATTS, LOWEST, "Most that all batteries together may discharge with."),
    ] = None
    battery_target_watts: Annotated[
        float | None,
        Row(
            "batteryTargetWatts",
            SIGNED_WATTS,
            LAST,
            "Power wanted of all batteries together, charging positive, as far as limits and surplus allow it; "
            "it takes the place of covering the load and storing surplus.",
        ),
    ] = None
    battery_import_target_watts: Annotated[
        float | None,
        Row("batteryImportTargetWatts", WATTS, LAST, "Import wanted at the meter while charging from the grid."),
    ] = None
    battery_export_target_watts: Annotated[
        float | None,
        Row(
            "batteryExportTargetWatts",
            WATTS,
            LAST,
            "Export wanted at the meter, from the batteries where PV does not suffice.",
        ),
    ] = None
    battery_priority_mode: Annotated[
        PriorityMode | None,
        Row("batteryPriorityMode", PRIORITY_MODE, LAST, "What surplus serves first. Not set: the batteries."),
    ] = None
    battery_grid_charging_enabled: Annotated[
        bool | None,
        Row("batteryGridChargingEnabled", SWITCH, LOWEST, "May the site import to charge. Not set: no."),
    ] = None
    battery_grid_charging_max_watts: Annotated[
        float | None, Row("batteryGridChargingMaxWatts", WATTS, LOWEST, "Most that may be imported for charging.")
    ] = None

    def asked(self) -> dict[str, object]:
        """The fields that ask for something, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


def _rows() -> tuple[Row, ...]:
    hints = get_type_hints(SetpointFields, include_extras=True)
    return tuple(hint.__metadata__[0]._replace(name=name) for name, hint in hints.items())


ROWS: Final = _rows()
"""Every field, in the order of the docs."""


def merged_by(rule: Merge) -> frozenset[str]:
    """The names of the fields with this rule."""
    return frozenset(row.name for row in ROWS if row.merge is rule)


LOWEST_WINS: Final = merged_by(LOWEST)
HIGHEST_WINS: Final = merged_by(HIGHEST)
LAST_WINS: Final = merged_by(LAST)
