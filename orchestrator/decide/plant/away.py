"""What inverters may be making or drawing that do not answer: under the generation and the load limit it is taken from
the others.

Under the export limit it needs no guess, because the meter sees it. No meter sees the sum of all inverters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import fsum

from orchestrator.config.policy import limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import InverterMemory
from orchestrator.samples import InverterSample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields

GIVEN_UP_AFTER_S = 900.0
"""An inverter that is away for longer may be gone for good, and the others must not be held back by it."""

ASLEEP_PART_OF_RATING = 0.01
"""One that made no more when it was heard last was asleep: it makes nothing without the sun, whatever it may."""


def left_for_the_others(
    config: SiteConfig,
    memories: Mapping[str, InverterMemory],
    snapshot: SiteSnapshot,
    wanted: SetpointFields,
    now_s: float,
) -> SetpointFields:
    """What is asked for, with the generation limit less what inverters may be making that do not answer, and the load
    limit less what they may be drawing.

    `memories` are of the last step. Of those that were not heard since the start only `ac_max_watts` of site.yaml is
    known: it counts whole, and nothing where it is missing.
    """
    if not snapshot.away:
        return wanted
    return replace(
        wanted,
        generation_limit_watts=_generation_limit_watts(config, memories, snapshot, wanted, now_s),
        load_limit_watts=_load_limit_watts(config, snapshot, wanted, now_s),
    )


def _load_limit_watts(config: SiteConfig, snapshot: SiteSnapshot, wanted: SetpointFields, now_s: float) -> float | None:
    """They draw as they did when they were heard last, until their own timers end it."""
    limit_watts = wanted.load_limit_watts
    if limit_watts is None:
        return None
    drawn_watts = fsum(
        max(-(sample.ac_watts or 0.0), 0.0)
        for sample in snapshot.last_heard
        if now_s - sample.at_s <= config.control.revert_s
    )
    return max(limit_watts - drawn_watts, 0.0)


def _generation_limit_watts(
    config: SiteConfig,
    memories: Mapping[str, InverterMemory],
    snapshot: SiteSnapshot,
    wanted: SetpointFields,
    now_s: float,
) -> float | None:
    limit_watts = wanted.generation_limit_watts
    if limit_watts is None:
        return None
    ratings = {sample.name: rating_watts(sample) for sample in (*snapshot.inverters, *snapshot.last_heard)}
    part = limit_watts / (fsum(ratings.values()) or 1.0)
    counted_watts = fsum(
        _counted_watts(config, memories.get(sample.name), sample, part * ratings[sample.name], now_s)
        for sample in snapshot.last_heard
    )
    return max(limit_watts - counted_watts - _never_heard_watts(config, snapshot), 0.0)


def _never_heard_watts(config: SiteConfig, snapshot: SiteSnapshot) -> float:
    heard = {sample.name for sample in snapshot.last_heard}
    silent = [each for each in config.inverters if each.name in snapshot.away and each.name not in heard]
    return fsum(each.ac_max_watts or 0.0 for each in silent)


def _counted_watts(
    config: SiteConfig, memory: InverterMemory | None, sample: InverterSample, share_watts: float, now_s: float
) -> float:
    """All that its AC limit allows; nothing where it slept or was off when it was heard last.

    One that is given up counts as it was then, up to `share_watts`, its part of the generation limit by nameplate.
    """
    made_watts = max(sample.ac_watts or 0.0, 0.0)
    is_asleep = max(made_watts, sample.pv_watts or 0.0) <= ASLEEP_PART_OF_RATING * rating_watts(sample)
    if is_asleep and sample.site is None:
        return 0.0
    away_s = now_s - sample.at_s
    if away_s > GIVEN_UP_AFTER_S:
        return min(made_watts, share_watts)
    return max(limit_in_force_watts(config, memory, sample, away_s), made_watts)


def limit_in_force_watts(
    config: SiteConfig, memory: InverterMemory | None, sample: InverterSample, away_s: float
) -> float:
    """The higher of what was commanded last and what it said last: the last command may have come to it, or not."""
    rating = rating_watts(sample)
    if away_s > config.control.revert_s and (sample.site is not None or not limits_stay(config)):
        return rating  # a site falls back to its own default whatever stays in inverters
    limits = [sample.ac_limit_watts]
    if memory is not None and config.control.enabled:
        limits.append(memory.limit.watts)
    return min(max(rating if watts is None else watts for watts in limits), rating)


def rating_watts(sample: InverterSample) -> float:
    """The AC rating; of one whose rating is unknown, what it makes."""
    return sample.nameplate.ac_max_watts or max(sample.ac_watts or 0.0, 0.0)
