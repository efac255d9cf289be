"""From the plant to the site's battery target, and from the target to watts per battery.

`control.step` hands site totals to `calculate_battery_power_flow`; here is how many batteries become one and how the
one decision becomes many again: a full battery never stops an empty one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, inf

from msgspec import Struct

from orchestrator.config.policy import export_limit_watts
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import Pending, SiteMemory
from orchestrator.decide.pace import LIFTED_AFTER_STEPS, rise_watts, settle
from orchestrator.decide.plant.battery_limits import SMALL_PART_OF_LIMIT, LimitedBy
from orchestrator.decide.plant.units import Battery, Plant
from orchestrator.decide.power_flow import BatteryPowerFlow, calculate_battery_power_flow
from orchestrator.setpoints.fields import SetpointFields


class Balance(Struct, frozen=True):
    """Power at the grid connection as the decision sees it: `site_watts` import +, `hidden_watts` PV still unseen."""

    load_watts: float
    site_watts: float
    hidden_watts: float = 0.0

    def available_watts(self, battery_watts: float) -> float:
        """Power left for battery and export; negative is a deficit."""
        return -self.site_watts + self.hidden_watts + battery_watts


def decide_flow(
    config: SiteConfig, plant: Plant, balance: Balance, wanted: SetpointFields, charge_max_watts: float
) -> BatteryPowerFlow:
    """The site-level decision for all batteries that are ours to command, with `charge_max_watts` at most."""
    battery_watts = plant.battery_watts
    group = _deciding(plant.batteries, balance.available_watts(battery_watts), wanted)
    return calculate_battery_power_flow(
        solar_watts=balance.load_watts - balance.site_watts + balance.hidden_watts + min(battery_watts, 0.0),
        site_watts=balance.site_watts - balance.hidden_watts,
        battery_soc_percent=_mean(group, [b.soc_percent for b in group]),
        battery_target_soc_percent=_mean(group, [b.soc_target_percent for b in group]),
        battery_soc_min_percent=_mean(group, [b.soc_min_percent for b in group]),
        battery_soc_max_percent=_mean(group, [b.soc_max_percent for b in group]),
        battery_charge_max_watts=charge_max_watts,
        battery_discharge_max_watts=discharge_max_watts(plant, wanted),
        export_limit_watts=export_limit_watts(config, wanted),
        import_limit_watts=wanted.import_limit_watts,
        battery_priority_mode=wanted.battery_priority_mode,
        current_battery_power_watts=battery_watts,
        battery_grid_charging_enabled=wanted.battery_grid_charging_enabled,
        battery_grid_charging_max_watts=wanted.battery_grid_charging_max_watts,
        battery_import_target_watts=wanted.battery_import_target_watts,
        battery_export_target_watts=wanted.battery_export_target_watts,
        battery_target_watts=wanted.battery_target_watts,
    )


def settle_target(
    plant: Plant, before: SiteMemory, target_watts: float, now_s: float, *, on_ramp: bool = False
) -> tuple[float, Pending | None]:
    """Keep the last target where the change is small. A change of direction that small goes through idle.

    `on_ramp`: it is as high as ramps let it be. They rise by what is worth a write, be it for one battery of many.
    """
    if on_ramp and target_watts > before.target_watts:
        return target_watts, None
    limit = max(fsum(b.charge_max_watts for b in plant.batteries), fsum(b.discharge_max_watts for b in plant.batteries))
    small = SMALL_PART_OF_LIMIT * limit
    if before.target_watts * target_watts < 0 and abs(target_watts) < 2 * small:
        target_watts = 0.0
    return settle(before.target_watts, target_watts, small_watts=small, pending=before.target_pending, now_s=now_s)


def within_site_limits(target_watts: float, wanted: SetpointFields) -> float:
    """The target, charging +, within what all batteries together may do: a limit does not wait for a deadband."""
    charge_max, discharge_max = wanted.battery_charge_max_watts, wanted.battery_discharge_max_watts
    if charge_max is not None:
        target_watts = min(target_watts, charge_max)
    return target_watts if discharge_max is None else max(target_watts, -discharge_max)


def _deciding(batteries: Sequence[Battery], available_watts: float, wanted: SetpointFields) -> Sequence[Battery]:
    """The batteries whose SoC decides: those that could do what the balance asks for; all where none could."""
    surplus, deficit = max(available_watts, 0.0), max(-available_watts, 0.0)
    asked_watts = wanted.battery_target_watts
    if asked_watts is not None:
        above_limit = wanted.import_limit_watts is not None and deficit > wanted.import_limit_watts
        if asked_watts < 0 or above_limit:
            return [b for b in batteries if b.above_min] or batteries
        return [b for b in batteries if b.below_max] or batteries
    if wanted.battery_grid_charging_enabled:
        limit = wanted.import_limit_watts
        discharging = limit is not None and deficit > limit
    else:
        discharging = deficit > 0 or (wanted.battery_export_target_watts or 0.0) > surplus
    if discharging and (able := [b for b in batteries if b.above_min]):
        return able
    if deficit and not wanted.battery_grid_charging_enabled:
        return batteries
    return [b for b in batteries if b.below_target] or [b for b in batteries if b.below_max] or batteries


def _mean(group: Sequence[Battery], values: Sequence[float | None]) -> float | None:
    """Mean weighted with capacity; None where any is unknown, because unknown may charge and discharge."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(group):
        return None
    if known.count(known[0]) == len(known):
        return known[0]
    weights = [b.capacity_wh or b.charge_max_watts or 1.0 for b in group]
    return fsum(w * v for w, v in zip(weights, known, strict=True)) / fsum(weights)


def charge_max_watts(plant: Plant, wanted: SetpointFields) -> float:
    """What all batteries below their maximum may be charged with together, no more than is asked for in watts."""
    total = fsum(b.charge_max_watts for b in plant.batteries if b.below_max)
    if wanted.battery_target_watts is not None:
        total = min(total, max(wanted.battery_target_watts, 0.0))
    return total if wanted.battery_charge_max_watts is None else min(total, wanted.battery_charge_max_watts)


def charge_ramp_watts(
    rate_watts_per_s: float | None, before: SiteMemory, limit_watts: float, *, now_s: float, dt_s: float
) -> float:
    """How far the ramp of the site lets the charging of all batteries rise by now; inf without a ramp.

    `limit_watts` is what they may be charged with without it.
    """
    if rate_watts_per_s is None or before.excess_steps >= LIFTED_AFTER_STEPS:
        return inf
    small_watts = SMALL_PART_OF_LIMIT * limit_watts
    rise = rise_watts(
        rate_watts_per_s, changed_at_s=before.changed_at_s, now_s=now_s, dt_s=dt_s, small_watts=small_watts
    )
    return max(before.target_watts, 0.0) + rise


def is_on_ramp(plant: Plant, target_watts: float, limit_watts: float, ramp_watts: float) -> bool:
    """Whether the charging that is wanted stands at its limit, and a ramp is part of that."""
    ramped = ramp_watts <= limit_watts or any(b.charge_limited_by is LimitedBy.RAMP for b in plant.batteries)
    return ramped and target_watts >= min(limit_watts, ramp_watts) - 1.0


def discharge_max_watts(plant: Plant, wanted: SetpointFields) -> float:
    """All that may discharge, less what PV leaves of the generation limit."""
    total = fsum(b.discharge_max_watts for b in plant.batteries if b.above_min)
    if wanted.battery_discharge_max_watts is not None:
        total = min(total, wanted.battery_discharge_max_watts)
    leaves = generation_leaves_watts(plant, wanted)
    return total if leaves is None else min(total, leaves)


def generation_leaves_watts(plant: Plant, wanted: SetpointFields) -> float | None:
    """What PV leaves of the generation limit for batteries to give, in W; None where there is no such limit."""
    if wanted.generation_limit_watts is None:
        return None
    solar = fsum(max(u.ac_watts + min(u.battery_watts, 0.0), 0.0) for u in plant.units)
    return max(wanted.generation_limit_watts - solar, 0.0)
