"""How much a battery may charge and discharge with now, and what decides it: each rule only lowers what is left.

device -> site.yaml -> rate asked for -> its inverter -> what it was seen to take -> ramp -> return after absence
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from orchestrator.config.sections import AnyInverterConfig, BatteryConfig
from orchestrator.decide.following import Disobeys
from orchestrator.decide.memory import BatteryMemory, InverterMemory
from orchestrator.decide.pace import rise_watts
from orchestrator.samples import BatterySample, InverterSample
from orchestrator.setpoints.fields import SetpointFields

EASE_PART_OF_RATING = 0.1
"""An inverter that comes back gets this part of its rating more in a step: its return is no jump for the site."""

SMALL_PART_OF_LIMIT = 0.01
"""A change of battery power by less than this part of the power limits is small."""

ACCEPTANCE_STEP = 0.02
ACCEPTANCE_LEAST_WATTS = 45.0
"""How much more than it gives such a battery is asked for, as a part of its limit, and at least: so it is tried again.
It is more than what counts as short, or a small battery would seem to follow and be asked for all at once."""


class LimitedBy(StrEnum):
    """What the power limit of a battery comes from: the lowest of these."""

    DEVICE = "device"
    CONFIG = "config"
    RATE = "rate"
    INVERTER = "inverter"
    ACCEPTANCE = "acceptance"
    RAMP = "ramp"
    RETURN = "return"


class StepTime(NamedTuple):
    """Now, in monotonic seconds, the time since the last step, and whether charging may rise at once."""

    now_s: float
    dt_s: float
    ramps_lifted: bool


class PowerLimit(NamedTuple):
    """The most power in W in one direction, a magnitude, and what it comes from."""

    watts: float
    by: LimitedBy

    def lowered(self, watts: float, by: LimitedBy) -> PowerLimit:
        """This limit, or `watts` where that is lower."""
        return PowerLimit(watts, by) if watts < self.watts else self


def power_limits(
    inverter: AnyInverterConfig,
    sample: InverterSample,
    seen: BatterySample,
    memory: InverterMemory,
    wanted: SetpointFields,
    *,
    watts: float,
    rating_watts: float | None,
    time: StepTime,
) -> tuple[PowerLimit, PowerLimit]:
    """The most that a battery may charge and discharge with now; it is at `watts` (charging +)."""
    charge, discharge = _of_device(inverter.battery, seen, wanted)
    if rating_watts is not None:
        pv_watts = sample.pv_watts or 0.0
        pv_ac_watts = pv_watts if sample.ac_watts is None else min(pv_watts, max(sample.ac_watts + watts, 0.0))
        charge, discharge = _within_ac_rating(charge, discharge, pv_watts, pv_ac_watts, rating_watts)
    charge, discharge = _within_acceptance(charge, discharge, watts, memory)
    if inverter.ramp_watts_per_s is not None and not time.ramps_lifted:
        charge = _ramped(charge, inverter.ramp_watts_per_s, watts, memory.battery, time)
    if memory.battery.easing:
        charge, discharge = _eased(charge, discharge, watts, rating_watts)
    return charge, discharge


def _of_device(own: BatteryConfig, seen: BatterySample, wanted: SetpointFields) -> tuple[PowerLimit, PowerLimit]:
    """Charging and discharging, as device, configuration and the rates asked for say."""
    charge_rate, discharge_rate = wanted.battery_charge_rate_percent, wanted.battery_discharge_rate_percent
    return (
        _rated(seen.charge_max_watts, own.charge_max_watts, charge_rate),
        _rated(seen.discharge_max_watts, own.discharge_max_watts, discharge_rate),
    )


def _rated(seen_watts: float | None, stated_watts: float | None, percent: float | None) -> PowerLimit:
    """What the sample says, times the rate asked for; 0 where it says nothing.

    The sample is lowered to what site.yaml states already (`apply_overrides`): where it stands there, that is why.
    """
    stands_at_stated = seen_watts is not None and seen_watts == stated_watts
    limit = PowerLimit(seen_watts or 0.0, LimitedBy.CONFIG if stands_at_stated else LimitedBy.DEVICE)
    return limit if percent is None else limit.lowered(limit.watts * (percent / 100.0), LimitedBy.RATE)


def _within_ac_rating(
    charge: PowerLimit, discharge: PowerLimit, pv_watts: float, pv_ac_watts: float, rating_watts: float
) -> tuple[PowerLimit, PowerLimit]:
    """Discharge shares the inverter with what comes of PV at its AC side (`pv_ac_watts`); charging beyond PV comes
    through the inverter from AC.
    """
    return (
        charge.lowered(pv_watts + rating_watts, LimitedBy.INVERTER),
        discharge.lowered(max(rating_watts - pv_ac_watts, 0.0), LimitedBy.INVERTER),
    )


def _within_acceptance(
    charge: PowerLimit, discharge: PowerLimit, watts: float, memory: InverterMemory
) -> tuple[PowerLimit, PowerLimit]:
    """Ask a battery that keeps giving less than asked for little more than it gives, so that others take the rest."""
    target = memory.battery.target_watts
    if Disobeys.SHORT not in memory.following.states or not target:
        return charge, discharge
    if target > 0:
        accepted = max(watts, 0.0) + max(ACCEPTANCE_STEP * charge.watts, ACCEPTANCE_LEAST_WATTS)
        return charge.lowered(accepted, LimitedBy.ACCEPTANCE), discharge
    accepted = max(-watts, 0.0) + max(ACCEPTANCE_STEP * discharge.watts, ACCEPTANCE_LEAST_WATTS)
    return charge, discharge.lowered(accepted, LimitedBy.ACCEPTANCE)


def _ramped(
    charge: PowerLimit, rate_watts_per_s: float, watts: float, before: BatteryMemory, time: StepTime
) -> PowerLimit:
    """Charging rises no faster than its ramp, from what was asked for last."""
    asked_watts = watts if before.target_watts is None else before.target_watts
    rise = rise_watts(
        rate_watts_per_s,
        changed_at_s=before.changed_at_s,
        now_s=time.now_s,
        dt_s=time.dt_s,
        small_watts=SMALL_PART_OF_LIMIT * charge.watts,
    )
    return charge.lowered(max(asked_watts, 0.0) + rise, LimitedBy.RAMP)


def _eased(
    charge: PowerLimit, discharge: PowerLimit, watts: float, rating_watts: float | None
) -> tuple[PowerLimit, PowerLimit]:
    """A battery whose inverter has just come back gets its share in steps of its rating, not as a jump."""
    step = EASE_PART_OF_RATING * (rating_watts or max(charge.watts, discharge.watts))
    return (
        charge.lowered(max(watts, 0.0) + step, LimitedBy.RETURN),
        discharge.lowered(max(-watts, 0.0) + step, LimitedBy.RETURN),
    )
