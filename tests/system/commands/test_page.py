"""`orchestrator run` with its page: what is changed over HTTP changes the plant, and outlives a kill."""

from __future__ import annotations

import http.client
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.file import load_config
from tests.support.command_line import example_site, orchestrator
from tests.support.servers.required import wait_until

TOKEN = "a-token-for-changes"


def site_with_a_page(folder: Path) -> tuple[Path, int]:
    path = example_site(folder, ("import_limit_watts: 10000, ", ""))  # only batteries keep that one
    path.write_text(path.read_text() + f"\npage: {{change_token: {TOKEN}}}\n")
    metrics = load_config(path).metrics
    assert metrics is not None
    return path, metrics.port


def ask(port: int, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    try:
        connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except OSError:
        return 0, {}
    finally:
        connection.close()


def limit(port: int) -> object:
    _, said = ask(port, "site")
    asked = said.get("limits", {}).get("export_limit_watts", {})
    return asked.get("value"), asked.get("source")


@pytest.mark.long
def test_a_run_serves_its_page_takes_changes_and_keeps_them_over_a_kill(tmp_path: Path) -> None:
    path, port = site_with_a_page(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: limit(port)[1] is not None, "the first decision")  # type: ignore[index]
        assert running.out.splitlines()[0] == f"the page      http://127.0.0.1:{port}/"

        assert ask(port, "setpoint", "POST", {"export_limit_watts": 7, "for_s": 3600})[0] == 200
        wait_until(lambda: limit(port) == (7.0, "manual"), "the limit by hand")
        assert "setpoint_by_hand" in [each["event"] for each in ask(port, "events")[1][:3]]
        assert "by the change token, from 127.0.0.1" in running.err

        good = path.read_text()
        path.write_text(good.replace("inverters:", "inverter:", 1))
        status, said = ask(port, "reload", "POST")
        assert (status, limit(port)) == (409, (7.0, "manual"))
        assert "inverter" in said["error"]

        path.write_text(good.replace("level: info", "level: debug") + "\nledger: {tolerance_percent: 2}\n")
        status, said = ask(port, "reload", "POST")
        assert (status, said["changes"]) == (200, ["reloaded: ledger: changed"])
        assert said["why"][0]["values"]["what"] == {"code": "section_changed", "values": {"section": "ledger"}}

        path.write_text(path.read_text().replace(TOKEN, TOKEN + ", language: de"))
        assert ask(port, "reload", "POST")[0] == 202
        wait_until(lambda: ask(port, "site")[1].get("language") == "de", "the new page")
        wait_until(lambda: limit(port) == (7.0, "manual"), "the limit by hand")
        by_whom = "reloaded: page: changed (by the change token, from 127.0.0.1)"
        wait_until(lambda: by_whom in running.err, "the word in the log of who it was")
        assert "Traceback" not in running.err
        by_hand = tmp_path / "state" / "by_hand.json"
        wait_until(lambda: by_hand.exists() and "opModExpLimW" in by_hand.read_text(), "the limit on disk")
        running.process.kill()
        running.process.wait()

    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: limit(port)[1] is not None, "the first decision")  # type: ignore[index]
        assert limit(port) == (7.0, "manual")
        assert ask(port, "setpoint", "DELETE")[0] == 200
        wait_until(lambda: limit(port) != (7.0, "manual"), "its end")
        assert running.end(signal.SIGTERM) == 0


@pytest.mark.long
def test_a_release_holds_over_a_restart_until_it_is_resumed(tmp_path: Path) -> None:
    path, port = site_with_a_page(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: limit(port)[1] is not None, "the first decision")  # type: ignore[index]
        assert ask(port, "release", "POST")[0] == 200
        wait_until(lambda: "released_by_hand" in _codes(port), "the release")
        assert running.end(signal.SIGTERM) == 0

    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: "released_by_hand" in _codes(port), "the release")
        assert ask(port, "site")[1]["control"] == "released"
        wait_until(lambda: _limits_in_devices(port) == {0}, "the safe limit in each device")
        wait_until(lambda: ask(port, "resume", "POST")[0] == 200, "a request that is not one too many")
        wait_until(lambda: "released_by_hand" not in _codes(port), "the resume")
        wait_until(lambda: 0 not in _limits_in_devices(port), "limits that are not taken for an installer's")
        assert "derating_found" not in running.err
        assert running.end(signal.SIGTERM) == 0


def _limits_in_devices(port: int) -> set[object]:
    inverters = ask(port, "site")[1].get("inverters", {})
    return {each.get("ac_limit_watts") if each["online"] else 0 for each in inverters.values()}


def _codes(port: int) -> list[str]:
    site = ask(port, "site")[1].get("site")
    codes: list[str] = site["reason_codes"] if site else ["released_by_hand"] if site is not None else []
    return codes
