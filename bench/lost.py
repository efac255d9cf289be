"""Where energy is lost in vain: every scenario, by us and by perfect knowledge that has the same devices and delays.

In virtual time: the same on every machine. The scenarios are those of the program, and some of our own where much was
lost once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum
from pathlib import Path
from typing import Final

from bench.progress import Watch
from bench.tables import Cell, table
from orchestrator import control
from orchestrator.loop.site_loop import Controller
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import (
    LIMITED,
    avoidable_curtailed_wh,
    avoidable_imported_wh,
    mean_battery_miss_watts,
    seconds_above,
)
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.rehearsal.known import PerfectKnowledge
from orchestrator.simulation.scenarios.scenario import Scenario, moments
from orchestrator.simulation.virtual_time import VirtualTime

TITLE: Final = """\
Lost in vain, in Wh against the best of each second, by us and by perfect knowledge of the present with the same delays.
Above limits: by more than 2 % of nameplate. Batteries miss what they should do by so many W, in the mean."""
COLUMNS: Final = (
    *("scenario", "curtailed", "known", "imported", "known", "s above", "known", "batteries miss W", "known"),
)
SCENARIOS: Final = Path(__file__).parent / "scenarios"
"""Ours alone."""

LEFT_OUT: Final = ("killed_", "a_day")
"""Nobody is in control for most of the time, or it takes long and says little."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What a run has lost: Wh curtailed and imported, seconds above limits, and by how many W batteries missed."""

    curtailed_wh: float
    imported_wh: float
    above_s: float
    miss_watts: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One scenario, by us and by perfect knowledge."""

    scenario: str
    ours: Lost
    known: Lost

    def row(self) -> tuple[Cell, ...]:
        """The cells of `COLUMNS`."""
        ours, known = self.ours, self.known
        return (
            self.scenario,
            *(ours.curtailed_wh, known.curtailed_wh, ours.imported_wh, known.imported_wh),
            *(ours.above_s, known.above_s, ours.miss_watts, known.miss_watts),
        )


def report(compared: Sequence[Compared]) -> str:
    """The table, with the sums of all but the last column."""
    sums = [fsum(column) for column in zip(*(_numbers(each) for each in compared), strict=True)]
    return table(TITLE, COLUMNS, [*(each.row() for each in compared), ("all of them", *sums[:6], None, None)])


def measure(scenarios: Mapping[str, Scenario], progress: Watch) -> list[Compared]:
    """Play every scenario but those of `LEFT_OUT`, twice."""
    compared = []
    for name, scenario in scenarios.items():
        progress.begin(f"lost in {name}")
        if not name.startswith(LEFT_OUT):
            ours = lost_by(scenario, partial(control.step, explain=False))
            compared.append(Compared(name, ours, lost_by(scenario, PerfectKnowledge())))
    return compared


def lost_by(scenario: Scenario, controller: Controller) -> Lost:
    """What is lost in a scenario while `controller` decides."""
    config = scenario.site_config()
    loop = VirtualTime(config, controller=controller, keep_results=False)
    if isinstance(controller, PerfectKnowledge):
        controller.site = loop.site
        controller.meter_lies = partial(_meter_lies, loop)
    run = Run.of(config, tuple(moments(scenario, loop)))
    return Lost(
        avoidable_curtailed_wh(run),
        avoidable_imported_wh(run),
        fsum(seconds_above(run, limit) for limit in LIMITED),
        mean_battery_miss_watts(run),
    )


def _meter_lies(loop: VirtualTime) -> bool:
    """Whether the failsafe has to hold: the meter is frozen, or reversed though site.yaml names its sign."""
    fault = loop.meter_fault
    return fault is MeterDefect.FROZEN or (fault is MeterDefect.REVERSED and loop.config.meter.sign != "auto")


def _numbers(each: Compared) -> list[float]:
    return [number for number in each.row() if isinstance(number, float)]
