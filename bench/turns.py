"""`python -m bench.turns --before ../other`: what `orchestrator run` costs here and in another tree, by turns.

Each turn is a run of its own, as a user starts it, with MQTT and metrics; devices, broker and the one who reads the
metrics are other processes. The machine may be busy: compare what was measured next to each other, and the least.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any, Final

import yaml

from bench.devices import Devices, served
from bench.program import broker, cpu_s, free_port, memory_mib, program, threads, totals, wait_for_decisions
from bench.sites import CASES, Case
from bench.tables import Cell, table
from orchestrator.config.sections import SiteConfig, SumMeterConfig

HERE: Final = Path(__file__).parents[1]
SETTLES_S: Final = 6.0
SCRAPE_EVERY_S: Final = 15.0
"""As Prometheus does by default."""
TITLE: Final = "By turns, with MQTT and metrics: the least of all turns, of what must not happen the most."
COLUMNS: Final = (
    *("case", "tree", "CPU s/min", "cycles/s", "messages/s", "requests/s", "writes/s", "failed", "not normal"),
    *("error kW", "settles s", "longest s", "command ms", "threads", "MiB"),
)
MOST_OF: Final = ("failed", "not normal", "longest s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where there is no Mosquitto, or a program does not come to run."""
    options = _parser().parse_args(arguments)
    if which("mosquitto") is None:
        print("the bench by turns needs mosquitto", file=sys.stderr)
        return 1
    trees = {"before": options.before.resolve(), "now": HERE} if options.before else {"now": HERE}
    load, rows = os.getloadavg()[0], list[Sequence[Cell]]()
    for name in options.only:
        turns: dict[str, list[tuple[Cell, ...]]] = {tree: [] for tree in trees}
        for number in range(options.turns):
            for tree, folder in trees.items():
                try:
                    turn = measure(CASES[name], folder, options.seconds)
                except (OSError, TimeoutError) as error:
                    print(f"the bench cannot go on: {error}", file=sys.stderr)
                    return 1
                turns[tree].append(turn)
                said = table(f"turn {number + 1} of {options.turns}", COLUMNS, [(name, tree, *turn)])
                print(said, file=sys.stderr, flush=True)
        rows += [(name, tree, *joined(each)) for tree, each in turns.items()]
    print(table(f"{TITLE} Load average {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end.", COLUMNS, rows))
    return 0


def measure(case: Case, tree: Path, seconds: float) -> tuple[Cell, ...]:
    """The cells after the first two for one run of `tree`'s program. Raises OSError or TimeoutError."""
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as broker_port:
        sections, metrics_port = case.sections(folder), free_port()
        mqtt = {"host": "127.0.0.1", "port": broker_port}
        sections["publish"] = {"mqtt": {**mqtt, "topic": "site/bench"}}
        sections["setpoints"] = {**sections["setpoints"], "mqtt": {**mqtt, "topic": "site/bench/setpoints"}}
        sections["metrics"] = {"host": "127.0.0.1", "port": metrics_port}
        config = SiteConfig.model_validate(sections)
        with served(config, load_step_every_s=case.load_step_every_s) as devices:
            path = Path(folder) / "site.yaml"
            path.write_text(yaml.safe_dump(_with_ports(sections, devices.config)), encoding="utf-8")
            with program(tree, path) as process:
                wait_for_decisions(metrics_port, process)
                time.sleep(min(SETTLES_S, seconds))
                return _measured(process.pid, metrics_port, devices, seconds)


def _measured(pid: int, port: int, devices: Devices, seconds: float) -> tuple[Cell, ...]:
    devices.look()
    before, cpu_before_s, began_s = totals(port), cpu_s(pid), time.monotonic()
    scrape_at_s = began_s
    while (rest_s := began_s + seconds - time.monotonic()) > 0:
        scrape_at_s += SCRAPE_EVERY_S
        time.sleep(min(rest_s, max(0.0, scrape_at_s - time.monotonic())))
        after = totals(port)
    used_s, passed_s = cpu_s(pid) - cpu_before_s, time.monotonic() - began_s
    seen, gone = devices.look(), after - before
    return (
        60.0 * used_s / passed_s,
        gone.cycles / passed_s,
        gone.messages / passed_s,
        gone.requests / passed_s,
        gone.writes / passed_s,
        int(gone.failed),
        int(gone.not_normal),
        seen.error_watts / 1e3,
        seen.settles_s,
        seen.longest_s,
        1e3 * gone.command_s / gone.commands if gone.commands else None,
        threads(pid),
        memory_mib(pid),
    )


def _with_ports(sections: dict[str, Any], config: SiteConfig) -> dict[str, Any]:
    """The same sections with the ports where the devices are served."""
    ports = {inverter.name: inverter.port for inverter in config.inverters}
    inverters = [each if "serial" in each else {**each, "port": ports[each["name"]]} for each in sections["inverters"]]
    meter, served_at = sections["meter"], config.meter
    if "serial" not in meter and not isinstance(served_at, SumMeterConfig):
        meter = {**meter, "port": served_at.port}
    return {
        **sections,
        "meter": meter,
        "inverters": inverters,
    }


def joined(turns: Sequence[tuple[Cell, ...]]) -> list[Cell]:
    """One row of several turns."""
    cells: list[Cell] = []
    for name, values in zip(COLUMNS[2:], zip(*turns, strict=True), strict=True):
        known = [value for value in values if isinstance(value, int | float)]
        cells.append((max if name in MOST_OF else min)(known, default=None))
    return cells


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.turns", description="What the program costs, by turns.")
    parser.add_argument("--before", type=Path, help="another tree of this project, to compare with")
    parser.add_argument("--only", nargs="+", choices=CASES, default=tuple(CASES), help="not all cases")
    parser.add_argument("--turns", type=int, default=2, help="runs of each case and tree (2)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is measured (20)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
