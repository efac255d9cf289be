"""What the API tells, over HTTP: what is described, and nothing that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from actors.files.ledger_file import FILE_NAME, LedgerFile
from actors.messages import Configured, Event
from orchestrator.ledger.excess import Excess, Outcome, SiteContext
from orchestrator.samples import Nameplate
from orchestrator.telemetry.api.endpoints import API, ENDPOINTS
from tests.support.records.cycles import cycle_result, inverter_sample
from tests.support.servers.required import wait_until
from tests.support.web import PASSWORD, TOKEN, VERSION, Web, web, web_config

HOSTILE = '<img src=x onerror=alert(1)>"\n\nevent: state\ndata: {}'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Web]:
    with web(web_config(tmp_path)) as running:
        yield running


def decided(served: Web, **values: Any) -> dict[str, Any]:
    """The site once a cycle was decided."""
    served.ref.tell(cycle_result(**values))
    wait_until(lambda: served.ask("/api/v1/site").said["site"] is not None, "the cycle")
    said: dict[str, Any] = served.ask("/api/v1/site").said
    return said


def test_before_the_first_decision_it_says_what_is_missing(served: Web) -> None:
    said = served.ask("/api/v1/site").said

    assert said["site"] is None
    assert [each["what"] for each in said["setup"]["missing"]] == ["meter", "east", "west", "roof"]
    assert said["inverters"]["east"]["online"] is False
    assert served.ask("/readyz").status == 503


def test_the_site_is_told_with_its_inverters_limits_and_what_is_missing(served: Web) -> None:
    said = decided(served, away=("west",))

    assert said["site"]["site_watts"] == -500
    assert said["inverters"]["east"]["command"]["ac_limit_watts"] == 4000
    assert said["inverters"]["west"]["online"] is False
    assert said["limits"]["export_limit_watts"] == {"value": 5000.0, "source": "fixed", "valid_until": None}
    assert [each["what"] for each in said["setup"]["missing"]] == ["west", "roof"]
    assert (said["version"], said["control"], said["shadow"]) == (VERSION, "running", False)
    assert served.ask("/readyz").status == 200


def test_one_inverter_is_told_and_one_that_does_not_exist_is_not_there(served: Web) -> None:
    decided(served)

    assert served.ask("/api/v1/inverters/east").said["pv_watts"] == 3000
    assert served.ask("/api/v1/inverters/nobody").status == 404
    assert "error" in served.ask("/api/v1/inverters/%3Cscript%3E").said


def test_events_are_told_newest_first(served: Web) -> None:
    for number in range(3):
        served.ref.tell(Event("setpoint", "site", str(number)))
    wait_until(lambda: len(served.ask("/api/v1/events").said) == 3, "three events")

    assert [each["detail"] for each in served.ask("/api/v1/events?limit=2").said] == ["2", "1"]
    assert served.ask("/api/v1/events?limit=0").status == 422


def test_the_ledger_is_told_newest_first(served: Web) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    first = Excess("export", now - timedelta(hours=2), 1000.0, "mqtt", 12.0, 500.0, 1.5, Outcome.ENDED, SiteContext())
    file = LedgerFile.open(served.state_dir / FILE_NAME, now)
    file.record([first, replace(first, began_at=now - timedelta(days=40)), replace(first, began_at=now)])
    file.close()

    rows = served.ask("/api/v1/ledger?days=31").said
    assert [row["began"] for row in rows] == sorted((row["began"] for row in rows), reverse=True)
    assert len(rows) == 2
    assert (rows[1]["seconds"], rows[1]["peak_watts"], rows[1]["energy_wh"]) == (12.0, 500, 1.5)


def test_a_ledger_that_cannot_be_read_is_said(served: Web) -> None:
    (served.state_dir / FILE_NAME).write_bytes(b"no database" * 100)

    assert served.ask("/api/v1/ledger").status == 503


def test_who_has_no_token_is_told_that_it_may_only_look(served: Web) -> None:
    without, with_token = served.ask("/api/v1/site").said, served.ask("/api/v1/site", token=TOKEN).said

    assert (without["may_change"], without["read_only_why"]) == (False, "not_signed_in")
    assert (with_token["may_change"], with_token["read_only_why"]) == (True, None)


def test_a_page_without_a_token_says_how_to_configure_one(tmp_path: Path) -> None:
    with web(web_config(tmp_path, page={})) as served:
        refused = served.ask("/api/v1/pause", "POST", {"for_s": 60}, TOKEN)

        assert served.ask("/api/v1/site").said["read_only_why"] == "no_token_configured"
        assert refused.status == 403
        assert "page: {change_token_file:" in refused.said["error"]


def test_what_a_hostile_device_says_is_data_and_nothing_else(tmp_path: Path) -> None:
    with web(web_config(tmp_path, site={"name": HOSTILE.partition("\n")[0]})) as served:
        sample = inverter_sample(nameplate=Nameplate(manufacturer=HOSTILE))
        said = decided(served, inverters=(sample,))
        answer = served.ask("/api/v1/inverters/east")

        assert said["inverters"]["east"]["manufacturer"] == HOSTILE
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert served.ask(f"/api/v1/inverters/{'x' * 500}").status == 404


def test_with_a_token_for_reading_the_api_needs_one_and_the_page_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html>")
    config = web_config(tmp_path, metrics={"token": "secret"})
    with web(config, page_folder=folder) as served:
        assert served.ask("/").body == b"<!doctype html>"
        assert served.ask("/api/v1/site").status == 401
        for token in ("secret", TOKEN):
            assert served.ask("/api/v1/site", token=token).status == 200
        assert served.ask("/api/v1/site", token="another").status == 401


def test_files_of_the_page_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    (folder / "code").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "code" / "app.js").write_text("1;")
    (folder / "__init__.py").write_text("")
    (tmp_path / "secret.txt").write_text("secret")
    with web(web_config(tmp_path), page_folder=folder) as served:
        script = served.ask("/page/code/app.js")
        assert script.headers["content-type"].startswith("text/javascript")
        assert served.ask("/page/code/app.js", **{"If-None-Match": script.headers["etag"]}).status == 304
        for path in ("/page/../secret.txt", "/page/%2e%2e/secret.txt", "/page/__init__.py", "/page//etc/passwd"):
            assert served.ask(path).status == 404


def test_a_page_that_is_turned_off_leaves_metrics_and_health(tmp_path: Path) -> None:
    with web(web_config(tmp_path, page={"enabled": False, "change_token": TOKEN})) as served:
        assert served.ask("/metrics").status == served.ask("/").status == 200
        assert served.ask("/api/v1/site").status == 404
        assert served.ask("/api/v1/release", "POST", token=TOKEN).status in {403, 404}


def test_metrics_that_are_turned_off_leave_page_and_health(tmp_path: Path) -> None:
    config = web_config(tmp_path, page={"port": 0}).model_copy(update={"metrics": None})
    with web(config) as served:
        assert served.ask("/metrics").status == 404
        assert served.ask("/api/v1/site").status == 200


def test_another_configuration_is_shown_at_once(served: Web) -> None:
    served.ref.tell(Configured(web_config(served.state_dir, inverters=({"name": "new", "host": "127.0.0.1"},))))
    wait_until(lambda: list(served.ask("/api/v1/site").said["inverters"]) == ["new"], "the new inverter")


def test_each_answer_is_as_it_is_described(served: Web) -> None:
    decided(served, away=("west",))
    document = served.ask("/api/v1/openapi.json").said
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET" or endpoint.answers is None:
            continue
        path = API + endpoint.path.replace("{name}", "east")
        operation = document["paths"][API + endpoint.path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(
            served.ask(path).said
        )
    assert json.dumps(document).count("securitySchemes") == 1


def test_a_session_is_opened_by_the_password(served: Web) -> None:
    session = served.ask("/api/v1/session", "POST", {"password": PASSWORD}).said

    assert served.ask("/api/v1/site", token=session["token"]).said["may_change"] is True
    assert datetime.fromisoformat(session["expires"]) > datetime.now(UTC) + timedelta(hours=7)
