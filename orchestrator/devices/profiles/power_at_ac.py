"""Battery power for makes that take power at AC, and that do not keep the limits of their battery meanwhile."""

from __future__ import annotations

import math
from typing import Final

from msgspec import structs

from orchestrator.commands import BatteryCommand
from orchestrator.devices.base import Registers
from orchestrator.devices.makes.command_schema import AC_DRAW, AC_FEED, AC_TAKE, BatteryCommands, Sum
from orchestrator.devices.profiles.device import ProfileDevice, register_value, total
from orchestrator.devices.profiles.found import is_empty
from orchestrator.devices.profiles.steps import Symbols

ALL_PHASES = 3
FULL_PERCENT: Final = 99.0
"""From here on a battery may take nothing; what is shown as 100 % by one is 99 by another."""
SPARE_SHARE: Final = 0.03
SPARE_WATTS: Final = 50.0
"""What AC gets more than that, in part of the PV and at least: as much as the losses may differ from what is said."""


def phases_of(device: ProfileDevice, own: BatteryCommands) -> int | None:
    """How many phases it has; None where that is not known."""
    phases = None if own.phases is None else register_value(device.profile, own.phases, device.fixed)
    return None if phases is None else round(phases)


def power_at_ac(device: ProfileDevice, own: BatteryCommands, watts: float, registers: Registers) -> Symbols | None:
    """What AC has to draw, and to feed in all, for `watts` of the battery (charging +), by the readings of the moment.

    None where PV or what hangs on the AC output is not known: each would be taken from the battery, or given to it.
    PV that neither AC nor the battery takes is lost, and is then missing in the reading that the next power is worked
    out from. So the battery is never left more than it takes, and AC gets a little more than that, from which PV rises.
    """
    profile, inverter = device.profile, device.profile.inverter
    pv_watts = (
        0.0 if inverter is None or inverter.pv_watts is None else total(profile, inverter.pv_watts, registers, {})
    )
    phases = phases_of(device, own) or ALL_PHASES
    loads_watts = [total(profile, (term,), registers, {}) for term in own.ac_out_watts[:phases]]
    if pv_watts is None or None in loads_watts:
        return None
    spare_watts = max(SPARE_SHARE * pv_watts, SPARE_WATTS)
    missing_watts = min(watts, _takes(device, registers) - spare_watts) - max(pv_watts, 0.0)
    efficiency = own.efficiency_percent / 100.0
    drawn_watts = missing_watts / efficiency if missing_watts > 0 else missing_watts * efficiency
    loads = [load or 0.0 for load in loads_watts] + [0.0] * (ALL_PHASES - len(loads_watts))
    symbols = {name: drawn_watts / phases + load for name, load in zip(AC_DRAW, loads, strict=True)}
    in_all_watts = drawn_watts + math.fsum(loads)
    return {**symbols, AC_TAKE: in_all_watts, AC_FEED: -in_all_watts}


def within_limits(device: ProfileDevice, asked: BatteryCommand, registers: Registers) -> BatteryCommand:
    """The command within what the battery takes and gives at most now, and above its reserve, as far as is known."""
    profile, battery = device.profile, device.profile.battery
    if battery is None:
        return asked
    most_charge = _least(device.nameplate.charge_max_watts, _now(device, battery.charge_max_watts, registers))
    most_discharge = _least(device.nameplate.discharge_max_watts, _now(device, battery.discharge_max_watts, registers))
    low, high = -(0.0 if is_empty(profile, registers) else most_discharge), most_charge

    def within(watts: float) -> float:
        return min(max(watts, low), high)

    return structs.replace(
        asked,
        watts=within(asked.watts),
        low_watts=None if asked.low_watts is None else within(asked.low_watts),
        high_watts=None if asked.high_watts is None else within(asked.high_watts),
    )


def _takes(device: ProfileDevice, registers: Registers) -> float:
    """What the battery takes at most now, as far as it says it."""
    profile, battery = device.profile, device.profile.battery
    if battery is None:
        return math.inf
    soc_percent = register_value(profile, battery.soc_percent, registers)
    if soc_percent is not None and soc_percent >= FULL_PERCENT:
        return 0.0
    return _least(_now(device, battery.charge_max_watts, registers))


def _now(device: ProfileDevice, terms: Sum | None, registers: Registers) -> float | None:
    return None if terms is None else total(device.profile, terms, registers, {})


def _least(*watts: float | None) -> float:
    return min((max(each, 0.0) for each in watts if each is not None), default=math.inf)
