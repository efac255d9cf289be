"""The HTTP server as it runs in the plant, with the observer that it counts with."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.actor import Surroundings
from actors.clock import Clock, RealClock
from actors.prometheus.observer import PrometheusObserver
from actors.web.actor import WebActor
from actors.web.by_hand import ByHand
from actors.web.reloads import ReloadDesk
from actors.web.state import WebState
from orchestrator.config.sections import SiteConfig
from tests.support.inboxes import Inbox
from tests.support.records.cycles import site_config
from tests.support.servers.required import wait_until

TOKEN = "the-change-token"
PASSWORD = "correct horse"
VERSION = "1.2.3"


@dataclass
class Answer:
    """What came back: `said` is the JSON in it."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """A running WebActor. `site` is who is told of changes."""

    ref: Any
    prometheus: PrometheusObserver
    by_hand: ByHand
    site: Inbox
    desk: ReloadDesk
    state_dir: Path

    @property
    def port(self) -> int:
        port = self.prometheus.bound_port
        assert port is not None
        return port

    def ask(
        self, path: str, method: str = "GET", body: object = None, token: str | None = None, **headers: str
    ) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        more = {} if sent is None else {"Content-Type": "application/json"}
        more |= {"Authorization": f"Bearer {token}"} if token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=sent, headers=more | headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def change(self, path: str, body: object = None, method: str = "POST", **headers: str) -> Answer:
        """A change with the right token."""
        return self.ask(f"/api/v1/{path}", method, body, TOKEN, **headers)


def web_config(state_dir: Path, port: int = 0, *, page: dict[str, Any] | None = None, **sections: Any) -> SiteConfig:
    """A site whose page may be changed with `TOKEN` and `PASSWORD`, on a port of its own."""
    secrets = {"change_token": TOKEN, "change_password": PASSWORD} if page is None else page
    metrics = {"port": port} | sections.pop("metrics", {})
    return site_config(control={"state_dir": str(state_dir)}, page=secrets, metrics=metrics, **sections)


@contextlib.contextmanager
def web(
    config: SiteConfig, *, clock: Clock | None = None, site: Inbox | None = None, page_folder: Path | None = None
) -> Iterator[Web]:
    """The server of `config`, until its port is open; stopped at the end."""
    clock, state_dir, site = clock or RealClock(), Path(config.control.state_dir), site or Inbox()
    sources = [each.name for each in config.setpoints.mqtt]
    prometheus = PrometheusObserver(config.site.name, VERSION, sources, clock.now_s)
    by_hand = ByHand(state_dir, site, clock, can_be_resumed=config.page.can_be_changed)
    desk = ReloadDesk()
    surroundings = Surroundings(clock, prometheus, Inbox())
    folder = {} if page_folder is None else {"page_folder": page_folder}
    ref = WebActor.start(surroundings, WebState(config, prometheus, by_hand, clock), desk=desk, **folder)
    try:
        wait_until(lambda: prometheus.bound_port is not None, "the open port")
        yield Web(ref, prometheus, by_hand, site, desk, state_dir)
    finally:
        ref.stop()
        by_hand.close()
