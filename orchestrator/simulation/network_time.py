"""Virtual time at the pace of a network: answers take their time, and the loop waits as it does where it really runs.

The meter is polled by itself, as its actor does, and each answer comes a latency after it was asked for; cycles begin
and end when the loop says so. It takes longer than `VirtualTime`, and moments lie between the decisions: it is there to
try the times of the loop (late and silent devices, limits that fall between two cycles, timers), not for long runs.
"""

from __future__ import annotations

import heapq
from itertools import count
from math import inf

from msgspec.structs import replace

from orchestrator.loop.cadence import OVER_A_NETWORK
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import Report, TimePassed
from orchestrator.samples import MeterSample
from orchestrator.simulation.site import METER
from orchestrator.simulation.virtual_time import Moment, VirtualTime


class NetworkTime(VirtualTime):
    """A plant under control, once an interval looked at. `result` of a moment is the newest decision so far."""

    pace = OVER_A_NETWORK

    def start(self, kept: Kept | None = None) -> None:
        """The orchestrator starts with what was kept, as in `VirtualTime`; its meter is polled from now on."""
        super().start(kept)
        self._coming: list[tuple[float, int, Report]] = []
        self._order = count()
        self._polls_at_s = self.now_s
        self._shown: MeterSample | None = None
        self._result = None

    def kill(self) -> None:
        """The orchestrator is gone without a word, and what was on its way to it."""
        super().kill()
        self._coming.clear()
        self._result = None

    def _cycle(self) -> Moment:
        ends_s = max(self.now_s, self.site.now_s) + self.config.control.interval_s
        while self._is_alive and (due_s := self._due_s()) <= ends_s:
            self.now_s = max(self.now_s, due_s)
            self._do_next()
        self.now_s = ends_s
        site_watts = self.site.measure(ends_s)
        return self._moment(site_watts, tuple(inverter.state for inverter in self.site.inverters.values()))

    def _due_s(self) -> float:
        return min(self._polls_at_s, self._arrives_s, self._loop.next_wake_s)

    @property
    def _arrives_s(self) -> float:
        return self._coming[0][0] if self._coming else inf

    def _do_next(self) -> None:
        if self._arrives_s <= self.now_s:
            self._take(heapq.heappop(self._coming)[2])
        elif self._polls_at_s <= self.now_s:
            self._polls_at_s = self.now_s + self.config.meter.interval_s
            self._ask(METER, 0)
        else:
            self._tell(TimePassed())

    def _read_inverters(self, cycle: int) -> None:
        for name in self.site.inverters:
            self._ask(name, cycle)

    def _ask(self, name: str, cycle: int) -> None:
        arrives_at_s, answer = self._network.ask(name, cycle, self.now_s)
        if answer is not None:
            heapq.heappush(self._coming, (arrives_at_s, next(self._order), answer))

    def _take(self, report: Report) -> None:
        if isinstance(report.sample, MeterSample):
            self._take_meter(report.sample)
        else:
            self._tell(report)

    def _take_meter(self, sample: MeterSample) -> None:
        """As the meter's actor does: a new value is told at once, an old one once an interval."""
        shown = self._shown
        if shown is not None and shown.site_watts == sample.site_watts:
            if self.now_s - shown.at_s < self.config.control.interval_s:
                return
            sample = replace(sample, changed_at_s=shown.changed_at_s)
        else:
            sample = replace(sample, changed_at_s=sample.at_s)
        self._shown = sample
        self._tell(Report(METER, 0, sample))
