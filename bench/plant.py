"""The whole plant: actors, threads and Modbus, against virtual devices in another process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from actors.clock import RealClock
from actors.system import start_system
from bench.counting import Counted, Counting
from bench.devices import served
from bench.process import cost_of_other_threads, memory_mib, threads
from bench.progress import Watch
from bench.sites import site_of
from bench.tables import Cell, percentile, table
from orchestrator.config.sections import SiteConfig

START_WITHIN_S: Final = 30.0
SETTLE_S: Final = 4.0
"""The first cycles write everything, and batteries take seconds to reach their targets."""
LAST_WRITES_S: Final = 0.5
LOAD_STEP_EVERY_S: Final = 2.0
COST_TITLE: Final = "Plant, cost. Reads, writes and CPU ms are per inverter and cycle, CPU % is of one core."
COST_COLUMNS: Final = (
    *("inverters", "load", "cycles/s", "reads", "writes", "CPU ms", "CPU %", "threads", "MiB", "devices CPU %"),
)
TIME_TITLE: Final = (
    "Plant, reaction. ms from a new value of the meter to the decision, and to the last acknowledged write."
)
TIME_COLUMNS: Final = (*("inverters", "load", "cycles", "decided p50", "p99", "wrote", "written p50", "p99", "faults"),)


@dataclass(frozen=True, slots=True)
class Case:
    """A plant to measure: so many inverters, under a load that jumps every two seconds or one that stays."""

    inverters: int
    is_steady: bool = False

    @property
    def load(self) -> str:
        """In one word."""
        return "steady" if self.is_steady else "steps"


@dataclass(frozen=True, slots=True)
class Usage:
    """What this process used: CPU seconds of all threads but the main one, over `seconds`."""

    seconds: float
    cpu_s: float
    threads: int
    memory_mib: float | None


@dataclass(frozen=True, slots=True)
class PlantResult:
    """One plant, measured for a while."""

    case: Case
    counted: Counted
    usage: Usage
    devices_cpu_percent: float

    def cost(self) -> tuple[Cell, ...]:
        """The cells of `COST_COLUMNS`."""
        case, counted, usage = self.case, self.counted, self.usage
        each = counted.cycles * case.inverters
        cycles_per_s = counted.cycles / counted.seconds
        cpu_share = usage.cpu_s / usage.seconds
        return (
            case.inverters,
            case.load,
            cycles_per_s,
            counted.reads / each,
            counted.writes / each,
            1000.0 * cpu_share / cycles_per_s / case.inverters,
            100.0 * cpu_share,
            usage.threads,
            usage.memory_mib,
            self.devices_cpu_percent,
        )

    def times(self) -> tuple[Cell, ...]:
        """The cells of `TIME_COLUMNS`."""
        case, counted = self.case, self.counted
        return (
            case.inverters,
            case.load,
            len(counted.decided_s),
            *_milliseconds(counted.decided_s),
            len(counted.written_s),
            *_milliseconds(counted.written_s),
            counted.faults,
        )


def report(results: Sequence[PlantResult]) -> str:
    """Both tables of all plants."""
    costs = table(COST_TITLE, COST_COLUMNS, [result.cost() for result in results])
    return "\n\n".join([costs, table(TIME_TITLE, TIME_COLUMNS, [result.times() for result in results])])


def measure(case: Case, seconds: float, watch: Watch) -> PlantResult:
    """Run a plant; measure for `seconds` once it has settled. Raises OSError or TimeoutError where it does not run."""
    with tempfile.TemporaryDirectory() as state_dir:
        config = site_of(case.inverters, state_dir, is_steady=case.is_steady)
        with served(config, load_step_every_s=None if case.is_steady else LOAD_STEP_EVERY_S) as devices:
            counted, usage = _run(devices.config, seconds, watch)
    return PlantResult(case, counted, usage, devices.cpu_percent)


def _run(config: SiteConfig, seconds: float, watch: Watch) -> tuple[Counted, Usage]:
    counting = Counting(len(config.inverters))
    clock = RealClock()
    system = start_system(config, clock=clock, observer=counting, listeners=(counting,))
    try:
        if not counting.is_running.wait(START_WITHIN_S):
            raise TimeoutError(f"the plant of {len(config.inverters)} inverters did not come to run")
        watch.wait(min(SETTLE_S, seconds / 2))
        begin_s = time.monotonic()
        usage = _usage(seconds, watch)
        end_s = time.monotonic()
        watch.wait(LAST_WRITES_S)
        return counting.count(begin_s, end_s), usage
    finally:
        system.stop()
        clock.close()


def _usage(seconds: float, watch: Watch) -> Usage:
    before = cost_of_other_threads()
    watch.wait(seconds)
    after = cost_of_other_threads()
    return Usage(after.at_s - before.at_s, after.cpu_s - before.cpu_s, threads(), memory_mib())


def _milliseconds(times_s: Sequence[float]) -> tuple[float | None, float | None]:
    """Median and 99th percentile."""
    times_ms = [1000.0 * time_s for time_s in times_s]
    return percentile(times_ms, 50), percentile(times_ms, 99)
