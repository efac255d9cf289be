"""Why AC power is held to just so much: the words for the limits on it, and for the AC limit of one inverter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.decide.ac.limit import SMALL_PART_OF_RATING
from orchestrator.decide.plant.units import Unit
from orchestrator.decide.records import LimitsOnAc
from orchestrator.quick_init import quick_init


@quick_init
@dataclass(frozen=True, slots=True)
class LimitFacts:
    """The AC limit commanded of one inverter, in W (None: no limit), and its part of the room that was wanted.

    It rises by `rate_watts_per_s` at most. `asks_meter`: AC power is lowered for a moment to see whether the meter
    shows it.
    """

    unit: Unit
    limits: LimitsOnAc
    commanded_watts: float | None
    wanted_watts: float | None
    rate_watts_per_s: float
    asks_meter: bool = False


def of_limit(facts: LimitFacts) -> Iterator[str]:
    """Why the AC limit of an inverter is what it is, and why it is not more."""
    envelope, commanded = facts.limits.envelope, facts.commanded_watts
    if envelope.fields.energize is False:
        yield f"AC limit 0 W: energize false ({envelope.whose('energize')})"
    elif envelope.fields.connect is False and facts.unit.stays_connected:
        yield f"AC limit 0 W: connect false ({envelope.whose('connect')})"
    elif commanded is None:
        yield f"no AC limit: {_why_none(facts)}"
    else:
        yield f"AC limit {commanded:.0f} W: {facts.limits.text() or 'rising step by step to no limit'}"
        yield from _of_rise(facts, commanded)


def _why_none(facts: LimitFacts) -> str:
    unit = facts.unit
    if envelope_text := facts.limits.text():
        if unit.rating_watts is None:
            return "its rating is unknown; ac_max_watts in site.yaml would say it"
        if not unit.sample.ac_limit_controllable:
            return "it takes none"
        if not unit.limitable and facts.wanted_watts is None:
            return "it has no PV, the command for its battery says it all"
        return envelope_text
    return "nothing limits AC"


def _of_rise(facts: LimitFacts, commanded_watts: float) -> Iterator[str]:
    """Why it is not more, and why not just what it should be."""
    unit, wanted = facts.unit, facts.wanted_watts
    if facts.asks_meter and not unit.sample.ac_limit_wears:
        yield "held down for a moment: does the meter see it?"
    if unit.throttled:
        yield "throttled"
    rating = unit.rating_watts
    if rating is None or commanded_watts == wanted:
        return
    missing = (rating if wanted is None else min(wanted, rating)) - commanded_watts
    if missing >= SMALL_PART_OF_RATING * rating:
        yield f"rises at most {facts.rate_watts_per_s:.0f} W a second"
    elif abs(missing) >= 1:
        yield "held: change under 1 %"
