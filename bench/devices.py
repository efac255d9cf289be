"""The virtual site in a process of its own, so that its CPU time is not counted as the orchestrator's."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import fmean
from typing import Any

from bench.sites import LOAD_WATTS, STEP_WATTS
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite

LOOK_EVERY_S = 0.1
SETTLED_PART = 0.02
"""Of the AC ratings of all inverters: so near to what is wanted the meter is where it should be."""
END_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What flowed at the meter since the last look, where nothing was to flow.

    `settles_s` is how long after a jump of the load it came within 2 % of the ratings for good, the mean of all jumps,
    and `longest_s` the longest of them; None where the load did not jump.
    """

    error_watts: float
    settles_s: float | None
    longest_s: float | None


class Devices:
    """A virtual site that is being served. `config` has its ports; `cpu_percent` of a core is known at the end."""

    def __init__(self, config: SiteConfig, pipe: Connection) -> None:
        self.config = config
        self.cpu_percent = 0.0
        self._pipe = pipe

    def look(self) -> Seen:
        """What was seen at the meter since the last look. Raises OSError where the process is gone."""
        self._pipe.send("look")
        seen: Seen = _received(self._pipe)
        return seen


@contextmanager
def served(config: SiteConfig, *, load_step_every_s: float | None = None) -> Iterator[Devices]:
    """Serve `config` on free ports. So often its load jumps up or down. Raises OSError where it cannot be."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(config, theirs, load_step_every_s), name="virtual-site", daemon=True)
    process.start()
    theirs.close()
    try:
        devices = Devices(_received(ours), ours)
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


def _serve(config: SiteConfig, pipe: Connection, load_step_every_s: float | None) -> None:
    """The other process. It ends when it is told to, or when the bench is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which ends this process
    with serve(config, new_port=lambda: 0) as running:
        pipe.send(running.config)
        began_s, cpu_began_s = time.monotonic(), time.process_time()
        with suppress(EOFError, OSError):
            _watch(_Watched(running, load_step_every_s), pipe)
            pipe.send(100.0 * (time.process_time() - cpu_began_s) / (time.monotonic() - began_s))


def _watch(watched: _Watched, pipe: Connection) -> None:
    while True:
        if pipe.poll(LOOK_EVERY_S):
            if pipe.recv() != "look":
                return
            pipe.send(watched.seen())
        watched.look(time.monotonic())


class _Watched:
    """The meter of a site whose load jumps up and down."""

    def __init__(self, running: RunningSite, load_step_every_s: float | None) -> None:
        self._running, self._every_s = running, load_step_every_s
        self._inverters = len(running.config.inverters)
        self._is_high = False
        self._stepped_s: float | None = None
        self._off_s = 0.0
        self._errors_watts: list[float] = []
        self._settled_s: list[float] = []

    def look(self, now_s: float) -> None:
        """Look at the meter, and let the load jump where it is time."""
        site_watts, rated_watts = self._running.call(_at_the_meter)
        self._errors_watts.append(abs(site_watts))
        if abs(site_watts) > SETTLED_PART * rated_watts:
            self._off_s = now_s
        if self._every_s is not None and (self._stepped_s is None or now_s - self._stepped_s >= self._every_s):
            self._step(now_s)

    def _step(self, now_s: float) -> None:
        if self._stepped_s is not None:
            self._settled_s.append(max(0.0, self._off_s - self._stepped_s))
        self._stepped_s, self._is_high = now_s, not self._is_high
        watts = self._inverters * (LOAD_WATTS + (STEP_WATTS if self._is_high else 0.0))
        self._running.call(lambda site: site.set_load(watts))

    def seen(self) -> Seen:
        """What was seen since the last time."""
        errors_watts, settled_s = self._errors_watts, self._settled_s
        self._errors_watts, self._settled_s = [], []
        return Seen(
            error_watts=fmean(errors_watts) if errors_watts else 0.0,
            settles_s=fmean(settled_s) if settled_s else None,
            longest_s=max(settled_s, default=None),
        )


def _at_the_meter(site: VirtualSite) -> tuple[float, float]:
    """What flows there in W, import +, and the AC ratings of all inverters."""
    inverters = site.inverters.values()
    site_watts = site.load_watts - sum(each.state.ac_watts for each in inverters)
    return site_watts, sum(each.settings.ac_rating_watts for each in inverters)
