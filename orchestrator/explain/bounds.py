"""Why batteries together do no more: the lowest of what bounds their charging and discharging."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, inf

from orchestrator.decide.battery.target import generation_leaves_watts
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery
from orchestrator.decide.records import SiteFacts
from orchestrator.reason import Reason, because


def charge_bound(facts: SiteFacts) -> Reason | None:
    """What keeps the batteries together from charging more; None where only the surplus does."""
    if facts.on_ramp:
        return because("on_site_ramp")
    watts, cap = facts.flow.target_battery_power_watts, facts.envelope.fields.battery_charge_max_watts
    devices = fsum(b.charge_max_watts for b in facts.plant.batteries if b.below_max)
    if watts < min(devices, inf if cap is None else cap) - 1:
        return None
    if cap is not None and cap < devices:
        return because("charge_cap", watts=cap, source=facts.envelope.whose("battery_charge_max_watts"))
    rate = facts.envelope.fields.battery_charge_rate_percent
    if rate is not None and all(b.charge_limited_by is LimitedBy.RATE for b in facts.plant.batteries if b.below_max):
        return because("charge_rate", percent=rate, source=facts.envelope.whose("battery_charge_rate_percent"))
    return because("batteries_take_all")


def grid_bound(facts: SiteFacts) -> Reason | None:
    """What keeps them from taking more from the grid: the lowest of what is asked."""
    envelope, wanted = facts.envelope, facts.envelope.fields
    deficit = max(-facts.available_watts, 0.0)
    bounds: list[tuple[float, Reason]] = []
    if (watts := wanted.battery_grid_charging_max_watts) is not None:
        source = envelope.whose("battery_grid_charging_max_watts")
        bounds.append((watts, because("grid_charging_cap", watts=watts, source=source)))
    if (watts := wanted.import_limit_watts) is not None:
        source = envelope.whose("import_limit_watts")
        bounds.append((watts - deficit, because("import_limit", watts=watts, source=source)))
    if (watts := wanted.battery_import_target_watts) is not None:
        source = envelope.whose("battery_import_target_watts")
        bounds.append((watts - deficit, because("import_target", watts=watts, source=source)))
    return _lowest(bounds)[1] if bounds else None


def discharge_bound(facts: SiteFacts, at_watts: float | None = None) -> Reason | None:
    """What keeps the batteries together from giving more than `at_watts` (what they give); None where nothing does."""
    envelope, wanted, plant = facts.envelope, facts.wanted, facts.plant
    gives = max(-facts.flow.target_battery_power_watts, 0.0) if at_watts is None else at_watts
    if not plant.batteries:
        return _nothing_to_give(facts)
    bounds: list[tuple[float, Reason]] = []
    if (cap := wanted.battery_discharge_max_watts) is not None:
        source = envelope.whose("battery_discharge_max_watts")
        bounds.append((cap, because("discharge_cap", watts=cap, source=source)))
    leaves = generation_leaves_watts(plant, wanted)
    if leaves is not None:
        limit_watts = envelope.fields.generation_limit_watts or 0.0
        source = envelope.whose("generation_limit_watts")
        bounds.append((leaves, because("generation_leaves", watts=limit_watts, source=source)))
    able = [b for b in plant.batteries if b.above_min]
    bounds.append((fsum(b.discharge_max_watts for b in able), _of_devices(facts, able)))
    watts, reason = _lowest(bounds)
    return reason if gives >= watts - 1 else None


def _lowest(bounds: Sequence[tuple[float, Reason]]) -> tuple[float, Reason]:
    """Of equal ones the first: what somebody asks for tells more than what devices can do."""
    return min(bounds, key=lambda bound: bound[0])


def _of_devices(facts: SiteFacts, able: Sequence[Battery]) -> Reason:
    envelope, wanted = facts.envelope, facts.envelope.fields
    if able:
        rate = wanted.battery_discharge_rate_percent
        if rate is not None and all(b.discharge_limited_by is LimitedBy.RATE for b in able):
            return because("discharge_rate", percent=rate, source=envelope.whose("battery_discharge_rate_percent"))
        return because("battery_powers")
    lowest = wanted.battery_soc_min_percent
    if lowest and all(b.soc_min_percent == lowest for b in facts.plant.batteries):
        return because("above_asked_minimum", percent=lowest, source=envelope.whose("battery_soc_min_percent"))
    return because("above_minimum")


def _nothing_to_give(facts: SiteFacts) -> Reason:
    if facts.envelope.fields.battery_storage_mode == 0:
        return because("storage_mode_releases", source=facts.envelope.whose("battery_storage_mode"))
    return because("no_battery_to_command")
