"""Why batteries together do no more: the words for the lowest of what bounds their charging and discharging."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, inf

from orchestrator.decide.battery.target import generation_leaves_watts
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery
from orchestrator.decide.records import SiteFacts


def charge_bound(facts: SiteFacts) -> str:
    """What keeps the batteries together from charging more; "" where only the surplus does."""
    if facts.on_ramp:
        return ", no faster than its ramp (site.yaml)"
    watts, cap = facts.flow.target_battery_power_watts, facts.envelope.fields.battery_charge_max_watts
    devices = fsum(b.charge_max_watts for b in facts.plant.batteries if b.below_max)
    if watts < min(devices, inf if cap is None else cap) - 1:
        return ""
    if cap is not None and cap < devices:
        return f", at most {cap:.0f} W ({facts.envelope.whose('battery_charge_max_watts')})"
    rate = facts.envelope.fields.battery_charge_rate_percent
    if rate is not None and all(b.charge_limited_by is LimitedBy.RATE for b in facts.plant.batteries if b.below_max):
        return f", at the rate of {rate:g} % ({facts.envelope.whose('battery_charge_rate_percent')})"
    return ", all that the batteries take"


def grid_bound(facts: SiteFacts) -> str:
    """What keeps them from taking more from the grid: the lowest of what is asked."""
    envelope, wanted = facts.envelope, facts.envelope.fields
    deficit = max(-facts.available_watts, 0.0)
    bounds = [
        (watts - less, f", {words} {watts:.0f} W ({envelope.whose(name)})")
        for name, words, watts, less in (
            ("battery_grid_charging_max_watts", "from there at most", wanted.battery_grid_charging_max_watts, 0.0),
            ("battery_import_target_watts", "up to the import target of", wanted.battery_import_target_watts, deficit),
            ("import_limit_watts", "up to the import limit of", wanted.import_limit_watts, deficit),
        )
        if watts is not None
    ]
    return min(bounds)[1] if bounds else ""


def discharge_bound(facts: SiteFacts, at_watts: float | None = None) -> str:
    """What keeps the batteries together from giving more than `at_watts` (what they give); "" where nothing does."""
    envelope, wanted, plant = facts.envelope, facts.wanted, facts.plant
    gives = max(-facts.flow.target_battery_power_watts, 0.0) if at_watts is None else at_watts
    able = [b for b in plant.batteries if b.above_min]
    bounds = [(fsum(b.discharge_max_watts for b in able), _of_devices(facts, able))]
    if wanted.battery_discharge_max_watts is not None:
        cap = wanted.battery_discharge_max_watts
        bounds.append((cap, f"the discharge limit of {cap:.0f} W ({envelope.whose('battery_discharge_max_watts')})"))
    leaves = generation_leaves_watts(plant, wanted)
    if leaves is not None:
        limit = f"{envelope.fields.generation_limit_watts or 0.0:.0f} W ({envelope.whose('generation_limit_watts')})"
        bounds.append((leaves, f"what the generation limit of {limit} leaves"))
    watts, words = min(bounds)
    return words if gives >= watts - 1 else ""


def _of_devices(facts: SiteFacts, able: Sequence[Battery]) -> str:
    envelope, wanted, batteries = facts.envelope, facts.envelope.fields, facts.plant.batteries
    if able:
        rate = wanted.battery_discharge_rate_percent
        if rate is not None and all(b.discharge_limited_by is LimitedBy.RATE for b in able):
            return f"the rate of {rate:g} % ({envelope.whose('battery_discharge_rate_percent')})"
        return "what the power limits of the batteries allow"
    if batteries:
        lowest = wanted.battery_soc_min_percent
        if lowest and all(b.soc_min_percent == lowest for b in batteries):
            source = envelope.whose("battery_soc_min_percent")
            return f"what is above the minimum of {lowest:g} % ({source}), which is nothing"
        return "what is above the minimum state of charge, which is nothing"
    if wanted.battery_storage_mode == 0:
        return f"nothing, battery_storage_mode 0 ({envelope.whose('battery_storage_mode')}) releases the batteries"
    return "nothing, there is no battery to command"
