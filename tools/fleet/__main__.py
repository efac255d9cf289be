"""Runs a fleet, tries it, and prints what it costs: `python -m tools.fleet --sites 100 300 1000`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.program import free_port
from orchestrator.config.sections import Broker
from orchestrator.setpoints.fields import SetpointFields
from tools.fleet.board import of_the_board, unanswered
from tools.fleet.eyes import Eyes, waits_for
from tools.fleet.parts import (
    HOST,
    Brokers,
    FleetError,
    Part,
    brokers,
    light_sites,
    metrics_agent,
    metrics_store,
    portfolio,
    real_site,
    wait_for_port,
)

REAL: Final = 5
HEARD_WITHIN_S: Final = 120.0
REACHED_WITHIN_S: Final = 90.0
HELD_FOR_S: Final = 10.0
BOARD_WITHIN_S: Final = 30.0
CLOSE_PART: Final = 0.01
"""A target is reached, and held, within 1 % of it."""
PART_OF_POWER: Final = 0.3
"""What is asked of the batteries, as a part of all they can do."""


@dataclass
class Fleet:
    """What runs."""

    sites: int
    folder: Path
    at: Brokers
    nodes: list[Part]
    portfolio: Part
    others: list[Part]
    eyes: Eyes
    store_port: int | None
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> list[Part]:
        """All programs."""
        return [*self.nodes, self.portfolio, *self.others]


def main() -> int:
    """Each size once; 1 where a part is missing or a target was not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, nargs="+", default=[1000], help="how many sites, real and light")
    parser.add_argument("--stay", action="store_true", help="run on until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    rows: list[dict[str, str]] = []
    try:
        for sites in options.sites:
            rows.append(_run(sites, stay=options.stay and sites == options.sites[-1]))
    except FleetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ended", flush=True)
        return 130
    print("\n" + _table(rows))
    return 0 if all("not reached" not in " ".join(row.values()) for row in rows) else 1


def _run(sites: int, *, stay: bool) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder, ExitStack() as running:
        fleet = _start(sites, Path(folder), running)
        figures = fleet.figures
        figures["sites"] = str(sites)
        _try_targets(fleet)
        _measure(fleet)
        _ask_the_board(fleet)
        _kill_the_portfolio(fleet)
        _kill_a_node(fleet)
        if stay:
            print("everything runs; Ctrl-C ends it", flush=True)
            threading.Event().wait()
        return figures


def _start(sites: int, folder: Path, running: ExitStack) -> Fleet:
    names = [f"site-{number:04}" for number in range(sites)]
    at, nodes = brokers(folder)
    for node, port in zip(nodes, at.ports, strict=True):
        _begin(node, running)
        wait_for_port(port, node)
    print(f"{sites} sites on {len(nodes)} broker{'s' * (len(nodes) > 1)}, files in {folder}", flush=True)
    time.sleep(3.0 if len(nodes) > 1 else 0.0)  # a cluster elects its leader first
    real = min(REAL, sites)
    scraped = {name: free_port() for name in ("portfolio", *names[:real])}
    others = [real_site(folder, name, at, n % len(at.ports), scraped[name]) for n, name in enumerate(names[:real])]
    others.append(light_sites(folder, names[real:], at))
    store_port = free_port()
    store = metrics_store(folder, store_port)
    agent = None if store is None else metrics_agent(folder, tuple(scraped.values()), store_port)
    others += [each for each in (store, agent) if each is not None]
    above = portfolio(folder, names, at, scraped["portfolio"])
    for part in (*others, above):
        _begin(part, running)
    eyes = Eyes(Broker.model_validate(at.at(len(at.ports) - 1)))
    running.callback(eyes.close)
    fleet = Fleet(sites, folder, at, nodes, above, others, eyes, None if store is None else store_port)
    if not waits_for(lambda: eyes.heard >= sites, HEARD_WITHIN_S):
        raise FleetError(f"only {eyes.heard} of {sites} sites speak after {HEARD_WITHIN_S:g} s")
    print(f"all {sites} sites speak", flush=True)
    return fleet


def _begin(part: Part, running: ExitStack) -> None:
    part.start()
    running.callback(part.stop)


def _try_targets(fleet: Fleet) -> None:
    """Up, down, and back up: MW for all batteries."""
    took: list[str] = []
    for direction in (1, -1):
        name = "charge_max_watts" if direction > 0 else "discharge_max_watts"
        target = direction * PART_OF_POWER * fleet.eyes.battery(name)
        took.append(_ask(fleet, target))
    fleet.figures["target reached after"] = ", ".join(took)


def _ask(fleet: Fleet, target_watts: float) -> str:
    fleet.eyes.ask(SetpointFields(battery_target_watts=target_watts, battery_grid_charging_enabled=True))
    took = fleet.eyes.reaches(target_watts, CLOSE_PART * abs(target_watts), REACHED_WITHIN_S)
    if took is None:
        print(
            f"target {target_watts / 1e6:.3f} MW: not reached, {fleet.eyes.battery('watts') / 1e6:.3f} MW", flush=True
        )
        return "not reached"
    away = fleet.eyes.farthest(target_watts, HELD_FOR_S) / abs(target_watts)
    text = f"{took:.1f} s (then within {100 * away:.1f} %)"
    print(f"target {target_watts / 1e6:.3f} MW reached after {text}", flush=True)
    return text


def _measure(fleet: Fleet) -> None:
    """Messages, processor and memory of each part, over some seconds of holding."""
    counts, cpu = dict(fleet.eyes.counts), {part.name: part.cpu_s() for part in fleet.parts}
    began_s = time.monotonic()
    time.sleep(HELD_FOR_S)
    seconds = time.monotonic() - began_s
    said = {kind: (count - counts.get(kind, 0)) / seconds for kind, count in fleet.eyes.counts.items()}
    fleet.figures["messages/s"] = ", ".join(f"{kind} {rate:.0f}" for kind, rate in sorted(said.items()))
    rows: list[tuple[str, float, float]] = [
        (part.name, 100 * (part.cpu_s() - cpu[part.name]) / seconds, part.memory_mib())
        for part in fleet.parts
        if part.process is not None
    ]
    print(f"{'part':<18} {'CPU':>7} {'memory':>10}")
    for name, percent, mib in rows:
        print(f"{name:<18} {percent:6.1f}% {mib:7.1f} MiB")
    groups: dict[str, Callable[[str], bool]] = {
        "portfolio": lambda name: name == "portfolio",
        "brokers": lambda name: name.startswith("broker"),
        "light sites": lambda name: name == "light-sites",
        "a real site": lambda name: name.startswith("site-"),
    }
    for group, belongs in groups.items():
        of_group = [row for row in rows if belongs(row[0])]
        share = len(of_group) if group == "a real site" else 1
        percent = sum(row[1] for row in of_group) / max(share, 1)
        mib = sum(row[2] for row in of_group) / max(share, 1)
        fleet.figures[group] = f"{percent:.0f} %, {mib:.0f} MiB"
    print(f"messages a second: {fleet.figures['messages/s']}", flush=True)


def _ask_the_board(fleet: Fleet) -> None:
    """Whether the store, which is written to by remote write, answers the board Fleet."""
    if fleet.store_port is None:
        return
    url = f"http://{HOST}:{fleet.store_port}"
    missing = list[str]()

    def answers() -> bool:
        missing[:] = unanswered(url)
        return not missing

    waits_for(answers, BOARD_WITHIN_S)
    text = f"{len(of_the_board()) - len(missing)} of {len(of_the_board())}"
    print("\n".join([f"queries of the board Fleet that VictoriaMetrics answers: {text}", *missing]), flush=True)
    fleet.figures["board answered"] = text if not missing else f"{text}, not reached"


def _kill_the_portfolio(fleet: Fleet) -> None:
    fleet.portfolio.kill()
    time.sleep(2.0)
    fleet.portfolio.start()
    fleet.figures["portfolio killed, next target"] = _ask(fleet, _half(fleet))


def _kill_a_node(fleet: Fleet) -> None:
    """One node of the cluster: a third of it. The sites that were there go elsewhere."""
    if len(fleet.nodes) < 2:
        return
    fleet.nodes[0].kill()
    fleet.figures["node killed, next target"] = _ask(fleet, -_half(fleet))
    heard = waits_for(lambda: fleet.eyes.heard >= fleet.sites, HEARD_WITHIN_S)
    fleet.figures["sites after that"] = f"{fleet.eyes.heard}" if heard else f"{fleet.eyes.heard}, not reached"


def _half(fleet: Fleet) -> float:
    return 0.5 * PART_OF_POWER * fleet.eyes.battery("charge_max_watts")


def _table(rows: Sequence[dict[str, str]]) -> str:
    """One column for each size."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(["", *(row["sites"] for row in rows)]) + " |", "|---" * (len(rows) + 1) + "|"]
    lines += ["| " + " | ".join([name, *(row.get(name, "") for row in rows)]) + " |" for name in names[1:]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
