"""Why a battery is asked for just so much: the words for its share, and for the limit that it stands at."""

from __future__ import annotations

from orchestrator.allocation import BatteryShare, Bound
from orchestrator.plant import Battery, LimitedBy, Unit
from orchestrator.setpoints import OperatingEnvelope

NEAR_FULL_PERCENT = 90.0
"""Above this state of charge a battery that takes less than asked does so because it gets full."""


def of_share(envelope: OperatingEnvelope, unit: Unit, share: BatteryShare) -> str:
    """Why a battery has this share, and, where it is at a limit, whose limit that is."""
    battery = unit.battery
    if battery is None:
        return share.reason
    match share.bound:
        case Bound.POWER:
            return _joined(share.reason, _of_power(envelope, unit, battery, charging=share.watts > 0))
        case Bound.FULL:
            return _joined(share.reason, _of_maximum(envelope, unit, battery))
        case Bound.EMPTY:
            return _joined(share.reason, _of_minimum(envelope, unit, battery))
    return share.reason


def _joined(reason: str, detail: str) -> str:
    return f"{reason}, {detail}" if detail else reason


def _of_power(envelope: OperatingEnvelope, unit: Unit, battery: Battery, *, charging: bool) -> str:
    """What lowers its power limit below what the device and site.yaml say; "" where nothing does."""
    match battery.charge_limited_by if charging else battery.discharge_limited_by:
        case LimitedBy.RATE:
            field = f"battery_{'charge' if charging else 'discharge'}_rate_percent"
            return f"rate {getattr(envelope.fields, field):g} % ({envelope.source(field)})"
        case LimitedBy.INVERTER:
            return "the rest of its inverter's rating" if charging else "what PV leaves of its inverter's rating"
        case LimitedBy.ACCEPTANCE:
            near_full = charging and battery.soc_percent is not None and battery.soc_percent >= NEAR_FULL_PERCENT
            return "takes no more near full" if near_full else f"{'takes' if charging else 'gives'} no more than that"
        case LimitedBy.RAMP:
            return f"rises at most {unit.config.ramp_watts_per_s or 0.0:.0f} W a second"
        case LimitedBy.RETURN:
            return "has just come back, its share rises step by step"
    return ""


def _of_maximum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> str:
    if battery.soc_max_percent >= 100:
        return ""
    own = unit.config.battery.soc_max_percent
    source = "site.yaml" if own == battery.soc_max_percent else envelope.source("battery_soc_max_percent")
    return f"maximum {battery.soc_max_percent:g} % ({source})"


def _of_minimum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> str:
    if battery.soc_min_percent <= 0:
        return ""
    own = unit.config.battery.soc_min_percent
    source = "site.yaml" if own == battery.soc_min_percent else envelope.source("battery_soc_min_percent")
    return f"minimum {battery.soc_min_percent:g} % ({source})"
