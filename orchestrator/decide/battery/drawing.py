"""What an inverter draws from AC to charge its battery: what own PV leaves open, and its own losses on top.

The load limit holds for AC power, commands are for the battery. What lies between is seen while it draws, and kept from
then on. Until then a usual loss is counted: the limit is approached from below.
"""

from __future__ import annotations

from typing import Final

from orchestrator.decide.plant.units import Unit
from orchestrator.samples import seen_ac_part

STEADY_PART: Final = 0.01
"""What is seen moves by noise. So what is kept is a little more, and stays while what is seen is no more than this part
below it: a command that followed each reading would be written each time."""


def beyond_own_pv_watts(unit: Unit, battery_watts: float) -> float:
    """What a battery takes with this power (charging +) beyond own PV, in W at its DC side, >= 0."""
    return max(battery_watts - unit.pv_watts, 0.0)


def drawn_watts(unit: Unit, battery_watts: float) -> float:
    """What its inverter draws from AC, in W >= 0, while its battery has this power (charging +)."""
    return beyond_own_pv_watts(unit, battery_watts) * unit.memory.battery.draws_part


def draws_part(unit: Unit) -> float:
    """AC power drawn for each watt beyond own PV, >= 1, as far as is known after this look.

    What a site draws that is an inverter of a portfolio, its load is part of: that says nothing of its losses.
    """
    before, battery = unit.memory.battery.draws_part, unit.battery
    if battery is None or unit.ac_watts >= 0 or unit.sample.site is not None:
        return before
    seen = seen_ac_part(-unit.ac_watts, battery.watts - unit.pv_watts)
    if seen is None or before - STEADY_PART <= seen <= before:
        return before
    return max(seen, 1.0) + STEADY_PART / 2
