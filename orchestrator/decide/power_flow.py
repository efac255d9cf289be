"""The site-level decision: how much power all batteries together take or give, from one look at the meter.

    battery_first    consumption -> battery -> export
    export_first     consumption -> export -> battery

Watts are site totals. `site_watts` import +, battery power charging +, limits are magnitudes (None: unlimited).
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

BatteryFlowMode = Literal["charge", "discharge", "idle"]

IDLE_BELOW_WATTS = 50.0
"""Less battery power than this is not worth an inverter's own losses."""

EXPORT_RESTRICTED_BELOW_WATTS = 500.0
"""Below this export limit the PV ceiling counts only charging that is seen: what a battery refuses spills."""

DEFAULT_ACCEPTANCE_HEADROOM_WATTS = 100.0
"""Then the PV ceiling allows for so much more charging than is seen: a battery must be able to show what it takes."""


class _Battery(Struct, frozen=True):
    """All batteries as one: what its state of charge permits, and its limits (inf: unlimited)."""

    full: bool
    empty: bool
    needs_charge: bool
    charge_max_watts: float
    discharge_max_watts: float


def calculate_battery_power_flow(
    *,
    solar_watts: float,
    site_watts: float,
    battery_soc_percent: float | None,
    battery_target_soc_percent: float | None,
    battery_soc_min_percent: float | None,
    battery_soc_max_percent: float | None,
    battery_charge_max_watts: float | None,
    battery_discharge_max_watts: float | None,
    export_limit_watts: float | None,
    import_limit_watts: float | None = None,
    battery_priority_mode: str | None = None,
    current_battery_power_watts: float = 0,
    battery_grid_charging_enabled: bool | None = None,
    battery_grid_charging_max_watts: float | None = None,
    battery_import_target_watts: float | None = None,
    battery_export_target_watts: float | None = None,
    battery_acceptance_headroom_watts: float | None = None,
    battery_target_watts: float | None = None,
) -> BatteryPowerFlow:
    """Decide battery power, planned export and the PV ceiling.

    Args:
        solar_watts: AC power of the inverters without what batteries discharge into it, >= 0.
        site_watts: power at the grid connection, import +.
        battery_soc_percent: 0 to 100; None is unknown and may charge and discharge.
        battery_target_soc_percent: charge up to here from surplus or grid; None is the maximum.
        battery_soc_min_percent: never discharge at or below; None is 0.
        battery_soc_max_percent: never charge at or above; None is 100.
        battery_charge_max_watts, battery_discharge_max_watts: magnitudes; None is unlimited.
        export_limit_watts, import_limit_watts: at the grid connection; None is unlimited.
        battery_priority_mode: 'battery_first' (also None) or 'export_first'.
        current_battery_power_watts: measured now, charging +.
        battery_grid_charging_enabled: True: the site may import to charge, and does not discharge for its load.
        battery_grid_charging_max_watts: at most this much charging from the grid.
        battery_import_target_watts: the import wanted at the meter while charging from the grid.
        battery_export_target_watts: the export wanted at the meter; batteries fill what surplus leaves open.
        battery_acceptance_headroom_watts: charging above what is seen that the PV ceiling allows for; None is 100.
        battery_target_watts: the battery power that is wanted, charging +, in place of load and surplus; limits hold.

    Returns:
        The decision. Raises ValueError for an unknown priority mode.
    """
    battery = _battery(
        soc_percent=battery_soc_percent,
        target_percent=battery_target_soc_percent,
        min_percent=battery_soc_min_percent,
        max_percent=battery_soc_max_percent,
        charge_max_watts=battery_charge_max_watts,
        discharge_max_watts=battery_discharge_max_watts,
    )
    available = -site_watts + current_battery_power_watts
    export_limit, import_limit = _limit(export_limit_watts), _limit(import_limit_watts)
    grid_max = _limit(battery_grid_charging_max_watts) if battery_grid_charging_enabled else 0.0
    if battery_target_watts is not None:
        target = _as_asked(
            battery,
            available,
            battery_target_watts,
            grid_max=grid_max,
            export_limit=export_limit,
            import_limit=import_limit,
        )
    elif battery_grid_charging_enabled:
        import_target = _limit(battery_import_target_watts)
        grid_watts = _grid_charging_watts(-min(available, 0.0), grid_max, import_target, import_limit)
        target = _with_grid_charging(battery, available, grid_watts, import_limit)
    else:
        target = _without_grid_charging(
            battery, available, export_limit, battery_export_target_watts or 0.0, _export_first(battery_priority_mode)
        )
    if abs(target) < IDLE_BELOW_WATTS:
        target = 0.0
    return BatteryPowerFlow(
        target_battery_power_watts=target,
        target_export_watts=min(max(available - target, 0.0), export_limit),
        target_solar_watts=_solar_ceiling_watts(
            load_watts=solar_watts + site_watts - min(current_battery_power_watts, 0.0),
            charge_watts=max(target, 0.0),
            seen_charge_watts=max(current_battery_power_watts, 0.0),
            export_limit_watts=export_limit,
            headroom_watts=battery_acceptance_headroom_watts,
        ),
        battery_mode=_mode(target),
    )


def _battery(
    *,
    soc_percent: float | None,
    target_percent: float | None,
    min_percent: float | None,
    max_percent: float | None,
    charge_max_watts: float | None,
    discharge_max_watts: float | None,
) -> _Battery:
    charge_max, discharge_max = _limit(charge_max_watts), _limit(discharge_max_watts)
    if soc_percent is None:
        return _Battery(False, False, True, charge_max, discharge_max)
    highest = 100.0 if max_percent is None else max_percent
    lowest = 0.0 if min_percent is None else min_percent
    full = soc_percent >= highest
    wanted = highest if target_percent is None else target_percent
    return _Battery(full, soc_percent <= lowest, not full and soc_percent < wanted, charge_max, discharge_max)


def _without_grid_charging(
    battery: _Battery, available: float, export_limit: float, export_target: float, export_first: bool
) -> float:
    """Discharge for deficit and export target; where there is nothing to discharge for, store surplus."""
    surplus, deficit = max(available, 0.0), -min(available, 0.0)
    room_for_export = max(export_limit - surplus, 0.0)
    wanted = deficit + min(max(export_target - surplus, 0.0), room_for_export)
    discharge = 0.0 if battery.empty else min(wanted, battery.discharge_max_watts)
    if discharge > 0.0:
        return -discharge
    return _charge_from_surplus(battery, surplus, export_limit, export_first)


def _as_asked(
    battery: _Battery, available: float, asked: float, *, grid_max: float, export_limit: float, import_limit: float
) -> float:
    """What is asked for, charging +: from surplus and `grid_max`, up to what the limits at the meter leave.

    A deficit that the import limit does not allow is discharged for, whatever is asked.
    """
    surplus, deficit = max(available, 0.0), -min(available, 0.0)
    room_for_import = max(import_limit - deficit, 0.0)
    most = 0.0 if battery.full else min(battery.charge_max_watts, surplus + min(grid_max, room_for_import))
    room_for_export = deficit + max(export_limit - surplus, 0.0)
    gives = 0.0 if battery.empty else battery.discharge_max_watts
    needed = min(max(deficit - import_limit, 0.0), gives)
    return min(max(min(asked, most), -min(gives, room_for_export)), -needed if needed else most)


def _charge_from_surplus(battery: _Battery, surplus: float, export_limit: float, export_first: bool) -> float:
    """Share surplus between battery and export; what export refuses is stored even above the target."""
    if battery.full:
        return 0.0
    wanted = surplus if battery.needs_charge and not export_first else 0.0
    refused = max(surplus - export_limit, 0.0)
    return min(max(wanted, refused), battery.charge_max_watts)


def _grid_charging_watts(deficit: float, grid_max: float, import_target: float, import_limit: float) -> float:
    """Import that may go into the battery, on top of the deficit. Negative where the deficit alone is too much."""
    return min(grid_max, import_target - deficit, import_limit - deficit)


def _with_grid_charging(battery: _Battery, available: float, grid_watts: float, import_limit: float) -> float:
    """Charge from surplus and grid; never discharge but for a deficit that the import limit does not allow."""
    surplus, deficit = max(available, 0.0), -min(available, 0.0)
    if deficit > import_limit and not battery.empty:
        return -min(deficit - import_limit, battery.discharge_max_watts)
    if not battery.needs_charge:
        return 0.0
    charge = min(battery.charge_max_watts, surplus + max(grid_watts, 0.0))
    # Where no limit of any kind is known there is no number to charge with: take surplus only.
    return surplus if math.isinf(charge) else charge


def _solar_ceiling_watts(
    *,
    load_watts: float,
    charge_watts: float,
    seen_charge_watts: float,
    export_limit_watts: float,
    headroom_watts: float | None,
) -> float | None:
    """Load, charging that will be absorbed, and the export limit. Discharging never lowers it: PV would spiral down."""
    if math.isinf(export_limit_watts):
        return None
    if export_limit_watts < EXPORT_RESTRICTED_BELOW_WATTS:
        headroom = DEFAULT_ACCEPTANCE_HEADROOM_WATTS if headroom_watts is None else headroom_watts
        charge_watts = min(charge_watts, seen_charge_watts + headroom)
    return load_watts + charge_watts + export_limit_watts


def _export_first(mode: str | None) -> bool:
    """Whether export goes first."""
    if mode not in (None, "battery_first", "export_first"):
        raise ValueError(f"battery_priority_mode is 'battery_first' or 'export_first', not {mode!r}")
    return mode == "export_first"


def _mode(target_watts: float) -> BatteryFlowMode:
    if target_watts > 0.0:
        return "charge"
    return "discharge" if target_watts < 0.0 else "idle"


def _limit(watts: float | None) -> float:
    return math.inf if watts is None else max(watts, 0.0)


class BatteryPowerFlow(Struct, frozen=True):
    """The site-level decision, all in W.

    `target_battery_power_watts` charging +; `target_export_watts` >= 0 is the export planned at the meter;
    `target_solar_watts` is a ceiling on PV production, not a forecast (None: no ceiling).
    """

    target_battery_power_watts: float
    target_export_watts: float
    target_solar_watts: float | None
    battery_mode: BatteryFlowMode
