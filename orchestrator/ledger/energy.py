"""The energy of the site by where it flows: what the day is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.decide.records import CycleResult
from orchestrator.ledger.above_limits import MAX_GAP_S

FLOWS: Final = ("import", "export", "load", "pv", "charge", "discharge")


def energy_between(former: CycleResult, latest: CycleResult) -> Mapping[str, float]:
    """Energy (Wh, >= 0) by flow that the time from `former` to `latest` adds; flows of 0 W are left out.

    The powers of `former` are taken to have held until `latest`. What was unknown adds nothing, nor does a gap of more
    than `MAX_GAP_S`.
    """
    seconds = latest.snapshot.at_s - former.snapshot.at_s
    if not 0 < seconds <= MAX_GAP_S:
        return {}
    return {flow: watts * seconds / 3600 for flow, watts in _flowing_watts(former).items() if watts > 0}


def _flowing_watts(result: CycleResult) -> Mapping[str, float]:
    """Power by flow as magnitudes in W; a negative one flows the other way, or is an inverter that is away."""
    totals = result.totals
    flowing = {"pv": totals.pv_watts, "charge": totals.battery_watts, "discharge": -totals.battery_watts}
    if totals.site_watts is not None:
        flowing |= {"import": totals.site_watts, "export": -totals.site_watts}
    if totals.load_watts is not None:
        flowing["load"] = totals.load_watts
    return flowing
