"""What Prometheus reads. Every metric is explained in docs/metrics.md; all names begin with `orchestrator_`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client import (
    make_wsgi_app,
)

from actors.actor import Actor, Surroundings
from actors.messages import Acknowledged, Event, ExcessEnded, Tick
from actors.prometheus.observer import PrometheusObserver
from actors.wire.http_server import Gate, Guarded, Tls
from orchestrator.config.sections import MetricsSection
from orchestrator.cycle import CycleResult
from orchestrator.telemetry.http_guard import Rules

log = logging.getLogger(__name__)

LISTEN_AGAIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Listen:
    """Try again to open the port."""


class MetricsActor(Actor):
    """Serves what a `PrometheusObserver` counts, and feeds it the cycles. Takes CycleResult, Acknowledged and Event.

    A port that is taken costs the metrics, not the plant: it is said once and tried again.
    """

    def __init__(self, surroundings: Surroundings, metrics: MetricsSection, prometheus: PrometheusObserver) -> None:
        super().__init__("metrics", surroundings)
        self._metrics = metrics
        self._prometheus = prometheus
        self._server: Guarded | None = None
        self._told = False

    def receive(self, message: Any) -> None:
        """The first Tick opens the port."""
        match message:
            case Tick() | _Listen():
                self._listen()
            case CycleResult():
                self._prometheus.cycle_done(message)
            case Acknowledged():
                self._prometheus.command_acknowledged(message)
            case ExcessEnded(excess):
                self._prometheus.excess_ended(excess)
            case Event():
                self._prometheus.event(message)

    def close(self) -> None:
        """Free the port."""
        if self._server is None:
            return
        server = self._server
        self._server = self._prometheus.bound_port = None
        server.stop()

    def _listen(self) -> None:
        host, port = self._metrics.host, self._metrics.port
        try:
            self._server = Guarded(host, port, self._gate(), _tls(self._metrics))
        except OSError as problem:
            if not self._told:
                log.error(
                    "no metrics: cannot listen on %s:%d (%s); the plant runs on without them", host, port, problem
                )
            self._told = True
            self.later(LISTEN_AGAIN_S, _Listen())
            return
        self._server.start()
        self._prometheus.bound_port = self._server.server_port
        scheme = "https" if self._metrics.certificate_file else "http"
        log.info("metrics are at %s://%s:%d/metrics", scheme, host, self._prometheus.bound_port)

    def _gate(self) -> Gate:
        metrics = self._metrics
        names = frozenset(name.lower() for name in (metrics.host, *metrics.allowed_hosts))
        token = metrics.token.get_secret_value() if metrics.token else None
        page = make_wsgi_app(self._prometheus.registry)
        return Gate(page, Rules(names, token), is_healthy=self._prometheus.is_fresh, health=self._prometheus.health)


def _tls(metrics: MetricsSection) -> Tls | None:
    if metrics.certificate_file is None or metrics.key_file is None:
        return None
    return Tls(Path(metrics.certificate_file), Path(metrics.key_file))
