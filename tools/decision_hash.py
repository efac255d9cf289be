"""A fingerprint of every decision, to see that a refactoring leaves them the same.

Plays each scenario of the project and random plants in virtual time, and prints for each how many commands were given
to inverters and a hash of all of them, in every cycle and every field but the words of the reasons. Write the lines of
two trees into files and compare them (under three minutes of CPU time each, in two processes):

    python -m tools.decision_hash --out /tmp/before.txt     # in the tree as it was
    python -m tools.decision_hash --out /tmp/after.txt      # in the tree as it is
    diff /tmp/before.txt /tmp/after.txt                     # says nothing: every decision is the same

A line that differs names its plant; `--only NAME` plays that one alone, with `--commands` to see what it is told: the
`diff` of two such lists shows the first decision that is another one. `--random N` plays N plants of each kind.

The hash is of names and values (JSON with sorted keys, numbers to 9 digits, enums by value), not of classes: a record
may change its class or module, not its fields. Where floats are added up in another order, the last digits of a number
change and the loop carries them on: a difference of that size is a rounding, look at it with `--commands`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import fields, is_dataclass
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import Progress

from orchestrator.control import step
from orchestrator.simulation.scenarios.scenario import SCENARIOS, Scenario, load_scenario, moments
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.random_plants.random_scenarios import random_scenario
from tests.support.random_plants.wild_scenarios import wild_scenario

PROCESSES = 2
PLANTS = 150
"""Of each kind of random plants."""

KINDS: dict[str, Callable[[int], Scenario]] = {"random": random_scenario, "wild": wild_scenario}
WORDS = frozenset({"reasons"})
"""Fields that explain a decision and are no part of it."""

DIGITS = 9


class Fingerprint(NamedTuple):
    """What is printed of one plant."""

    name: str
    commands: int
    digest: str

    def __str__(self) -> str:
        return f"{self.name:<40} {self.commands:>8} {self.digest}"


def main() -> int:
    """Print the fingerprint of every plant, and of all together."""
    parser = argparse.ArgumentParser(prog="python -m tools.decision_hash", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--random", type=int, default=PLANTS, metavar="N", help=f"random plants of each kind ({PLANTS})"
    )
    parser.add_argument("--only", metavar="NAME", help="only this plant; * and ? stand for anything")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the lines to this file too")
    parser.add_argument("--commands", action="store_true", help="print the commands themselves, one a line")
    asked = parser.parse_args()
    names = [name for name in plants(asked.random) if asked.only is None or fnmatchcase(name, asked.only)]
    if not names:
        parser.error(f"no plant is called {asked.only}; names are like {', '.join(plants(1)[-3:])}")
    if asked.commands:
        lines = [f"{name} {command}" for name in names for command in commands_of(name)]
    else:
        lines = [str(each) for each in with_total(play_all(names))]
    text = "".join(f"{line}\n" for line in lines)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def plants(count: int) -> list[str]:
    """The names of all scenarios, and of `count` random plants of each kind."""
    scenarios = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    return scenarios + [f"{kind}-{seed}" for kind in KINDS for seed in range(count)]


def scenario_of(name: str) -> Scenario:
    """The plant of this name."""
    kind, _, seed = name.partition("-")
    return KINDS[kind](int(seed)) if seed else load_scenario(SCENARIOS / f"{name}.yaml")


def play_all(names: list[str]) -> list[Fingerprint]:
    """The fingerprints in the order of the names; a bar on a terminal says how many are done."""
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with bar as progress, ProcessPoolExecutor(PROCESSES) as pool:
        running = [pool.submit(fingerprint, name) for name in names]
        for _ in progress.track(as_completed(running), total=len(running), description="plants"):
            pass
        return [each.result() for each in running]


def with_total(made: list[Fingerprint]) -> list[Fingerprint]:
    """The same, and last one of all together."""
    digest = sha256("\n".join(map(str, made)).encode()).hexdigest()[:16]
    return [*made, Fingerprint("total", sum(each.commands for each in made), digest)]


def fingerprint(name: str) -> Fingerprint:
    """Play one plant and hash what its inverters are told."""
    digest, count = sha256(), 0
    for command in commands_of(name):
        digest.update(command.encode() + b"\n")
        count += 1
    return Fingerprint(name, count, digest.hexdigest()[:16])


def commands_of(name: str) -> Iterator[str]:
    """Every command that is decided on, as JSON and with its time.

    Those of every cycle, and those between two for a stricter limit, which get the time of the cycle that follows.
    """
    decided: list[Any] = []

    def decide(*seen: Any) -> Any:
        result = step(*seen)
        decided.append(result.commands)
        return result

    scenario = scenario_of(name)
    loop = VirtualTime(scenario.site_config(), controller=decide, keep_results=False)
    for moment in moments(scenario, loop):
        for commands in decided:
            for command in sorted(map(plain, commands), key=lambda command: str(command["inverter"])):
                yield json.dumps({"at_s": plain(moment.at_s), **command}, sort_keys=True)
        decided.clear()


def plain(value: Any) -> Any:
    """The same as JSON knows it, whatever record it is. Raise TypeError for what is no value."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return float(f"{value:.{DIGITS}g}") + 0.0  # no -0.0
    return plain_items(value)


def plain_items(value: Any) -> Any:
    """The same for what consists of other values."""
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value), key=json.dumps)
    if names := field_names(type(value)):  # type: ignore[arg-type]  # a class is hashable, whatever mypy says
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} is no value that can be hashed")


@cache
def field_names(record: Any) -> tuple[str, ...]:
    """The fields of a dataclass, a msgspec Struct or a named tuple but the words; nothing for any other class."""
    names = (each.name for each in fields(record)) if is_dataclass(record) else ()
    known = tuple(names) or getattr(record, "__struct_fields__", ()) or getattr(record, "_fields", ())
    return tuple(name for name in known if name not in WORDS)


if __name__ == "__main__":
    sys.exit(main())
