"""The set-up page's server: who may ask, what it refuses, and the same file as at a terminal."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from actors.commands.init.page_app import INDEX, SetUp, SetUpPlace, set_up_app
from actors.commands.init.page_search import Progress, Searches
from actors.web.app import Files
from actors.web.bounds import Bounds
from actors.web.gate import Gate
from actors.web.keys import Keys
from actors.web.server import WebServer
from orchestrator.commissioning.drafts.answered import Around, chosen_site, key_of, read_answers
from orchestrator.commissioning.drafts.chosen_site import site_text
from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport
from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.errors import LinkDown, UsageError
from orchestrator.reason import because
from orchestrator.samples import Nameplate
from orchestrator.telemetry.api.http_guard import Rules
from tests.support.servers.required import wait_until
from tests.support.web import Answer

TOKEN = "the-token-of-the-terminal"
PLATE = Nameplate(manufacturer="Maker", model="M 5", serial="SN-1", ac_max_watts=5000.0, capacity_wh=8000.0)
HYBRID = FoundDevice(Endpoint("10.0.0.5", 1502), 71, Kind.HYBRID, PLATE, (), "kostal-plenticore")
METER = FoundDevice(Endpoint("10.0.0.9", 502), 200, Kind.METER, PLATE, (1, 203))
FOUND = ScanReport((HYBRID, METER))
ANSWERS = {
    "inverters": [{"device": key_of(HYBRID), "name": "east"}],
    "meter": {"device": key_of(METER), "sign": "import_positive"},
    "export_limit": "3 kW",
}


class Page:
    """The server with a search whose end the test decides."""

    def __init__(self, file: Path) -> None:
        self.file, self.started, self.goes_on = file, threading.Event(), threading.Event()
        self.goes_on.set()
        bounds, files, keys = Bounds(), Files(index=INDEX), Keys(read=TOKEN, change=TOKEN)
        place = SetUpPlace(file, "192.168.1.0/24", "Europe/Berlin", Around())
        self.searches = Searches(self._look)
        app = set_up_app(SetUp(place, self.searches, bounds, self.started.set), files)
        gate = Gate(app, Rules(frozenset({"127.0.0.1"}), TOKEN), keys, is_file=lambda path: path in files)
        self.server = WebServer("127.0.0.1", 0, gate, bounds=bounds)

    def _look(self, target: str, progress: Progress) -> ScanReport:
        if target == "10.9.9.9":
            raise UsageError("nobody is there")
        if target == "/dev/ttyUSB9":
            raise LinkDown(because("no_port_at_all", where=target))
        with progress(target, 3) as watch:
            watch.advance()
            assert self.goes_on.wait(60)
            watch.advance(2)
        return FOUND

    def ask(
        self, path: str = "", method: str = "GET", body: object = None, token: str | None = TOKEN, **headers: str
    ) -> Answer:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        more = {} if sent is None else {"Content-Type": "application/json"}
        more |= {"Authorization": f"Bearer {token}"} if token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            where = path if path.startswith("/") else f"/api/v1/setup{path and '/'}{path}"
            connection.request(method, where, body=sent, headers=more | headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def search(self) -> None:
        assert self.ask("search", "POST", {"target": "10.0.0.0/24"}).status == 202
        wait_until(lambda: not self.ask().said["search"]["running"], "the end of the search")


@contextlib.contextmanager
def serving(file: Path) -> Iterator[Page]:
    page = Page(file)
    page.server.start()
    try:
        yield page
    finally:
        page.goes_on.set()
        page.searches.stop()
        page.server.stop()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with serving(tmp_path / "site.yaml") as running:
        yield running


def test_who_has_not_the_token_sees_the_page_and_nothing_else(page: Page) -> None:
    assert b"new_site/app.js" in page.ask("/", token=None).body
    for token in (None, "a guess"):
        assert page.ask(token=token).status == 401
        assert page.ask("search", "POST", {"target": "10.0.0.5"}, token=token).status == 401
        assert page.ask("file", "POST", ANSWERS, token=token).status == 401
        assert page.ask("start", "POST", {}, token=token).status == 401
    assert page.searches.latest is None


def test_another_site_another_name_and_a_form_are_refused(page: Page) -> None:
    assert page.ask(Host="evil.example").status == 421
    assert page.ask("file", "POST", ANSWERS, Origin="http://evil.example").status == 403
    assert page.ask("file", "POST", ANSWERS, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert page.ask("file", "POST", ANSWERS, **{"Content-Type": "text/plain"}).status == 415
    assert page.ask("file", "POST", b"x" * 100_000).status == 413
    assert not page.file.exists()


def test_a_search_tells_how_far_it_is_and_can_be_stopped(page: Page) -> None:
    page.goes_on.clear()
    assert page.ask("search", "POST", {"target": "10.0.0.0/24"}).status == 202
    wait_until(lambda: page.ask().said["search"]["done"] == 1, "the first step")
    assert page.ask("search", "POST", {"target": "10.0.0.7"}).status == 409
    stopping = threading.Thread(target=page.ask, args=("search", "DELETE"))
    stopping.start()
    wait_until(page.searches._stopped.is_set, "the word to stop")
    page.goes_on.set()
    stopping.join(60)

    said = page.ask().said
    assert (said["search"]["running"], said["search"]["trouble"], said["inverters"]) == (False, "stopped", [])


@pytest.mark.parametrize("target", ["", "10.0.0.0/8", "not a host", "10.0.0.1:99999"])
def test_a_place_that_is_none_is_refused(page: Page, target: str) -> None:
    answer = page.ask("search", "POST", {"target": target})

    assert (answer.status, answer.said["field"]) == (422, "target")


def test_a_search_that_fails_says_why(page: Page) -> None:
    page.ask("search", "POST", {"target": "10.9.9.9"})
    wait_until(lambda: not page.ask().said["search"]["running"], "its end")

    assert page.ask().said["search"]["trouble"] == "nobody is there"
    assert page.ask().said["search"]["trouble_why"] is None

    page.ask("search", "POST", {"target": "/dev/ttyUSB9"})
    wait_until(lambda: page.ask().said["search"]["running"] is False, "the end of the search")
    why = {"code": "no_port_at_all", "values": {"where": "/dev/ttyUSB9"}}
    assert page.ask().said["search"]["trouble_why"] == why


def test_the_file_is_that_of_the_terminal_and_written_when_it_is_told(page: Page) -> None:
    page.search()
    draft = page.ask("draft", "POST", ANSWERS)

    expected = site_text(chosen_site(read_answers(json.dumps(ANSWERS).encode()), FOUND.devices, Around()), day=today())
    assert draft.said["text"] == expected
    assert not page.file.exists()
    assert page.ask("start", "POST", {}).status == 409
    assert page.ask("file", "POST", ANSWERS).status == 200
    assert page.file.read_text() == expected
    assert page.ask("start", "POST", {}).status == 202
    assert page.started.is_set()


def today() -> date:
    return date.today()


def test_the_file_has_its_comments_in_the_language_of_the_page(page: Page) -> None:
    page.ask("search", "POST", {"target": "10.0.0.0/24"})
    wait_until(lambda: page.ask().said["search"]["running"] is False, "the end of the search")

    text = page.ask("draft", "POST", {**ANSWERS, "language": "de"}).said["text"]

    assert "# Die Wechselrichter." in text
    assert "# The" not in text
    assert page.ask("draft", "POST", {**ANSWERS, "language": "fr"}).status == 422


def test_a_file_that_says_something_is_replaced_only_by_who_says_so(page: Page) -> None:
    page.file.write_text("precious: true\n")
    page.search()

    refused = page.ask("file", "POST", ANSWERS)
    assert (refused.status, refused.said["field"]) == (409, "replace")
    assert page.file.read_text() == "precious: true\n"
    assert page.ask("file?replace=yes", "POST", ANSWERS).said["written"]["kept"].endswith("site.yaml.old")
    assert page.file.with_name("site.yaml.old").read_text() == "precious: true\n"


def test_a_site_that_commands_is_never_started_from_the_page(page: Page) -> None:
    page.search()
    assert page.ask("file", "POST", {**ANSWERS, "shadow": False}).status == 200

    assert page.ask("start", "POST", {}).status == 409
    assert not page.started.is_set()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"inverters": []}, "inverters"),
        ({"inverters": [{"device": "nobody", "name": "east"}]}, "inverters.0.device"),
        ({"inverters": [{"device": key_of(HYBRID), "name": "East"}]}, "inverters.0.name"),
        ({"meter": {"device": "nobody"}}, "meter.device"),
        ({"meter": {"address": "::x", "driver": "sunspec"}}, "meter.address"),
        ({"meter": {"device": key_of(METER), "sign": "up"}}, "meter.sign"),
        ({"export_limit": "much"}, "export_limit"),
        ({"soc_min": "101"}, "soc_min"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"name": "${HOME}"}, "name"),
        ({"shadow": "yes"}, "answers"),
        ({"unknown": 1}, "answers"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_field(page: Page, changed: dict[str, Any], field: str) -> None:
    page.search()

    answer = page.ask("file", "POST", ANSWERS | changed)
    assert (answer.status, answer.said["field"]) == (422, field)
    assert not page.file.exists()


def test_every_wrong_answer_has_words_on_the_page(page: Page) -> None:
    texts = json.loads(page.ask("/page/texts/de.json", token=None).body)["new_site"]["wrong"]
    fields = {
        re.sub(r"\.\d+\.", "_", field)
        for field in ("target", "inverters", "inverters.0.device", "inverters.0.name", "inverters.0.rating")
    } | {
        "inverters_capacity",
        "meter_device",
        "meter_address",
        "export_limit",
        "import_limit",
        "soc_min",
        "name",
        "timezone",
    }

    assert fields == set(texts)
