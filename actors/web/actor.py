"""The actor of the HTTP server: it opens the port, counts for Prometheus, and keeps what is shown up to date."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from actors.actor import Actor, Surroundings
from actors.messages import Acknowledged, Configured, Event, ExcessEnded, Tick
from actors.web.app import PAGE_FOLDER, Files, make_app
from actors.web.bounds import Bounds
from actors.web.changing import Changing
from actors.web.gate import Gate
from actors.web.history import History
from actors.web.keys import Keys
from actors.web.reading import Reading
from actors.web.reloads import ReloadDesk
from actors.web.server import Tls, WebServer
from actors.web.state import WebState
from actors.web.stream import Streams
from orchestrator.config.sections import MetricsSection
from orchestrator.decide.records import CycleResult
from orchestrator.telemetry.api.http_guard import Rules

log = logging.getLogger(__name__)

NAME: Final = "web"
LISTEN_AGAIN_S: Final = 10.0
REMIND_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Listen:
    """Try again to open the port."""


@dataclass(frozen=True, slots=True)
class _Remind:
    """Tell the site what holds by hand."""


@dataclass(frozen=True, slots=True)
class _Serving:
    """What serves, and ends together."""

    server: WebServer
    reading: Reading
    changing: Changing
    streams: Streams


class WebActor(Actor):
    """Takes CycleResult, Acknowledged, ExcessEnded, Event and Configured.

    `state` outlives this actor. A port that is taken costs page and metrics, not the plant: it is said once and tried
    again.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        state: WebState,
        *,
        desk: ReloadDesk | None = None,
        page_folder: Path = PAGE_FOLDER,
    ) -> None:
        super().__init__(NAME, surroundings)
        self._state, self._config, self._prometheus = state, state.config, state.observer
        self._desk, self._page_folder = desk, page_folder
        self._history: History | None = None
        self._serving: _Serving | None = None
        self._told = self._was_fresh = False

    def receive(self, message: Any) -> None:
        """The first Tick opens the port."""
        match message:
            case Tick():
                self._begin()
            case _Listen():
                self._listen()
            case _Remind():
                self._remind()
            case CycleResult():
                self._on_cycle(message)
            case Acknowledged():
                self._prometheus.command_acknowledged(message)
            case ExcessEnded(excess):
                self._prometheus.excess_ended(excess)
            case Event():
                self._prometheus.event(message)
                self._state.add(message)
                self._wake()
            case Configured(config):
                self._config = self._state.config = config
                self._state.renew()

    def close(self) -> None:
        """Free the port, and write what is left of the curves."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            self._prometheus.bound_port = None
            serving.server.call(serving.changing.close)
            serving.server.call(serving.streams.close)
            serving.server.stop()
        if self._history is not None:
            self._history.close()

    def _begin(self) -> None:
        if self._config.page.enabled:
            state_dir, page = Path(self._config.control.state_dir), self._config.page
            self._history = History(state_dir, page.history_days, lambda: self.clock.wall().timestamp())
        self._listen()
        self._remind()

    def _remind(self) -> None:
        self._state.by_hand.remind()
        self._show_silence()
        self.later(REMIND_S, _Remind())

    def _show_silence(self) -> None:
        """A site that decides no more sends no cycle that would show it, and what is old must not look new."""
        is_fresh = self._prometheus.is_fresh()
        if self._was_fresh and not is_fresh:
            self._state.renew()
            self._wake()
        self._was_fresh = is_fresh

    def _on_cycle(self, result: CycleResult) -> None:
        self._prometheus.cycle_done(result)
        if self._history is not None:
            self._history.take(result)
        self._state.take(result)
        self._wake()

    def _wake(self) -> None:
        if self._serving is not None:
            self._serving.server.call(self._serving.streams.wake)

    def _listen(self) -> None:
        section = self._config.server
        if section is None:
            return
        try:
            self._serving = self._made(section)
        except OSError as trouble:
            if not self._told:
                log.error(
                    "no page and no metrics: cannot listen on %s:%d (%s); the plant runs on without them",
                    *(section.host, section.port, trouble),
                )
            self._told = True
            self.later(LISTEN_AGAIN_S, _Listen())
            return
        self._serving.server.start()
        self._prometheus.bound_port = self._serving.server.port
        scheme = "https" if section.certificate_file else "http"
        where = f"{scheme}://{_in_url(section.host)}:{self._prometheus.bound_port}"
        if self._config.page.enabled:
            log.info("the page is at %s/", where)
        if self._config.metrics is not None:
            log.info("metrics are at %s/metrics", where)

    def _made(self, section: MetricsSection) -> _Serving:
        """Raises OSError."""
        bounds, keys = Bounds(), Keys.of(self._config)
        rules = Rules(frozenset(name.lower() for name in (section.host, *section.allowed_hosts)), keys.read)
        files = Files(self._page_folder) if self._config.page.enabled else None
        reading = Reading(self._state, rules, keys, self._history, self.clock)
        streams = Streams(self._state, keys, bounds)
        changing = Changing(self._state, keys, streams, self._desk, self.clock)
        app = make_app(reading, changing, streams, files, with_metrics=self._config.metrics is not None)
        gate = Gate(app, rules, keys, is_file=lambda path: files is not None and path in files)
        server = WebServer(section.host, section.port, gate, _tls(section), bounds)
        return _Serving(server, reading, changing, streams)


def _tls(section: MetricsSection) -> Tls | None:
    if section.certificate_file is None or section.key_file is None:
        return None
    return Tls(Path(section.certificate_file), Path(section.key_file))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
