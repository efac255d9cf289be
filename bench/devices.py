"""The virtual site in a process of its own, so that its CPU time is not counted as the orchestrator's."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench.sites import LOAD_WATTS, STEP_WATTS
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import RunningSite, serve

LOAD_STEP_EVERY_S = 2.0
END_WITHIN_S = 10.0


@dataclass
class Devices:
    """A virtual site that is being served. `config` has its ports; `cpu_percent` of a core is known at the end."""

    config: SiteConfig
    cpu_percent: float = 0.0


@contextmanager
def served(config: SiteConfig, *, load_steps: bool = False) -> Iterator[Devices]:
    """Serve `config` on free ports. With `load_steps` its load jumps up and down. Raises OSError where it cannot be."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(config, theirs, load_steps), name="virtual-site", daemon=True)
    process.start()
    theirs.close()
    try:
        devices = Devices(_received(ours))
        yield devices
        ours.send("end")
        devices.cpu_percent = _received(ours)
    finally:
        ours.close()
        process.join(END_WITHIN_S)
        process.terminate()


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise OSError("the process of the virtual site has ended; see above") from None


def _serve(config: SiteConfig, pipe: Connection, load_steps: bool) -> None:
    """The other process. It ends when it is told to, or when the bench is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which ends this process
    with serve(config, new_port=lambda: 0) as running:
        pipe.send(running.config)
        began_s, cpu_began_s = time.monotonic(), time.process_time()
        if load_steps:
            _step_the_load(running, pipe)
        pipe.poll(None)
        cpu_percent = 100.0 * (time.process_time() - cpu_began_s) / (time.monotonic() - began_s)
    try:
        pipe.recv()
        pipe.send(cpu_percent)
    except (EOFError, OSError):
        return


def _step_the_load(running: RunningSite, pipe: Connection) -> None:
    inverters = len(running.config.inverters)
    is_high = False
    while not pipe.poll(LOAD_STEP_EVERY_S):
        is_high = not is_high
        watts = inverters * (LOAD_WATTS + (STEP_WATTS if is_high else 0.0))
        running.call(lambda site, watts=watts: site.set_load(watts))  # type: ignore[misc]
