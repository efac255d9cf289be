"""The pure part alone: `control.step`, and the loop with the virtual site in virtual time. No thread, no socket."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.sites import LOAD_WATTS, STEP_WATTS, site_of
from bench.tables import Cell, percentile, table
from orchestrator import control
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import CycleResult
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.simulation.site import VirtualSite

PERIOD_S: Final = 1.0
SETTLE_STEPS: Final = 10
STEPS_BETWEEN_LOADS: Final = 4
LOOP_INVERTERS: Final = 3
STEP_TITLE: Final = "control.step, CPU us, in a loop whose load steps."
STEP_COLUMNS: Final = ("inverters", "steps", "p50", "p99", "p50 per inverter")
LOOP_TITLE: Final = "The loop in virtual time: physics in steps of 0.05 s, a decision each second."
LOOP_COLUMNS: Final = ("inverters", "simulated s", "simulated s per CPU s", "decisions %", "physics %")


class VirtualTime:
    """A site under control whose clock goes as fast as this machine. `step_s` has the CPU time of each decision."""

    def __init__(self, config: SiteConfig) -> None:
        self.step_s: list[float] = []
        self._config = config
        self._site = VirtualSite(config)
        self._state = ControlState()
        self._envelope = merge([Setpoint("fixed", config.setpoints.fixed)])

    def run(self, steps: int) -> None:
        """Let so many seconds pass, with one decision in each; the load steps every few of them."""
        for _ in range(steps):
            high = len(self.step_s) // STEPS_BETWEEN_LOADS % 2
            self._site.set_load(len(self._config.inverters) * (LOAD_WATTS + high * STEP_WATTS))
            self._site.advance(PERIOD_S)
            for command in self._decide().commands:
                self._site.apply(command, self._site.now_s)

    def _decide(self) -> CycleResult:
        now_s = self._site.now_s
        samples = tuple(self._site.inverter_sample(each.name, now_s) for each in self._config.inverters)
        snapshot = SiteSnapshot(now_s, self._site.meter_sample(now_s), samples)
        began_s = time.process_time()
        result = control.step(self._config, self._state, snapshot, self._envelope, now_s)
        self.step_s.append(time.process_time() - began_s)
        self._state = result.state
        return result


@dataclass(frozen=True, slots=True)
class StepTimes:
    """CPU seconds of each decision for so many inverters."""

    inverters: int
    step_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LoopSpeed:
    """So many simulated seconds in so many seconds of CPU time, of which decisions took `decisions_s`."""

    inverters: int
    simulated_s: float
    cpu_s: float
    decisions_s: float


def report(times: Sequence[StepTimes], loop: LoopSpeed) -> str:
    """Both tables."""
    decisions_percent = 100.0 * loop.decisions_s / loop.cpu_s
    loop_row = (
        loop.inverters,
        loop.simulated_s,
        loop.simulated_s / loop.cpu_s,
        decisions_percent,
        100.0 - decisions_percent,
    )
    steps = table(STEP_TITLE, STEP_COLUMNS, [_step_row(each) for each in times])
    return "\n\n".join([steps, table(LOOP_TITLE, LOOP_COLUMNS, [loop_row])])


def measure_step(inverters: int, steps: int) -> StepTimes:
    """Decisions for so many inverters, from the moment the plant has settled."""
    loop = VirtualTime(site_of(inverters))
    loop.run(SETTLE_STEPS + steps)
    return StepTimes(inverters, tuple(loop.step_s[SETTLE_STEPS:]))


def measure_loop(steps: int) -> LoopSpeed:
    """The whole loop of three inverters, physics included, for `steps` simulated seconds."""
    loop = VirtualTime(site_of(LOOP_INVERTERS))
    loop.run(SETTLE_STEPS)
    began_s, decided_s = time.process_time(), sum(loop.step_s)
    loop.run(steps)
    cpu_s = time.process_time() - began_s
    return LoopSpeed(LOOP_INVERTERS, steps * PERIOD_S, cpu_s, sum(loop.step_s) - decided_s)


def _step_row(times: StepTimes) -> tuple[Cell, ...]:
    microseconds = [1e6 * step_s for step_s in times.step_s]
    half = percentile(microseconds, 50)
    per_inverter = None if half is None else half / times.inverters
    return times.inverters, len(microseconds), half, percentile(microseconds, 99), per_inverter
