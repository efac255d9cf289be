"""The ways to control a site, rehearsed side by side: each in a process of its own, so that they share all cores.

A process tells its progress through a pipe, and at last what came of it. All of them end with this one.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from orchestrator.config.sections import SiteConfig
from orchestrator.errors import OrchestratorError
from orchestrator.simulation.rehearsal.day import WAYS, Rehearsed, Way, rehearse

_CONTEXT: Final = get_context("spawn")
"""A clean start: a copy of this process would have its threads in an unknown state."""


class RehearsalLost(OrchestratorError):
    """A process ended without a result; the text says which."""


def rehearse_side_by_side(
    config: SiteConfig, *, hours: float, begin: datetime, passed: Callable[[Way, float], None]
) -> tuple[Rehearsed, ...]:
    """Every way of `WAYS`, in their order. `passed` is told the simulated seconds of a way since it was last told.

    Raises RehearsalLost.
    """
    links: dict[Connection, Way] = {}
    processes: list[SpawnProcess] = []
    try:
        with _holding_ctrl_c():
            for number, way in enumerate(WAYS):
                ours, theirs = _CONTEXT.Pipe(duplex=False)
                process = _CONTEXT.Process(target=_play, args=(theirs, number, config, hours, begin), daemon=True)
                process.start()
                theirs.close()
                links[ours] = way
                processes.append(process)
        results = _collect(links, passed)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
    return tuple(results[way.name] for way in WAYS)


@contextmanager
def _holding_ctrl_c() -> Iterator[None]:
    """What is started meanwhile never hears of Ctrl-C; this process does, a little later."""
    resource_tracker.ensure_running()  # it lets Ctrl-C through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _collect(links: dict[Connection, Way], passed: Callable[[Way, float], None]) -> dict[str, Rehearsed]:
    """Listen to all of them until each has said what came of it."""
    results: dict[str, Rehearsed] = {}
    while open_links := [link for link, way in links.items() if way.name not in results]:
        for link in wait(open_links):
            assert isinstance(link, Connection)
            way = links[link]
            try:
                said = link.recv()
            except EOFError:
                raise RehearsalLost(f"the rehearsal of '{way.title}' ended before it was done") from None
            if isinstance(said, Rehearsed):
                results[way.name] = said
            else:
                passed(way, said)
    return results


def _play(link: Connection, number: int, config: SiteConfig, hours: float, begin: datetime) -> None:
    """One way, in a process of its own."""
    link.send(rehearse(config, WAYS[number], hours=hours, begin=begin, progress=link.send))
