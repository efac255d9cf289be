"""Why a battery is asked for just so much: the words for its share, and for the limit that it stands at."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.allocation.spread import BatteryShare, Bound
from orchestrator.decide.battery.command import CHARGE_BIT, DISCHARGE_BIT
from orchestrator.decide.battery.sharing import TARGET_REACHED
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, Unit
from orchestrator.setpoints.merge import OperatingEnvelope

NEAR_FULL_PERCENT = 90.0
"""Above this state of charge a battery that takes less than asked does so because it gets full."""


def of_share(envelope: OperatingEnvelope, unit: Unit, share: BatteryShare) -> str:
    """Why a battery has this share, and, where it is at a limit, whose limit that is."""
    battery = unit.battery
    if battery is None:
        return share.reason
    return _joined(share.reason, _detail(envelope, unit, battery, share))


def _detail(envelope: OperatingEnvelope, unit: Unit, battery: Battery, share: BatteryShare) -> str:
    """Whose limit it stands at; "" where it stands at none, or where that is said already."""
    match share.bound:
        case Bound.POWER:
            return _of_power(envelope, unit, battery, charging=share.watts > 0)
        case Bound.FULL:
            return _of_maximum(envelope, unit, battery)
        case Bound.EMPTY:
            return _of_minimum(envelope, unit, battery)
        case Bound.LOAD_LIMIT:
            return f"({envelope.whose('load_limit_watts')})"
    if share.reason.startswith(TARGET_REACHED):
        return f"({envelope.whose('battery_target_soc_percent')})"
    return ""


def of_window(envelope: OperatingEnvelope, battery: BatteryCommand) -> Iterator[str]:
    """What `battery_storage_mode` leaves to the device."""
    mode = envelope.fields.battery_storage_mode
    if mode is None or battery.mode in (BatteryMode.RELEASE, BatteryMode.HOLD):
        return
    for bit, words in ((CHARGE_BIT, "charging"), (DISCHARGE_BIT, "discharging")):
        if not mode & bit:
            source = envelope.whose("battery_storage_mode")
            yield f"{words} is not held to it: battery_storage_mode {mode} ({source})"


def _joined(reason: str, detail: str) -> str:
    if detail.startswith("("):
        return f"{reason} {detail}"
    return f"{reason}, {detail}" if detail else reason


def _of_power(envelope: OperatingEnvelope, unit: Unit, battery: Battery, *, charging: bool) -> str:
    """What lowers its power limit below what the device says; "" where nothing does."""
    limited_by = battery.charge_limited_by if charging else battery.discharge_limited_by
    direction = "charge" if charging else "discharge"
    near_full = charging and battery.soc_percent is not None and battery.soc_percent >= NEAR_FULL_PERCENT
    rate = getattr(envelope.fields, f"battery_{direction}_rate_percent") or 0.0
    return {
        LimitedBy.CONFIG: f"{direction}_max_watts (site.yaml)",
        LimitedBy.RATE: f"rate {rate:g} % ({envelope.whose(f'battery_{direction}_rate_percent')})",
        LimitedBy.INVERTER: f"{'the rest' if charging else 'what PV leaves'} of its inverter's rating",
        LimitedBy.ACCEPTANCE: "takes no more near full"
        if near_full
        else f"{'takes' if charging else 'gives'} no more than that",
        LimitedBy.RAMP: f"rises at most {unit.config.ramp_watts_per_s or 0.0:.0f} W a second",
        LimitedBy.RETURN: "has just come back, its share rises step by step",
    }.get(limited_by, "")


def _of_maximum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> str:
    if battery.soc_max_percent >= 100:
        return ""
    own = unit.config.battery.soc_max_percent
    source = "site.yaml" if own == battery.soc_max_percent else envelope.whose("battery_soc_max_percent")
    return f"maximum {battery.soc_max_percent:g} % ({source})"


def _of_minimum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> str:
    if battery.soc_min_percent <= 0:
        return ""
    own = unit.config.battery.soc_min_percent
    source = "site.yaml" if own == battery.soc_min_percent else envelope.whose("battery_soc_min_percent")
    return f"minimum {battery.soc_min_percent:g} % ({source})"
