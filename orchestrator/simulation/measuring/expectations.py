"""What must hold in a scenario: a measure of a stretch of the run, and the bounds it must be within."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, inf, nan
from statistics import fmean, pstdev
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from orchestrator.documents.section import Mistakes, Name, Percent, Section
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding
from orchestrator.explain.codes import code_path
from orchestrator.explain.words import ROWS
from orchestrator.reason import Reason
from orchestrator.simulation.measuring import measures
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import LIMITED
from orchestrator.simulation.virtual_time import Moment


class Expectation(Section):
    """`measure` of the moments from `from_s` to `to_s` is at least `at_least` and at most `at_most`.

    `inverter` names the one it is about, where the measure is about one; without it, all of them together. `limit` and
    `tolerance_percent` (of nameplate) are for measures of limits, `percent` for `seconds_to_charging`, `reason`
    (a code) for `seconds_naming`. `why` says what it is for, in the words of whoever asked.
    """

    measure: str
    from_s: Annotated[float, Field(ge=0)] = 0.0
    to_s: Annotated[float, Field(gt=0)] = 1e9
    inverter: Name | None = None
    limit: Literal["export", "import", "generation", "load"] = "export"
    tolerance_percent: Percent = 2.0
    percent: Percent = 95.0
    reason: str = ""
    at_least: float | None = None
    at_most: float | None = None
    why: str = ""

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if found := tuple(self._mistakes()):
            raise Mistakes(*found)
        return self

    def _mistakes(self) -> Iterator[Finding]:
        if self.measure not in MEASURES:
            yield (
                ("measure",),
                f"there is no measure {self.measure!r}; {nearest(self.measure, MEASURES, most=len(MEASURES))}",
            )
        if self.at_least is None and self.at_most is None:
            yield ("at_most",), "this key is missing; at_least or at_most must be a number"
        if self.to_s <= self.from_s:
            yield ("to_s",), f"must be after from_s, which is {self.from_s:g} (got {self.to_s:g})"
        if self.measure == "seconds_naming" and self.reason not in ROWS:
            yield ("reason",), f"must be a code of docs/reasons.md (got {self.reason!r}); {nearest(self.reason, ROWS)}"
        if self.measure in OF_ONE_INVERTER and self.inverter is None:
            yield ("inverter",), f"this key is missing; the measure {self.measure!r} needs an inverter"

    def judge(self, run: Run) -> Outcome:
        """Measure the stretch and compare."""
        value = MEASURES[self.measure](run.between(self.from_s, self.to_s), self)
        low = -inf if self.at_least is None else self.at_least
        high = inf if self.at_most is None else self.at_most
        return Outcome(self, value, low <= value <= high)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured for an expectation, and whether it holds."""

    expectation: Expectation
    value: float
    holds: bool

    def __str__(self) -> str:
        asked = self.expectation
        until = "the end" if asked.to_s >= 1e9 else f"{asked.to_s:g} s"
        of = f" of {asked.inverter}" if asked.inverter else ""
        bounds = [f"at least {asked.at_least:g}"] if asked.at_least is not None else []
        bounds += [f"at most {asked.at_most:g}"] if asked.at_most is not None else []
        why = f" ({asked.why})" if asked.why else ""
        return f"{asked.measure}{of} from {asked.from_s:g} s to {until}: {self.value:.4g}, {', '.join(bounds)}{why}"


Measure = Callable[[Run, Expectation], float]


def _each(value: Callable[[Run, Moment, Expectation], float], over: Callable[[list[float]], float]) -> Measure:
    """A value of each moment, joined to one number; not a number where there is no moment."""
    return lambda run, asked: over([value(run, m, asked) for m in run.moments]) if run.moments else nan


def _numbers(run: Run, asked: Expectation) -> list[int]:
    return list(range(len(run.inverters))) if asked.inverter is None else [run.index(asked.inverter)]


def _battery(run: Run, moment: Moment, asked: Expectation) -> float:
    return fsum(moment.powers[n].battery_watts for n in _numbers(run, asked))


def _pv(run: Run, moment: Moment, asked: Expectation) -> float:
    return fsum(moment.powers[n].pv_watts for n in _numbers(run, asked))


def _ac(run: Run, moment: Moment, asked: Expectation) -> float:
    return fsum(moment.powers[n].ac_watts for n in _numbers(run, asked))


def _target(_run: Run, moment: Moment, asked: Expectation) -> float:
    chosen = [c for c in moment.commands if asked.inverter in (None, c.inverter)]
    return fsum(c.battery.watts for c in chosen if c.battery)


def _ac_limit(run: Run, moment: Moment, asked: Expectation) -> float:
    """The AC limit that is commanded; the rating where none is."""
    limits = {c.inverter: c.ac_limit_watts for c in moment.commands}
    names = run.simulation.inverters if asked.inverter is None else [asked.inverter]
    ratings = {name: run.simulation.inverters[name].ac_rating_watts for name in names}
    return fsum(ratings[name] if limits.get(name) is None else limits[name] or 0.0 for name in names)


def _soc(run: Run, moment: Moment, asked: Expectation) -> float:
    number = _numbers(run, asked)[0]
    battery = run.inverters[number].battery
    return 100.0 * moment.powers[number].stored_wh / battery.capacity_wh if battery else nan


def _site(_run: Run, moment: Moment, _asked: Expectation) -> float:
    return moment.site_watts


def _phases(moment: Moment) -> tuple[float, ...]:
    """What flows on each phase, import +."""
    return moment.phases.watts or (moment.site_watts / 3,)


def _failsafe_after_s(run: Run, asked: Expectation) -> float:
    return min((m.at_s for m in run.moments if m.mode == "failsafe"), default=inf) - asked.from_s


def _seconds_naming(run: Run, asked: Expectation) -> float:
    said = [m for m in run.moments if any(asked.reason in code_path(reason).split("/") for reason in _all_reasons(m))]
    return run.period_s * len(said)


def _all_reasons(moment: Moment) -> tuple[Reason, ...]:
    return (*moment.reasons, *(reason for command in moment.commands for reason in command.reasons))


def _jump_percent(run: Run, asked: Expectation) -> float:
    """The largest change of AC power from one moment to the next, in percent of the rating."""
    largest = 0.0
    for n in _numbers(run, asked):
        ac = [m.powers[n].ac_watts for m in run.moments]
        steps = [abs(b - a) for a, b in pairwise(ac)]
        largest = max(largest, 100.0 * max(steps, default=0.0) / run.inverters[n].ac_rating_watts)
    return largest


def _command_spread_percent(run: Run, asked: Expectation) -> float:
    """How far the battery commands of one inverter lie apart, in percent of its rating; the widest of all."""
    names = list(run.simulation.inverters) if asked.inverter is None else [asked.inverter]
    widest = 0.0
    for name in names:
        targets = [c.battery.watts for m in run.moments for c in m.commands if c.inverter == name and c.battery]
        spread = max(targets, default=0.0) - min(targets, default=0.0)
        widest = max(widest, 100.0 * spread / run.simulation.inverters[name].ac_rating_watts)
    return widest


def _swing_growth(run: Run, _asked: Expectation) -> float:
    """The spread of site power in the second half, as a multiple of the first half's (1 W counts as no spread)."""
    half = len(run.moments) // 2
    first, second = (pstdev(m.site_watts for m in part) for part in (run.moments[:half], run.moments[half:]))
    return max(second, 1.0) / max(first, 1.0)


OF_ONE_INVERTER = frozenset({"soc_least_percent", "soc_most_percent"})

MEASURES: Mapping[str, Measure] = {
    "seconds_above": lambda run, e: measures.seconds_above(run, e.limit, e.tolerance_percent),
    "longest_above_s": lambda run, e: measures.longest_above_s(run, e.limit, e.tolerance_percent),
    "watt_hours_above": lambda run, e: measures.watt_hours_above(run, e.limit, e.tolerance_percent),
    "mean_import_watts": lambda run, _: measures.mean_import_watts(run),
    "most_import_watts": _each(_site, max),
    "mean_export_watts": lambda run, _: measures.mean_export_watts(run),
    "most_export_watts": lambda run, _: max((LIMITED["export"](m) for m in run.moments), default=nan),
    "delivered_export_percent": lambda run, _: measures.delivered_export_percent(run),
    "settling_s": lambda run, e: measures.settling_s(run, run.nameplate_watts * e.tolerance_percent / 100),
    "seconds_to_charging": lambda run, e: measures.seconds_to_charging(run, e.percent),
    "avoidable_curtailed_percent": lambda run, _: measures.avoidable_curtailed_percent(run),
    "avoidable_curtailed_wh": lambda run, _: measures.avoidable_curtailed_wh(run),
    "avoidable_imported_wh": lambda run, _: measures.avoidable_imported_wh(run),
    "direction_changes": lambda run, e: measures.direction_changes(run, e.inverter),
    "unforced_direction_changes": lambda run, _: measures.unforced_direction_changes(run),
    "command_changes": lambda run, e: measures.command_changes(run, e.inverter),
    "command_spread_percent": _command_spread_percent,
    "energy_gap_wh": lambda run, _: measures.energy_gap_wh(run),
    "mean_battery_watts": _each(_battery, fmean),
    "least_battery_watts": _each(_battery, min),
    "most_battery_watts": _each(_battery, max),
    "mean_target_watts": _each(_target, fmean),
    "least_pv_watts": _each(_pv, min),
    "mean_pv_watts": _each(_pv, fmean),
    "mean_ac_watts": _each(_ac, fmean),
    "most_ac_limit_watts": _each(_ac_limit, max),
    "soc_least_percent": _each(_soc, min),
    "soc_most_percent": _each(_soc, max),
    "jump_percent": _jump_percent,
    "swing_growth": _swing_growth,
    "failsafe_after_s": _failsafe_after_s,
    "seconds_in_failsafe": lambda run, _: run.period_s * sum(m.mode == "failsafe" for m in run.moments),
    "seconds_naming": _seconds_naming,
    "highest_volts": _each(lambda _run, moment, _asked: max(moment.phases.volts), max),
    "most_phase_export_watts": _each(lambda _run, moment, _asked: -min(_phases(moment)), max),
    "most_phase_import_watts": _each(lambda _run, moment, _asked: max(_phases(moment)), max),
    "trips": _each(lambda _run, moment, _asked: float(moment.trips), max),
}
"""What can be measured. Watts: site power import +, battery charging +, AC into the site +."""
