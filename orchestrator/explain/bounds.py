"""Why batteries together do no more: the words for the lowest of what bounds their charging and discharging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf

from orchestrator.cycle import BatteryPowerFlow
from orchestrator.decide.battery.target import Balance, generation_leaves_watts
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, Plant
from orchestrator.explain.limit import LimitsOnAc
from orchestrator.quick_init import quick_init
from orchestrator.setpoints.merge import OperatingEnvelope, SetpointFields


@quick_init
@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What decided for the site, in W: `target_watts` (charging +) is what was spread of the `flow`, `balance` what
    there is at the grid connection. Of that `balance.hidden_watts` are a guess at PV that a limit hides, or, with
    `answers_import`, an import that is left to the AC limits.

    `plant` is what may be commanded, `wanted` what is asked for, its generation limit less what inverters may be making
    that do not answer. `asks_meter`: AC limits are lowered for a moment to see the meter answer; `disturbed`: that is
    so, or was just now. `on_ramp`: charging is held back by a ramp.
    """

    flow: BatteryPowerFlow
    target_watts: float
    balance: Balance
    plant: Plant
    wanted: SetpointFields
    limits: LimitsOnAc
    answers_import: bool = False
    asks_meter: bool = False
    disturbed: bool = False
    on_ramp: bool = False

    @property
    def envelope(self) -> OperatingEnvelope:
        """What is asked for, with its sources."""
        return self.limits.envelope

    @property
    def available_watts(self) -> float:
        """What is left for battery and export, hidden PV too; negative is a deficit."""
        return self.balance.available_watts(self.plant.battery_watts)

    @property
    def is_off(self) -> bool:
        """Whether nothing may give power: energize or connect is false."""
        return self.envelope.fields.energize is False or self.envelope.fields.connect is False


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
