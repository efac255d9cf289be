"""The newest cycle as gauges, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.decide.records import CycleResult
from orchestrator.telemetry.gauges import GAUGES, gauge_values

PREFIX: Final = "orchestrator_"
STALE_AFTER_S: Final = 10.0


def stale_after_s(cycle_interval_s: float) -> float:
    """After how long without a cycle its gauges vanish: 10 s, or three cycles where those are longer."""
    return max(STALE_AFTER_S, 3 * cycle_interval_s)


class LatestCycle(Collector):
    """The gauges of the newest cycle, made when they are read: what is away has no series, and so has a dead loop."""

    def __init__(self, now_s: Callable[[], float], stale_after_s: float) -> None:
        self._now_s = now_s
        self.stale_after_s = stale_after_s
        self._latest: tuple[float, CycleResult] | None = None

    def show(self, result: CycleResult) -> None:
        """Export `result` until the next one comes, at most `stale_after_s`."""
        self._latest = (self._now_s(), result)  # one assignment: the thread that reads sees the old or the new

    @property
    def result(self) -> CycleResult | None:
        """The newest cycle, None before the first and where it is stale."""
        latest = self._latest
        return latest[1] if latest is not None and self.is_fresh else None

    @property
    def is_fresh(self) -> bool:
        """Whether the newest cycle is no older than that."""
        latest = self._latest
        return latest is not None and self._now_s() - latest[0] <= self.stale_after_s

    def collect(self) -> Iterator[Metric]:
        """Called in a thread of the HTTP server."""
        families = {kind.name: GaugeMetricFamily(PREFIX + kind.name, kind.help, labels=kind.labels) for kind in GAUGES}
        latest = self._latest
        if latest is not None and self._now_s() - latest[0] <= self.stale_after_s:
            for value in gauge_values(latest[1]):
                families[value.name].add_metric(value.labels, value.value)
        yield from families.values()
        age = GaugeMetricFamily(PREFIX + "cycle_age_seconds", "Time since the newest cycle was decided.")
        if latest is not None:
            age.add_metric((), self._now_s() - latest[0])
        yield age
