"""A site's day in virtual time, once for each way to control it: curves, energies, and every excess over a limit.

Moments are summed up as they come, so that a month needs no more memory than its plots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from math import fsum
from typing import Final

from orchestrator import control
from orchestrator.config.sections import SiteConfig
from orchestrator.ledger.excess import Excess, LedgerState, Outcome, observe, unseen
from orchestrator.loop.site_loop import Controller
from orchestrator.simulation.measuring.energy_balance import EnergyBalance, balance_of, stored_wh
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import (
    avoidable_curtailed_wh,
    avoidable_imported_wh,
    command_changes,
    direction_changes_since,
)
from orchestrator.simulation.measuring.trace import Trace, TraceMaker
from orchestrator.simulation.rehearsal.rivals import no_control, same_for_all
from orchestrator.simulation.virtual_time import Moment, VirtualTime

CHUNK_S: Final = 600.0
LEAST_BUCKET_S: Final = 60.0
MOST_BUCKETS: Final = 1440


@dataclass(frozen=True, slots=True)
class Way:
    """One way to control the site. `quick` decides the same and does not say why, where that saves time."""

    name: str
    title: str
    controller: Controller
    quick: Controller | None = None

    @property
    def wordless(self) -> Controller:
        """Who decides where nobody asks why."""
        return self.quick or self.controller


WAYS: Final = (
    Way("orchestrator", "orchestrator", control.step, quick=partial(control.step, explain=False)),
    Way("no_control", "no control", no_control),
    Way("same_for_all", "same command to all", same_for_all),
)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of one way. Avoidable energies are against perfect knowledge of light, load and batteries."""

    way: Way
    trace: Trace
    balance: EnergyBalance
    excesses: tuple[Excess, ...]
    avoidable_curtailed_wh: float
    avoidable_imported_wh: float
    direction_changes: int
    command_changes: int


def rehearse(
    config: SiteConfig, way: Way, *, hours: float, begin: datetime, progress: Callable[[float], None]
) -> Rehearsed:
    """Run the site of `config` (with its `simulation:`) for `hours` from `begin`, its midnight.

    `progress` is told the simulated seconds since it was last told. Raises ValueError where there is nothing to
    simulate.
    """
    loop = VirtualTime(config, controller=way.wordless, wall_ahead_s=begin.timestamp())
    maker = TraceMaker(loop.site.simulation, bucket_s(hours))
    ledger = _Ledger(begin, config.ledger.tolerance_percent)
    sums = _Sums(fsum(inverter.state.stored_wh for inverter in loop.site.inverters.values()))
    for chunk in _chunks(loop, hours * 3600):
        for moment in chunk:
            maker.add(moment)
            ledger.see(moment)
        sums.add(config, chunk)
        progress(len(chunk) * config.control.interval_s)
    return Rehearsed(
        way,
        maker.trace(),
        sums.balance,
        ledger.excesses(),
        sums.avoidable_curtailed_wh,
        sums.avoidable_imported_wh,
        sums.direction_changes,
        sums.command_changes,
    )


def bucket_s(hours: float) -> float:
    """Over how many seconds the curves of so many hours are means: a minute, and more for more than a day."""
    return max(LEAST_BUCKET_S, hours * 3600 / MOST_BUCKETS)


def _chunks(loop: VirtualTime, seconds: float) -> Iterator[list[Moment]]:
    moments = loop.play(seconds)
    size = max(round(CHUNK_S / loop.config.control.interval_s), 1)
    while chunk := list(islice(moments, size)):
        yield chunk


class _Ledger:
    """The ledger as the plant itself would keep it."""

    def __init__(self, begin: datetime, tolerance_percent: float) -> None:
        self._begin = begin
        self._tolerance_percent = tolerance_percent
        self._state = LedgerState()
        self._ended: list[Excess] = []

    def see(self, moment: Moment) -> None:
        if moment.result is not None:
            wall_now = self._begin + timedelta(seconds=moment.at_s)
            self._state, told = observe(self._state, moment.result, wall_now, self._tolerance_percent)
            self._ended += [excess for excess in told if excess.outcome is not Outcome.OPEN]

    def excesses(self) -> tuple[Excess, ...]:
        return (*self._ended, *unseen(self._state))


class _Sums:
    """What adds up from chunk to chunk."""

    def __init__(self, stored_before_wh: float) -> None:
        self.balance = EnergyBalance()
        self.avoidable_curtailed_wh = 0.0
        self.avoidable_imported_wh = 0.0
        self.direction_changes = 0
        self.command_changes = 0
        self._stored_before_wh = stored_before_wh
        self._last: Moment | None = None
        self._directions: list[int] = []

    def add(self, config: SiteConfig, chunk: list[Moment]) -> None:
        run = Run.of(config, chunk)
        # Changes are counted between moments, so the last one of the chunk before belongs to them.
        joined = replace(run, moments=[*([] if self._last is None else [self._last]), *chunk])
        self.balance += balance_of(chunk, run.period_s, self._stored_before_wh)
        self.avoidable_curtailed_wh += avoidable_curtailed_wh(run)
        self.avoidable_imported_wh += avoidable_imported_wh(run)
        turns, self._directions = direction_changes_since(run, self._directions or [0] * len(run.inverters))
        self.direction_changes += turns
        self.command_changes += command_changes(joined)
        self._stored_before_wh = stored_wh(chunk[-1])
        self._last = chunk[-1]
