"""How far and for how long the site went beyond its limits: what a network operator asks afterwards.

No tolerance is taken off: every watt above a limit counts, also those while a new limit is being reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.decide.records import CycleResult
from orchestrator.setpoints.merge import OperatingEnvelope

LIMITS: Final = ("export", "import", "generation", "load")
MAX_GAP_S: Final = 10.0
"""Two cycles further apart say nothing of what flowed in between, so that time is not counted."""


@dataclass(frozen=True, slots=True)
class LimitExcess:
    """Time (s) and energy (Wh, >= 0) above one limit."""

    limit: str
    seconds: float
    watt_hours: float


def limits_in_force(envelope: OperatingEnvelope) -> dict[str, float]:
    """The limits of `LIMITS` that somebody set, in W."""
    values = {limit: getattr(envelope.fields, f"{limit}_limit_watts") for limit in LIMITS}
    return {limit: watts for limit, watts in values.items() if watts is not None}


def excess_between(former: CycleResult, latest: CycleResult) -> tuple[LimitExcess, ...]:
    """What the time from `former` to `latest` adds, one record for each limit that was exceeded.

    The power and the limits of `former` are taken to have held until `latest`. A power that was unknown (meter silent)
    adds nothing.
    """
    seconds = latest.snapshot.at_s - former.snapshot.at_s
    if not 0 < seconds <= MAX_GAP_S:
        return ()
    measured = measured_watts(former)
    excess = {
        limit: measured[limit] - watts
        for limit, watts in limits_in_force(former.envelope).items()
        if limit in measured and measured[limit] > watts
    }
    return tuple(LimitExcess(limit, seconds, watts * seconds / 3600) for limit, watts in excess.items())


def measured_watts(result: CycleResult) -> Mapping[str, float]:
    """The power that each limit is about, as a magnitude in W; without those that are unknown."""
    ac_watts = [sample.ac_watts for sample in result.snapshot.inverters if sample.ac_watts is not None]
    measured = {
        "generation": sum(max(watts, 0.0) for watts in ac_watts),
        "load": sum(max(-watts, 0.0) for watts in ac_watts),
    }
    site_watts = result.totals.site_watts
    if site_watts is not None:
        measured |= {"export": max(-site_watts, 0.0), "import": max(site_watts, 0.0)}
    return measured
