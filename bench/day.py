"""A whole day of a three-inverter site in virtual time, as rehearsals and scenarios play it: how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.progress import Watch
from bench.tables import Cell, table
from orchestrator import control
from orchestrator.loop.site_loop import Controller
from orchestrator.simulation.scenarios.scenario import SCENARIOS, load_scenario, moments
from orchestrator.simulation.virtual_time import VirtualTime

SCENARIO: Final = "a_day"
TITLE: Final = (
    f"A day of three inverters in virtual time (scenario {SCENARIO}): a decision each second, physics included."
)
COLUMNS: Final = ("decisions", "simulated s", "CPU s", "wall s", "us per simulated s")
KINDS: Final[Sequence[tuple[str, Controller]]] = (
    ("without words, as in a rehearsal", partial(control.step, explain=False)),
    ("with reasons and live numbers", control.step),
)
MOMENTS_A_REDRAW: Final = 2000


@dataclass(frozen=True, slots=True)
class DayTime:
    """So many simulated seconds in so many seconds of CPU time, and of a clock on the wall."""

    kind: str
    simulated_s: float
    cpu_s: float
    wall_s: float


def report(times: Sequence[DayTime]) -> str:
    """The table."""
    return table(TITLE, COLUMNS, [_row(each) for each in times])


def measure(seconds: float, progress: Watch) -> list[DayTime]:
    """The first `seconds` of the day, in each kind."""
    times = []
    for number, (kind, controller) in enumerate(KINDS):
        times.append(_play(kind, controller, seconds, partial(_tell, progress, number)))
    return times


def _tell(progress: Watch, number: int, part: float) -> None:
    """So much (0 to 1) of the day of this kind is over."""
    progress.done((number + part) / len(KINDS))


def _play(kind: str, controller: Controller, seconds: float, done: Callable[[float], None]) -> DayTime:
    scenario = load_scenario(SCENARIOS / f"{SCENARIO}.yaml").model_copy(update={"duration_s": seconds})
    loop = VirtualTime(scenario.site_config(), controller=controller, keep_results=False)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for number, moment in enumerate(moments(scenario, loop), 1):
        if number % MOMENTS_A_REDRAW == 0:
            done(moment.at_s / seconds)
    return DayTime(kind, seconds, time.process_time() - cpu_s, time.perf_counter() - wall_s)


def _row(each: DayTime) -> tuple[Cell, ...]:
    return each.kind, round(each.simulated_s), each.cpu_s, each.wall_s, 1e6 * each.cpu_s / each.simulated_s
