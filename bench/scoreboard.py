"""How well the site is controlled: every scenario of the simulation, controlled by us, by nobody, and by a plain rule.

In virtual time: the same on every machine, and the only part of the bench that does not measure this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum
from typing import Final

from bench.progress import Watch
from bench.tables import Cell, table
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import Score, score, settling_s
from orchestrator.simulation.rehearsal.day import WAYS, Way
from orchestrator.simulation.scenarios.scenario import Scenario, moments
from orchestrator.simulation.virtual_time import Moment, VirtualTime

TITLE: Final = """\
Scoreboard. Each scenario in virtual time, controlled in three ways. Above limits: by more than 2 % of nameplate, all
limits together. Curtailed, imported: only what perfect knowledge of light, load and batteries would have avoided."""
COLUMNS: Final = (
    *("scenario", "", "s above", "Wh above", "longest s", "settles in s"),
    *("curtailed Wh", "imported Wh", "turns", "writes", "as expected"),
)
TOLERANCE_PERCENT: Final = 2.0
UNSETTLED_PART: Final = 0.9
"""What takes longer than this part of its time has not settled."""
MOMENTS_A_REDRAW: Final = 500


@dataclass(frozen=True, slots=True)
class Scored:
    """One scenario, controlled in one way: its score, the longest settling, and how many of its expectations hold.

    `killed` says that the orchestrator is killed in it and does not come back.
    """

    scenario: str
    way: Way
    score: Score
    settling_s: float | None
    held: int
    expected: int
    killed: bool = False

    def row(self, first: bool) -> tuple[Cell, ...]:
        """The cells of `COLUMNS`; the scenario is named in its first row only."""
        return (self.scenario if first else "", self.way.title, *_cells([self]), f"{self.held} of {self.expected}")


def report(scored: Sequence[Scored]) -> str:
    """The table of all scenarios, and the sums for each way."""
    rows = [each.row(each.way is WAYS[0]) for each in scored]
    alive = [each for each in scored if not each.killed]
    rows += _sums("all of them", scored)
    if 0 < len(alive) < len(scored):
        rows += _sums("all but killed_...", alive)
    return table(TITLE, COLUMNS, rows)


def _sums(title: str, scored: Sequence[Scored]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for way in WAYS:
        mine = [each for each in scored if each.way is way]
        held = f"{sum(each.held for each in mine)} of {sum(each.expected for each in mine)}"
        rows.append((title if way is WAYS[0] else "", way.title, *_cells(mine), held))
    return rows


def measure(scenarios: Mapping[str, Scenario], progress: Watch) -> list[Scored]:
    """Play every scenario in every way."""
    scored = []
    for name, scenario in scenarios.items():
        progress.begin(f"scenario {name}")
        for number, way in enumerate(WAYS):
            run = _play(scenario, way, partial(_tell, progress, number))
            scored.append(_score(name, scenario, way, run))
    return scored


def _tell(progress: Watch, number: int, part: float) -> None:
    """So much (0 to 1) of the way of this number is done."""
    progress.done((number + part) / len(WAYS))


def _play(scenario: Scenario, way: Way, done: Callable[[float], None]) -> Run:
    config = scenario.site_config()
    seen: list[Moment] = []
    controller = way.controller if scenario.asks_why else way.wordless
    for moment in moments(scenario, VirtualTime(config, controller=controller, keep_results=False)):
        seen.append(moment)
        if len(seen) % MOMENTS_A_REDRAW == 0:
            done(moment.at_s / scenario.duration_s)
    return Run.of(config, seen)


def _score(name: str, scenario: Scenario, way: Way, run: Run) -> Scored:
    outcomes = scenario.judge(run)
    return Scored(
        name,
        way,
        score(run, tolerance_percent=TOLERANCE_PERCENT),
        _settling_s(scenario, run),
        sum(outcome.holds for outcome in outcomes),
        len(outcomes),
        killed=any(event.orchestrator == "killed" for event in scenario.timeline),
    )


def _settling_s(scenario: Scenario, run: Run) -> float | None:
    """How long the site took to settle after whatever happened, at worst: the start and each event of the time line.

    None where it did not: clouds never rest.
    """
    begins_s = sorted({0.0, *(event.at_s for event in scenario.timeline)})
    ends_s = [*begins_s[1:], scenario.duration_s]
    longest_s = 0.0
    for begin_s, end_s in zip(begins_s, ends_s, strict=True):
        settled_s = settling_s(run.between(begin_s, end_s), run.nameplate_watts * TOLERANCE_PERCENT / 100)
        if settled_s > UNSETTLED_PART * (end_s - begin_s):
            return None
        longest_s = max(longest_s, settled_s)
    return longest_s


def _cells(scored: Sequence[Scored]) -> tuple[Cell, ...]:
    """The numbers of one or of many: sums, but the longest of times that do not add up."""
    scores = [each.score for each in scored]
    return (
        fsum(each.seconds_above_limits for each in scores),
        fsum(each.watt_hours_above_limits for each in scores),
        max(each.longest_above_limits_s for each in scores),
        max((each.settling_s for each in scored if each.settling_s is not None), default=None),
        fsum(each.avoidable_curtailed_wh for each in scores),
        fsum(each.avoidable_imported_wh for each in scores),
        sum(each.direction_changes for each in scores),
        sum(each.command_changes for each in scores),
    )
