"""`python -m bench`: measure everything and print the tables. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench import core, day, lost, plant, reading, scoreboard
from bench.progress import Watch, watch
from orchestrator.simulation.scenarios.scenario import Scenario, load_scenarios

PARTS: Final = ("plant", "reading", "core", "day", "scoreboard", "lost")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    plants: tuple[plant.Case, ...]
    plant_s: float
    reading_s: float
    cores: tuple[int, ...]
    core_steps: int
    loop_steps: int
    day_s: float
    scenarios: Mapping[str, Scenario]
    lost: Mapping[str, Scenario]


FULL: Final = Extent(
    plants=(
        *(plant.Case(inverters) for inverters in (3, 10, 50, 100, 300)),
        *(plant.Case(inverters, is_steady=True) for inverters in (10, 100)),
    ),
    plant_s=20.0,
    reading_s=8.0,
    cores=(3, 10, 50, 100),
    core_steps=60,
    loop_steps=3000,
    day_s=86400.0,
    scenarios=load_scenarios(),
    lost=load_scenarios() | load_scenarios(lost.SCENARIOS),
)
ONE: Final = {"limit_steps": FULL.scenarios["limit_steps"]}
QUICK: Final = Extent((plant.Case(1),), 2.6, 0.1, (1, 3), 5, 20, 60.0, ONE, ONE)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 1 where something could not be measured."""
    options = _parser().parse_args(arguments)
    parts, extent, machine = options.only, QUICK if options.quick else FULL, _machine()
    steps = [
        len(extent.plants) * ("plant" in parts),
        "reading" in parts,
        "core" in parts,
        "day" in parts,
        len(extent.scenarios) * ("scoreboard" in parts),
        len(extent.lost) * ("lost" in parts),
    ]
    try:
        with watch(sum(steps)) as progress:
            reports = [_measure(part, extent, progress) for part in PARTS if part in parts]
    except KeyboardInterrupt:
        return 130
    except (OSError, TimeoutError) as error:
        print(f"the bench cannot go on: {error}", file=sys.stderr)
        return 1
    print("\n\n".join([machine, *reports]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the orchestrator costs, measured.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="not everything")
    parser.add_argument("--quick", action="store_true", help="see that it works; the numbers mean nothing")
    return parser


def _measure(part: str, extent: Extent, progress: Watch) -> str:
    if part == "plant":
        return plant.report([_plant(case, extent.plant_s, progress) for case in extent.plants])
    if part == "reading":
        progress.begin("reading one hybrid")
        return reading.report(*reading.measure(extent.reading_s))
    if part == "day":
        progress.begin("a day in virtual time, twice")
        return day.report(day.measure(extent.day_s, progress))
    if part == "scoreboard":
        return scoreboard.report(scoreboard.measure(extent.scenarios, progress))
    if part == "lost":
        return lost.report(lost.measure(extent.lost, progress))
    progress.begin("decisions in virtual time")
    times = [core.measure_step(inverters, extent.core_steps) for inverters in extent.cores]
    return core.report(times, core.measure_loop(extent.loop_steps))


def _plant(case: plant.Case, seconds: float, progress: Watch) -> plant.PlantResult:
    progress.begin(f"plant of {case.inverters}, load {case.load}, {seconds:g} s")
    return plant.measure(case, seconds, progress)


def _machine() -> str:
    """When and where: the numbers mean nothing without it. A machine that is busy already measures its neighbours."""
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, load average {os.getloadavg()[0]:.1f} at the start"


if __name__ == "__main__":
    sys.exit(main())
