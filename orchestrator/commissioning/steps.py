"""What commissioning asks of an inverter: one small step of its AC limit, one of its battery power.

Signs as everywhere: AC into the site +, battery charging +.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.reason import because
from orchestrator.samples import BatterySample, InverterSample

STEP_SHARE: Final = 0.1
LIMIT_GRID_SHARE: Final = 0.05
"""Makes that keep their AC limit in flash take no finer steps."""
STEP_MIN_WATTS: Final = 200.0
"""A step is a tenth of the rating: small for the site, large beside the flutter of a load."""
SOC_LOW_PERCENT: Final = 15.0
SOC_HIGH_PERCENT: Final = 95.0


class Quantity(StrEnum):
    """What a step changes."""

    AC = "AC limit"
    BATTERY = "battery power"


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked: `watts` is the AC limit, or the battery power, that should be seen."""

    quantity: Quantity
    watts: float
    command: InverterCommand


@dataclass(frozen=True, slots=True)
class NotTried:
    """Why there is no step."""

    quantity: Quantity
    reason: str


def plan_ac_step(sample: InverterSample, revert_s: float) -> Step | NotTried:
    """An AC limit of 10 to 15 % of the rating below what the inverter makes: it can only reduce export."""
    rating, ac_watts = sample.nameplate.ac_max_watts, sample.ac_watts
    if not sample.ac_limit_controllable:
        return NotTried(Quantity.AC, "it takes no AC limit")
    if rating is None or ac_watts is None:
        return NotTried(Quantity.AC, "its rating or its present AC power is unknown")
    step_watts = max(STEP_SHARE * rating, STEP_MIN_WATTS)
    if ac_watts < 2 * step_watts:
        return NotTried(Quantity.AC, f"it makes {ac_watts:.0f} W, and a step needs {2 * step_watts:.0f} W: more sun")
    grid_watts = LIMIT_GRID_SHARE * rating
    limit_watts = grid_watts * math.floor((ac_watts - step_watts) / grid_watts + 1e-6)
    command = InverterCommand(sample.name, revert_s, ac_limit_watts=limit_watts, reasons=(because("commissioning"),))
    return Step(Quantity.AC, limit_watts, command)


def plan_battery_step(sample: InverterSample, revert_s: float) -> Step | NotTried:
    """A battery power a tenth of the rating away from the present one, never one that needs charging from the grid."""
    battery = sample.battery
    if battery is None or not sample.battery_controllable:
        return NotTried(Quantity.BATTERY, "it has no battery that can be commanded")
    if battery.watts is None or not battery.charge_max_watts:
        return NotTried(Quantity.BATTERY, "its battery power or its rating is unknown")
    watts = _battery_target(sample, battery, max(STEP_SHARE * battery.charge_max_watts, STEP_MIN_WATTS))
    if watts is None:
        return NotTried(Quantity.BATTERY, "the battery is nearly empty and there is no PV power to charge it: more sun")
    mode = BatteryMode.CHARGE if watts > 0 else BatteryMode.DISCHARGE
    window = BatteryCommand(mode, watts, low_watts=watts, high_watts=watts)
    command = InverterCommand(sample.name, revert_s, battery=window, reasons=(because("commissioning"),))
    return Step(Quantity.BATTERY, watts, command)


def _battery_target(sample: InverterSample, battery: BatterySample, step_watts: float) -> float | None:
    """A power that is clearly not zero, so that a wrong sign or scale shows, and clearly not the present one."""
    present = battery.watts or 0.0
    spare_watts = max(sample.pv_watts or 0.0, 0.0) - max(present, 0.0)
    if present >= step_watts:
        return round(max(present - step_watts, present / 2))  # less charging: possible whatever the sun does
    if present <= -step_watts:
        return round(min(present + step_watts, present / 2))
    if spare_watts >= 1.5 * step_watts and (battery.soc_percent or 0.0) < SOC_HIGH_PERCENT:
        return round(max(present, 0.0) + step_watts)
    if battery.soc_percent is None or battery.soc_percent > SOC_LOW_PERCENT:
        return round(min(present, 0.0) - step_watts)
    return None
