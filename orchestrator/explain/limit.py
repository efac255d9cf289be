"""Why AC power is held to just so much: the words for the limits on it, and for the AC limit of one inverter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.decide.ac.limit import SMALL_PART_OF_RATING
from orchestrator.decide.meter.trust import FAULT_WORDS, MeterFault
from orchestrator.decide.plant.units import Unit
from orchestrator.quick_init import quick_init
from orchestrator.setpoints.merge import OperatingEnvelope


@quick_init
@dataclass(frozen=True, slots=True)
class LimitsOnAc:
    """What holds AC power down, in W; None is unlimited. `room_watts` is what both limits leave for AC.

    `export_limit_watts` is the one that counts: raised to the charge buffer, or, with a `meter_fault`, lowered to that
    of the failsafe. `generation_limit_watts` is less what inverters may be making that do not answer.
    """

    envelope: OperatingEnvelope
    room_watts: float | None = None
    export_limit_watts: float | None = None
    generation_limit_watts: float | None = None
    meter_fault: MeterFault | None = None

    def text(self) -> str:
        """Whose limit it is and what it leaves; "" where nothing limits AC."""
        if self.room_watts is None:
            return ""
        words = {"export": self._export(), "generation": self._generation()}
        binding = self.binding()
        other = words["export" if binding == "generation" else "generation"]
        more = f", {other} would leave more" if other else ""
        return f"{self._fault()}{words[binding]} leaves {self.room_watts:.0f} W for AC{more}"

    def binding(self) -> str:
        """`export` or `generation`: the limit that leaves less."""
        generation, room = self.generation_limit_watts, self.room_watts
        is_lower = generation is not None and room is not None and generation <= room + 0.5
        return "generation" if is_lower or self.export_limit_watts is None else "export"

    def binding_text(self) -> str:
        """The limit that leaves less, with its source."""
        return self._generation() if self.binding() == "generation" else self._export()

    def _fault(self) -> str:
        return "" if self.meter_fault is None else f"{FAULT_WORDS[self.meter_fault]}, "

    def _export(self) -> str:
        asked, counts = self.envelope.fields.export_limit_watts, self.export_limit_watts
        if asked is None or counts is None:
            return ""
        if counts < asked:
            return f"failsafe export limit {counts:.0f} W (site.yaml)"
        words = f"export limit {asked:.0f} W ({self.envelope.whose('export_limit_watts')})"
        return f"{words}, raised to the charge buffer of {counts:.0f} W (site.yaml)," if counts > asked else words

    def _generation(self) -> str:
        asked, counts = self.envelope.fields.generation_limit_watts, self.generation_limit_watts
        if asked is None or counts is None:
            return ""
        words = f"generation limit {asked:.0f} W ({self.envelope.whose('generation_limit_watts')})"
        away = asked - counts
        return f"{words}, of which {away:.0f} W are for inverters that are away," if away >= 1 else words


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
