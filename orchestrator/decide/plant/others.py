"""What may be made beside the inverters that we can limit: by those that are not ours, take no limit, or are away.

In normal operation the meter sees it. What is to be safe at zero load, without a meter or without us, must count it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import fsum

from orchestrator.config.policy import batteries_are_ours
from orchestrator.config.sections import AnyInverterConfig, SiteConfig
from orchestrator.decide.memory import InverterMemory
from orchestrator.decide.plant.away import limit_in_force_watts, rating_watts
from orchestrator.samples import InverterSample, SiteSnapshot


def others_watts(config: SiteConfig, memories: Mapping[str, InverterMemory], snapshot: SiteSnapshot) -> float:
    """The most AC power in W of all inverters whose AC limit cannot be set now, while we look on.

    Not ours: its nameplate, or the AC limit that it says it has. Away: the AC limit that is known to hold there, or its
    nameplate. One that was never heard counts with `ac_max_watts` of site.yaml; nothing is known where that is missing.
    """

    def of_one(inverter: AnyInverterConfig, sample: InverterSample) -> float:
        if takes_limit(inverter, sample) or _only_holds(config, inverter, sample):
            return 0.0
        rating, limit = rating_watts(sample), sample.ac_limit_watts
        return max(rating if limit is None else min(limit, rating), sample.ac_watts or 0.0)

    return _sum_watts(config, memories, snapshot, of_one)


def others_left_alone_watts(
    config: SiteConfig, memories: Mapping[str, InverterMemory], snapshot: SiteSnapshot
) -> float:
    """The same once we are gone: limits that are not ours may be lifted, and batteries are their own."""

    def of_one(inverter: AnyInverterConfig, sample: InverterSample) -> float:
        return 0.0 if takes_limit(inverter, sample) else rating_watts(sample)

    return _sum_watts(config, memories, snapshot, of_one)


def takes_limit(inverter: AnyInverterConfig, sample: InverterSample) -> bool:
    """Whether the AC limit of one that answers can be set by us."""
    return inverter.control and sample.ac_limit_controllable and sample.nameplate.ac_max_watts is not None


def _sum_watts(
    config: SiteConfig,
    memories: Mapping[str, InverterMemory],
    snapshot: SiteSnapshot,
    of_one: Callable[[AnyInverterConfig, InverterSample], float],
) -> float:
    """`of_one` of each that answers, and what each may make that is away."""
    answering = {sample.name: sample for sample in snapshot.inverters}
    heard = {sample.name: sample for sample in snapshot.last_heard}
    return fsum(
        [
            of_one(each, answering[each.name])
            if each.name in answering
            else _away_watts(config, each, memories, heard.get(each.name), snapshot.at_s)
            for each in config.inverters
        ]
    )


def _away_watts(
    config: SiteConfig,
    inverter: AnyInverterConfig,
    memories: Mapping[str, InverterMemory],
    last: InverterSample | None,
    now_s: float,
) -> float:
    if last is None:
        return inverter.ac_max_watts or 0.0
    if not inverter.control:
        return rating_watts(last)
    return limit_in_force_watts(config, memories.get(inverter.name), last, now_s - last.at_s)


def _only_holds(config: SiteConfig, inverter: AnyInverterConfig, sample: InverterSample) -> bool:
    """Whether it has nothing but a battery, and that is ours: it does not discharge while the meter says nothing."""
    return not sample.has_pv and sample.battery_controllable and batteries_are_ours(config, inverter)
