"""What site.yaml says of an inverter, applied to what the inverter says of itself: here, and nowhere else."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.config.policy import battery_may_be_commanded
from orchestrator.config.sections import AnyInverterConfig, BatteryConfig
from orchestrator.samples import BatterySample, InverterSample

NOTHING_STATED = BatteryConfig()


def apply_overrides(config: AnyInverterConfig, sample: InverterSample) -> InverterSample:
    """The sample with the ratings of site.yaml in it. Powers in W: the lower of both; capacity in Wh: site.yaml's.

    A battery that may not be commanded (`battery.control` or `control` false) keeps its readings, and is marked so.
    To apply it twice is the same as once.
    """
    if config.control and config.ac_max_watts is None and config.battery == NOTHING_STATED:
        return sample
    return replace(
        sample,
        nameplate=replace(sample.nameplate, ac_max_watts=_lower(config.ac_max_watts, sample.nameplate.ac_max_watts)),
        battery=None if sample.battery is None else _override_battery(config.battery, sample.battery),
        ac_limit_controllable=sample.ac_limit_controllable and config.control,
        battery_controllable=sample.battery_controllable and battery_may_be_commanded(config),
    )


def _override_battery(stated: BatteryConfig, battery: BatterySample) -> BatterySample:
    return replace(
        battery,
        capacity_wh=battery.capacity_wh if stated.capacity_wh is None else stated.capacity_wh,
        charge_max_watts=_lower(stated.charge_max_watts, battery.charge_max_watts),
        discharge_max_watts=_lower(stated.discharge_max_watts, battery.discharge_max_watts),
    )


def _lower(stated: float | None, reported: float | None) -> float | None:
    """The lower of two ratings; None is unknown, not zero."""
    known = [value for value in (stated, reported) if value is not None]
    return min(known, default=None)
