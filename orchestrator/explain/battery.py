"""Why a battery is asked for just so much: its share, and whose the limit is that it stands at."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.allocation.spread import BatteryShare, Bound
from orchestrator.decide.battery.command import CHARGE_BIT, DISCHARGE_BIT
from orchestrator.decide.battery.sharing import AT_TARGET
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, Unit
from orchestrator.reason import Fact, Reason, because
from orchestrator.setpoints.merge import OperatingEnvelope

NEAR_FULL_PERCENT = 90.0
"""Above this state of charge a battery that takes less than asked does so because it gets full."""


def of_share(envelope: OperatingEnvelope, unit: Unit, share: BatteryShare) -> Reason:
    """Why a battery has this share, and, where it is at a limit, whose limit that is."""
    if unit.battery is None:
        return share.reason
    more = _more(envelope, unit, unit.battery, share)
    return Reason(share.reason.code, {**share.reason.values, **more}) if more else share.reason


def _more(envelope: OperatingEnvelope, unit: Unit, battery: Battery, share: BatteryShare) -> dict[str, Fact]:
    """The facts of whose limit it stands at; none where it stands at none, or where that is said already."""
    match share.bound:
        case Bound.POWER:
            return {"detail": _of_power(envelope, unit, battery, charging=share.watts > 0)}
        case Bound.FULL:
            return _of_maximum(envelope, unit, battery)
        case Bound.EMPTY:
            return _of_minimum(envelope, unit, battery)
        case Bound.LOAD_LIMIT:
            return {"source": envelope.whose("load_limit_watts")}
    if share.reason.code == AT_TARGET:
        return {"source": envelope.whose("battery_target_soc_percent")}
    return {}


def of_window(envelope: OperatingEnvelope, battery: BatteryCommand) -> Iterator[Reason]:
    """What `battery_storage_mode` leaves to the device."""
    mode = envelope.fields.battery_storage_mode
    if mode is None or battery.mode in (BatteryMode.RELEASE, BatteryMode.HOLD):
        return
    for bit, side in ((CHARGE_BIT, "charging"), (DISCHARGE_BIT, "discharging")):
        if not mode & bit:
            source = envelope.whose("battery_storage_mode")
            yield because("side_left_to_device", side=side, mode=mode, source=source)


def _of_power(envelope: OperatingEnvelope, unit: Unit, battery: Battery, *, charging: bool) -> Reason | None:
    """What lowers its power limit below what the device says; None where nothing does."""
    direction = "charge" if charging else "discharge"
    match battery.charge_limited_by if charging else battery.discharge_limited_by:
        case LimitedBy.CONFIG:
            return because("cap_of_site_yaml", field=f"{direction}_max_watts")
        case LimitedBy.RATE:
            field = f"battery_{direction}_rate_percent"
            percent = getattr(envelope.fields, field) or 0.0
            return because("rate_of_battery", percent=percent, source=envelope.whose(field))
        case LimitedBy.RAMP:
            return because("on_battery_ramp", watts_per_s=unit.config.ramp_watts_per_s or 0.0)
        case LimitedBy.RETURN:
            return because("just_back")
    return _of_device(battery, charging=charging)


def _of_device(battery: Battery, *, charging: bool) -> Reason | None:
    """What lowers it in the device itself: its inverter, or what it was seen to accept."""
    limited_by = battery.charge_limited_by if charging else battery.discharge_limited_by
    if limited_by is LimitedBy.INVERTER:
        return because("rest_of_rating") if charging else because("rating_less_pv")
    if limited_by is not LimitedBy.ACCEPTANCE:
        return None
    if not charging:
        return because("gives_no_more")
    near_full = battery.soc_percent is not None and battery.soc_percent >= NEAR_FULL_PERCENT
    return because("near_full") if near_full else because("takes_no_more")


def _of_maximum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> dict[str, Fact]:
    if battery.soc_max_percent >= 100:
        return {}
    own = unit.config.battery.soc_max_percent
    source = "site.yaml" if own == battery.soc_max_percent else envelope.whose("battery_soc_max_percent")
    return {"maximum_percent": battery.soc_max_percent, "source": source}


def _of_minimum(envelope: OperatingEnvelope, unit: Unit, battery: Battery) -> dict[str, Fact]:
    if battery.soc_min_percent <= 0:
        return {}
    own = unit.config.battery.soc_min_percent
    source = "site.yaml" if own == battery.soc_min_percent else envelope.whose("battery_soc_min_percent")
    return {"minimum_percent": battery.soc_min_percent, "source": source}
