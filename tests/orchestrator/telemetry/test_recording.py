"""A recording: one line for each cycle, read back whole, whatever happened to the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import UsageError
from orchestrator.telemetry.explanation import explain
from orchestrator.telemetry.payloads import state_payloads
from orchestrator.telemetry.recording import cycle_at, read_cycles, recorded_view, to_line
from tests.support.records.cycles import cycle_result, site_config

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def line(seconds: float, site_watts: float = -500.0) -> str:
    return to_line(cycle_result(site_watts=site_watts, away=("roof",)), rfc3339(NOON + timedelta(seconds=seconds)))


def recording(folder: Path, *lines: str) -> str:
    path = folder / "recording.jsonl"
    path.write_text("".join(lines))
    return str(path)


def test_a_line_is_json_with_everything_that_is_published() -> None:
    assert line(0).endswith("}\n")
    assert line(0).count("\n") == 1
    assert set(json.loads(line(0))) == {"time", "site", "limits", "inverters/east", "inverters/roof"}
    (recorded,) = read_cycles([line(0)])
    assert recorded.payloads == state_payloads(cycle_result(away=("roof",)), rfc3339(NOON))


def test_lines_that_are_no_cycles_are_skipped() -> None:
    wrong = ["", "{", "[]\n", "7\n", '{"time": 3}\n', '{"time": "noon", "site": {}}\n', '{"time": "2026-06-01"}\n']
    cut = line(0)[:100]

    assert [recorded.time for recorded in read_cycles([*wrong, line(1), cut])] == [rfc3339(NOON + timedelta(seconds=1))]


def test_the_last_cycle_is_taken_or_the_last_one_before_a_moment() -> None:
    lines = [line(second, site_watts=float(second)) for second in range(10)]

    assert cycle_at(lines).payloads["site"]["site_watts"] == 9
    assert cycle_at(lines, NOON + timedelta(seconds=4.5)).payloads["site"]["site_watts"] == 4


def test_a_moment_before_the_recording_and_an_empty_one_are_refused() -> None:
    with pytest.raises(UsageError, match=r"begins at 2026-06-01T12:00:00.000Z, after 2026-06-01T11"):
        cycle_at([line(0)], NOON - timedelta(hours=1))
    with pytest.raises(UsageError, match="no cycle in this recording"):
        cycle_at([])


def test_a_recording_is_explained(tmp_path: Path) -> None:
    file = recording(tmp_path, line(0), line(5, site_watts=700.0))
    view = recorded_view(site_config(), file, "2026-06-01T12:00:04Z")

    assert explain(view).splitlines()[0] == "home, 2026-06-01 12:00:00 UTC: running"
    assert view.names == ["east", "roof"]
    assert "import 700 W" in explain(recorded_view(site_config(), file, None))


def test_a_moment_without_an_offset_is_of_the_time_zone_of_the_site(tmp_path: Path) -> None:
    config = site_config(site={"name": "home", "timezone": "Australia/Brisbane"})
    file = recording(tmp_path, line(0), line(5))

    assert recorded_view(config, file, "2026-06-01T22:00:03").payloads["site"]["time"] == rfc3339(NOON)


def test_a_file_or_a_time_that_will_not_do_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.jsonl: No such file"):
        recorded_view(site_config(), str(tmp_path / "nowhere.jsonl"), None)
    with pytest.raises(UsageError, match=r"--at must be a time such as .* \(got 'noon'\)"):
        recorded_view(site_config(), recording(tmp_path, line(0)), "noon")
    with pytest.raises(UsageError, match=r"recording\.jsonl: there is no cycle"):
        recorded_view(site_config(), recording(tmp_path, "\x00\xff"), None)
