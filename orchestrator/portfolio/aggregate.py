"""A whole site as the state of one inverter, for the portfolio above it: the payload of `driver: mqtt`.

AC power, PV and battery power are those of all inverters together; the meter's power stands beside them, of the same
moment, so that their sum is the load of the site. What the batteries can do now counts the site's own limits, and not
what the portfolio itself asked for: else a command to do nothing could never be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, inf

from orchestrator import __version__
from orchestrator.config.audience import PORTFOLIO, PortfolioConfig
from orchestrator.config.policy import commands_battery
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload, rounded
from orchestrator.samples import BatterySample, InverterSample

HELD_PART_OF_RATING = 0.99
"""With a limit below this part of its rating an inverter may hide PV that could charge a battery."""


def aggregate_payload(config: SiteConfig, portfolio: PortfolioConfig, result: CycleResult, time: str) -> Payload | None:
    """What is published of one cycle; None while the site has nothing to say, because it waits for its devices."""
    if result.mode == "waiting":
        return None
    samples, totals, live = result.snapshot.inverters, result.totals, result.live
    responses = [each.response_s for each in live.inverters.values() if each.response_s is not None]
    return {
        "time": time,
        "ac_watts": rounded(totals.ac_watts),
        "pv_watts": rounded(max(totals.pv_watts, 0.0)),
        "site_watts": rounded(totals.site_watts),
        **_own_limits(config, portfolio),
        "ac_limit_watts": rounded(result.envelope.fields.generation_limit_watts),
        "ac_max_watts": rounded(_rating_watts(result)),
        "has_pv": any(each.has_pv for each in samples),
        "ac_limit_controllable": config.control.enabled and any(each.ac_limit_controllable for each in samples),
        "battery_controllable": config.control.enabled and bool(_commanded(config, samples)),
        "battery": _battery(config, portfolio, result),
        "headroom_up_watts": rounded(live.headroom_up_watts),
        "headroom_down_watts": rounded(live.headroom_down_watts),
        "response_s": rounded(max(responses), 1) if responses else None,
        "mode": result.mode,
        "model": "site",
        "version": __version__,
    }


def _own_limits(config: SiteConfig, portfolio: PortfolioConfig) -> Payload:
    """The limits at the grid connection that hold whatever anybody else asks for, and those without a command."""
    fixed, default = config.setpoints.fixed, portfolio.default
    limits: Payload = {}
    for name in ("export_limit", "import_limit"):
        own = getattr(fixed, f"{name}_watts")
        known = [each for each in (own, getattr(default, f"{name}_watts")) if each is not None]
        limits[f"{name}_watts"] = rounded(own)
        limits[f"{name}_after_watts"] = rounded(min(known)) if known else None
    return limits


def _rating_watts(result: CycleResult) -> float | None:
    """The AC ratings of all inverters that were ever heard; None where one does not say."""
    samples = (*result.snapshot.inverters, *result.snapshot.last_heard)
    ratings = [each.nameplate.ac_max_watts for each in samples]
    known = [rating for rating in ratings if rating is not None]
    return fsum(known) if known and len(known) == len(ratings) else None


def _commanded(config: SiteConfig, samples: Sequence[InverterSample]) -> list[BatterySample]:
    by_name = {each.name: each for each in config.inverters}
    return [
        sample.battery
        for sample in samples
        if sample.battery is not None and commands_battery(config, by_name[sample.name], sample)
    ]


def _battery(config: SiteConfig, portfolio: PortfolioConfig, result: CycleResult) -> Payload | None:
    batteries = _commanded(config, result.snapshot.inverters)
    if not batteries:
        return None
    fields = result.envelope.fields
    low = _bound(result, "battery_soc_min_percent", 0.0)
    high = _bound(result, "battery_soc_max_percent", 100.0)
    charge = fsum(b.charge_max_watts or 0.0 for b in batteries if b.soc_percent is None or b.soc_percent < high)
    discharge = fsum(b.discharge_max_watts or 0.0 for b in batteries if b.soc_percent is None or b.soc_percent > low)
    charge = min(charge, _bound(result, "battery_charge_max_watts", inf), _import_room_watts(portfolio, result))
    discharge = min(discharge, _bound(result, "battery_discharge_max_watts", inf), _export_room_watts(result))
    if result.live.headroom_up_watts is not None:  # inverters whose PV leaves no room for the battery
        discharge = min(discharge, result.live.headroom_up_watts - result.totals.battery_watts)
    if fields.battery_storage_mode == 0 or fields.energize is False or fields.connect is False:
        charge = discharge = 0.0
    capacities = [each.capacity_wh for each in batteries]
    return {
        "watts": rounded(result.totals.battery_watts),
        "soc_percent": rounded(soc_percent(batteries), 2),
        "charge_max_watts": rounded(max(charge, 0.0)),
        "discharge_max_watts": rounded(max(discharge, 0.0)),
        "capacity_wh": rounded(fsum(wh for wh in capacities if wh is not None)) if None not in capacities else None,
        "grid_charging_allowed": portfolio.grid_charging,
    }


def soc_percent(batteries: Sequence[BatterySample]) -> float | None:
    """Their state of charge as one, weighted with capacity; None where that of one is not known."""
    socs = [each.soc_percent for each in batteries]
    known = [soc for soc in socs if soc is not None]
    if not known or len(known) < len(socs):
        return None
    weights = [each.capacity_wh or each.charge_max_watts or 1.0 for each in batteries]
    return fsum(w * soc for w, soc in zip(weights, known, strict=True)) / fsum(weights)


def _bound(result: CycleResult, name: str, otherwise: float) -> float:
    """What the site's own sources ask for."""
    value = getattr(result.envelope.fields, name)
    return otherwise if value is None or result.envelope.source(name) == PORTFOLIO else float(value)


def _available_watts(result: CycleResult) -> float | None:
    """Power left for batteries and export; None where nobody knows."""
    totals = result.totals
    return None if totals.site_watts is None else totals.battery_watts - totals.site_watts


def _import_room_watts(portfolio: PortfolioConfig, result: CycleResult) -> float:
    """What surplus, and the grid where it may be charged from, leave for charging. PV that a limit hides is not known:
    then the surplus is no bound.
    """
    available = _available_watts(result)
    if available is None:
        return 0.0
    fields = result.envelope.fields
    limit = inf if fields.import_limit_watts is None else fields.import_limit_watts
    if result.envelope.source("battery_grid_charging_enabled") != PORTFOLIO:
        allowed = fields.battery_grid_charging_enabled is not False and portfolio.grid_charging
    else:
        allowed = portfolio.grid_charging
    if allowed:
        limit = min(limit, _bound(result, "battery_grid_charging_max_watts", inf) + max(-available, 0.0))
    elif any(_is_held(sample) for sample in result.snapshot.inverters):
        return inf
    else:
        limit = max(-available, 0.0)
    return max(available + limit, 0.0)


def _is_held(sample: InverterSample) -> bool:
    rating = sample.nameplate.ac_max_watts
    limit = sample.ac_limit_watts
    return limit is not None and (rating is None or limit < HELD_PART_OF_RATING * rating)


def _export_room_watts(result: CycleResult) -> float:
    """What the load, and the site's own export limit, leave for discharging."""
    available, limit = _available_watts(result), result.envelope.fields.export_limit_watts
    if available is None:
        return 0.0
    return inf if limit is None else max(limit - available, 0.0)
