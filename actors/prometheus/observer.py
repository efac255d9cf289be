"""What the actors tell of themselves, as Prometheus counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from actors.actor import OF_AN_INVERTER
from actors.messages import Acknowledged, Event
from actors.prometheus.latest_cycle import PREFIX, LatestCycle, stale_after_s
from actors.prometheus.of_one_site import OfOneSite
from actors.prometheus.operation import OperationMetrics
from actors.prometheus.tallies import Tallies
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.errors import LinkDown, LinkTimeout, NonsenseReply, RequestRefused, WrongDevice
from orchestrator.ledger.above_limits import LIMITS, excess_between
from orchestrator.ledger.excess import RULES_S, Excess
from orchestrator.telemetry.health import health_payload

LATENCY_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

ERROR_KINDS: Final = tuple(each.kind for each in (LinkDown, LinkTimeout, RequestRefused, NonsenseReply, WrongDevice))


class PrometheusObserver:
    """An `actors.observer.Observer` that counts for Prometheus, in a registry of its own. Any thread may call it.

    `sources` are the names of the setpoint sources, so that their counters begin at 0. Gauges vanish when no cycle came
    for 10 s, or for three times `cycle_interval_s` where that is longer. `token` is a word of this process's own.
    """

    def __init__(
        self,
        site: str,
        version: str,
        sources: Sequence[str] = (),
        now_s: Callable[[], float] = time.monotonic,
        cycle_interval_s: float = 1.0,
        *,
        token: str = "",
    ) -> None:
        # A `_created` series beside each counter doubles the page and helps nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.served = OfOneSite(self.registry, site)
        """The registry as it is read over HTTP: with the label `site` everywhere."""
        self.bound_port: int | None = None
        """The port where a MetricsActor serves the registry, None while it is not served."""
        self._latest = LatestCycle(now_s, stale_after_s(cycle_interval_s))
        self._site, self._token = site, token
        self.version = version
        self.fresh_sources: dict[str, bool] = {}
        """Of each source, whether it renews its setpoint as it must. Replaced as a whole."""
        self._former: CycleResult | None = None
        self._tallies = Tallies(LATENCY_BUCKETS_S, ERROR_KINDS)
        self.registry.register(self._latest)
        self.registry.register(self._tallies)
        self._gauge("info", "1; the labels say which site and which version this is.", "site", "version").labels(
            site, version
        ).set(1)
        self._make_actor_metrics()
        self._make_device_metrics()
        self._make_site_metrics(sources)
        self._operation = OperationMetrics(self.registry, sources, cycle_interval_s)

    def _make_actor_metrics(self) -> None:
        self._up = self._gauge("actor_up", "1 while the actor runs.", "actor")
        self._restarts = self._counter("actor_restarts_total", "Restarts of the actor after a crash.", "actor")

    def _make_device_metrics(self) -> None:
        self._line = self._counter("line_passed_over_total", "What came over a line and was no answer.", "line", "what")
        self._cycle = self._histogram("cycle_seconds", "Time from a command to its acknowledgement by the inverter.")

    def _make_site_metrics(self, sources: Sequence[str]) -> None:
        self._seconds = self._counter("limit_excess_seconds_total", "Time above the limit.", "limit")
        self._watt_hours = self._counter("limit_excess_watt_hours_total", "Energy above the limit.", "limit")
        self._rejected = self._counter("setpoints_rejected_total", "Messages that were no setpoint.", "source")
        self._excess = Histogram(
            PREFIX + "limit_excess_duration_seconds",
            "How long each excess over a limit lasted.",
            ("limit",),
            registry=self.registry,
            buckets=RULES_S,
        )
        for limit in LIMITS:
            self._seconds.labels(limit)
            self._watt_hours.labels(limit)
            self._excess.labels(limit)
        self._expect_sources(sources)

    def _expect_sources(self, sources: Sequence[str]) -> None:
        for source in sources:
            self._rejected.labels(source)
        self._sources = set(sources)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(PREFIX + name, text, labels, registry=self.registry, buckets=LATENCY_BUCKETS_S)

    def is_fresh(self) -> bool:
        """Whether the plant decides: its newest cycle is not stale."""
        return self._latest.is_fresh

    @property
    def newest_cycle(self) -> CycleResult | None:
        """The newest cycle, None before the first and where it is stale."""
        return self._latest.result

    def health(self) -> Payload:
        """How the plant is, for `orchestrator health`."""
        return health_payload(self._latest.result, self._site, self._token)

    def actor_up(self, actor: str, up: bool) -> None:
        """An actor started or stopped."""
        self._up.labels(actor).set(up)
        self._restarts.labels(actor)  # begins at 0: the first restart would be invisible otherwise

    def actor_gone(self, actor: str) -> None:
        """An actor was stopped for good: its series end, and so do those of the inverter of that name."""
        inverter = actor.removeprefix(OF_AN_INVERTER)
        self._up.remove_by_labels({"actor": actor})
        self._restarts.remove_by_labels({"actor": actor})
        self._tallies.forget(actor, inverter)
        self._operation.inverter_gone(inverter)

    def actor_restarted(self, actor: str) -> None:
        """The supervisor replaced an actor that crashed."""
        self._restarts.labels(actor).inc()

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        """An actor handled one message in `seconds`, and `inbox_depth` more are waiting."""
        self._tallies.message_handled(actor, seconds, inbox_depth)

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        """One Modbus request to `device` took `seconds`; `error` is the kind of its DeviceError, if any."""
        self._tallies.request_done(device, seconds, error)

    def line_noted(self, line: str, what: str, count: int) -> None:
        """So much was passed over on the line at `line`."""
        self._line.labels(line, what).inc(count)

    def register_written(self, inverter: str, register: str) -> None:
        """One register write of `inverter` was acknowledged."""
        self._tallies.register_written(inverter, register)

    def setpoint_refused(self, source: str) -> None:
        """A message of `source` was not a setpoint."""
        self._rejected.labels(source).inc()

    def reconfigured(self, sources: Sequence[str], cycle_interval_s: float) -> None:
        """Another configuration is in force, with these sources of setpoints."""
        self._latest.stale_after_s = stale_after_s(cycle_interval_s)
        self._operation.reconfigured(sources, cycle_interval_s)
        for source in self._sources - set(sources):
            self._rejected.remove(source)
        self._expect_sources(sources)

    def setpoint_fresh(self, source: str, fresh: bool) -> None:
        """Whether `source` has renewed its setpoint in time."""
        self._operation.setpoint_fresh(source, fresh)
        if self.fresh_sources.get(source) is not fresh:
            self.fresh_sources = {**self.fresh_sources, source: fresh}

    def event(self, event: Event) -> None:
        """Something that people should hear of once."""
        self._operation.event(event)

    def cycle_done(self, result: CycleResult) -> None:
        """A cycle was decided: its gauges, and what flowed above the limits since the one before."""
        if self._former is not None:
            for excess in excess_between(self._former, result):
                self._seconds.labels(excess.limit).inc(excess.seconds)
                self._watt_hours.labels(excess.limit).inc(excess.watt_hours)
        self._operation.cycle_done(self._former, result)
        for source in self._sources & result.envelope.fresh.keys():
            self.setpoint_fresh(source, result.envelope.fresh[source])
        self._former = result
        self._latest.show(result)

    def excess_ended(self, excess: Excess) -> None:
        """An excess over a limit is over."""
        self._excess.labels(excess.limit).observe(excess.duration_s)

    def command_acknowledged(self, acknowledged: Acknowledged) -> None:
        """An inverter took a command, or refused it."""
        if acknowledged.fault is None:
            self._cycle.observe(max(0.0, acknowledged.finished_at_s - acknowledged.issued_at_s))
