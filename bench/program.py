"""The program in a process of its own, and what it tells of itself from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from actors.commands.run.broker import is_broker_listening

STARTS_WITHIN_S: Final = 300.0
ENDS_WITHIN_S: Final = 60.0
ASK_EVERY_S: Final = 0.3
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PAGES_PER_MIB: Final = 2**20 / os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Totals:
    """What the program has counted since it started; `not_normal` are cycles, `messages` those of all actors.

    `command_s` is the time from commands that wrote something to their acknowledgement, in sum.
    """

    cycles: float = 0.0
    not_normal: float = 0.0
    requests: float = 0.0
    failed: float = 0.0
    writes: float = 0.0
    commands: float = 0.0
    command_s: float = 0.0
    messages: float = 0.0

    def __sub__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


NAMES: Final = {
    "cycles": "orchestrator_cycles_total",
    "requests": "orchestrator_modbus_requests_total",
    "failed": "orchestrator_modbus_errors_total",
    "writes": "orchestrator_register_writes_total",
    "commands": "orchestrator_cycle_seconds_count",
    "command_s": "orchestrator_cycle_seconds_sum",
    "messages": "orchestrator_actor_messages_total",
}
CYCLES_IN_VAIN: Final = ("failsafe", "waiting")


def totals(port: int) -> Totals:
    """Read the metrics once. Raises OSError."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30.0) as reply:
        lines = reply.read().decode().splitlines()
    series = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    sums = dict.fromkeys(NAMES.values(), 0.0)
    not_normal = 0.0
    for labelled, value in series:
        name = labelled.partition("{")[0]
        if name in sums:
            sums[name] += float(value)
        if name == NAMES["cycles"] and any(f'mode="{mode}"' in labelled for mode in CYCLES_IN_VAIN):
            not_normal += float(value)
    return Totals(not_normal=not_normal, **{field: sums[name] for field, name in NAMES.items()})


@contextmanager
def program(tree: Path, site: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`orchestrator run` of `tree`, ended as by Ctrl-C."""
    log = site.with_suffix(".log")
    with log.open("wb") as file:
        command = [sys.executable, "-m", "orchestrator.cli", "run", str(site)]
        process = subprocess.Popen(command, cwd=tree, stdout=file, stderr=file, env={**os.environ, "NO_COLOR": "1"})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN_S)


def wait_for_decisions(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until a cycle is decided. Raises TimeoutError where none is."""
    until_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            counted = totals(port)
        except OSError:
            counted = Totals()
        if counted.cycles > counted.not_normal:
            return
        time.sleep(ASK_EVERY_S)
    raise TimeoutError(f"no cycle was decided (exit code {process.poll()})")


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A Mosquitto on a free port, which is yielded."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n", encoding="utf-8")
    process = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until_s = time.monotonic() + STARTS_WITHIN_S
        while not is_broker_listening("127.0.0.1", port) and time.monotonic() < until_s:
            time.sleep(ASK_EVERY_S)
        yield port
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN_S)


def free_port() -> int:
    """A TCP port of this machine that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """What all threads of a process have used, user and system."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS_PER_S


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) / PAGES_PER_MIB
