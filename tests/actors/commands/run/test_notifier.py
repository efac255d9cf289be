"""Messages to people by Apprise, to a real HTTP server on this machine."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from actors.commands.run.notifier import MOST_WAITING, Notifier, notifying, trouble_with
from actors.messages import Event, SetpointRefused
from orchestrator.config.sections import SiteConfig
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.required import wait_until

SECRET = "s3cret-of-the-phone"


class Service:
    """A service of messages. It takes them once `lets_go` is set."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.lets_go = threading.Event()
        self.lets_go.set()
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked.set()
                service.lets_go.wait(60)
                if service.status == 200:
                    service.taken.append(json.loads(body))
                with contextlib.suppress(OSError):  # who asked has gone
                    self.send_response(service.status)
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    try:
        yield service
    finally:
        service.lets_go.set()
        service.server.shutdown()
        service.server.server_close()


def config(*urls: str, **settings: Any) -> SiteConfig:
    return site_config(notify={"urls": urls, **settings})


REFUSED = SetpointRefused("mqtt", "not JSON")


def test_a_message_arrives_with_what_to_do(service: Service) -> None:
    with notifying(config(service.url)) as notifier:
        notifier.tell(REFUSED)
        wait_until(lambda: service.taken, "the message")

    (message,) = service.taken
    assert message["title"] == "home: A setpoint was refused"
    assert message["message"].startswith("mqtt: not JSON")
    assert "What to do:" in message["message"]


def test_what_lasts_is_seen_in_cycles(service: Service) -> None:
    with notifying(config(service.url, after_s=0)) as notifier:
        notifier.tell(cycle_result(away=("west",)))
        wait_until(lambda: service.taken, "the message")

    assert "inverter does not answer" in service.taken[0]["title"]


def test_what_waits_is_sent_before_the_end(service: Service) -> None:
    with notifying(config(service.url)) as notifier:
        notifier.tell(REFUSED)

    assert len(service.taken) == 1


def test_a_service_that_hangs_costs_messages_and_no_time(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.lets_go.clear()
    notifier = Notifier(config(service.url, most_per_hour=1000))
    try:
        notifier.tell(REFUSED)
        assert service.asked.wait(60)
        for number in range(3 * MOST_WAITING):  # would wait for ever if it waited at all
            notifier.tell(SetpointRefused(f"source{number}", "x"))
        dropped = [record for record in caplog.records if "messages to people are dropped" in record.message]
        assert len(dropped) == 1
    finally:
        service.lets_go.set()
        notifier.stop()


def test_a_service_that_refuses_is_said_without_its_secret(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.status = 500
    with caplog.at_level(logging.DEBUG), notifying(config(service.url)) as notifier:
        notifier.tell(REFUSED)
        wait_until(lambda: "was not taken" in caplog.text, "the word of it")

    assert SECRET not in caplog.text


def test_a_reload_changes_to_whom_is_written(service: Service) -> None:
    with notifying(site_config()) as notifier:
        notifier.tell(REFUSED)
        notifier.configure(config(service.url))
        notifier.tell(Event("command_refused", "east", "code 2"))
        wait_until(lambda: service.taken, "the message")
        notifier.configure(site_config())
        notifier.tell(REFUSED)

    assert [each["title"] for each in service.taken] == ["home: A device refuses a command"]


@pytest.mark.parametrize("url", [f"nosuch://{SECRET}", f"{SECRET}", f"tgram://{SECRET}"])
def test_an_address_that_is_not_understood_is_named_without_its_secret(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        (trouble,) = trouble_with(config(url))
        with notifying(config(url)) as notifier:
            notifier.tell(REFUSED)

    assert trouble.startswith("notify.urls[0]: Apprise does not understand this address")
    assert SECRET not in trouble + caplog.text


def test_without_the_extra_the_plant_runs_and_the_log_says_how_to_install_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with notifying(config("json://127.0.0.1")) as notifier:
        notifier.tell(REFUSED)

    assert "pip install 'solar-site-orchestrator[notify]'" in caplog.text


def test_a_good_address_is_fine_and_none_is_too() -> None:
    assert trouble_with(config("json://127.0.0.1")) == trouble_with(site_config()) == ()
