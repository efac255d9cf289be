"""`orchestrator explain` of a plant that runs, and of its recording."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from tests.support.command_line import example_site, orchestrator
from tests.support.servers.required import wait_until

SHOWS_A_CYCLE = "| limits export limit 5000 W (fixed)"
INVERTERS = ("east", "west", "roof")


def explained(site: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["explain", site]) == 0
    return capsys.readouterr().out


def test_a_running_plant_and_its_recording_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, recording = str(example_site(tmp_path)), tmp_path / "plant.jsonl"
    with orchestrator(tmp_path, "run", site, "--demo", "--record", str(recording)) as running:
        running.wait_for_output(SHOWS_A_CYCLE)
        assert main(["set", site, '{"opModExpLimW": 0}']) == 0
        wait_until(lambda: '"source":"mqtt"' in recording.read_text(), "the limit in the recording")

        def is_explained() -> bool:
            """It is published a little later than it is recorded, and not all of it at once."""
            live = explained(site, capsys)
            wanted = (": running\n", "  export limit 0 W (mqtt)", *(f"\n{name}" for name in INVERTERS))
            return all(text in live for text in wanted) and live.count("  because\n") == len(INVERTERS)

        wait_until(is_explained, "a plant that is explained as it runs")
        assert running.end(signal.SIGTERM) == 0

    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    assert all(f"inverters/{name}" in lines[-1] for name in INVERTERS)

    assert main(["explain", site, "--recording", str(recording), "--at", lines[-1]["time"]]) == 0
    assert "  export limit 0 W (mqtt)" in capsys.readouterr().out
    assert main(["explain", site, "--recording", str(recording), "--at", "2000-01-01"]) == 2
    assert "the recording begins at" in capsys.readouterr().err


def test_a_moment_needs_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(example_site(tmp_path)), "--at", "2026-06-01T12:00:00Z"]) == 2
    assert "say which with --recording FILE" in capsys.readouterr().err


def test_a_recording_that_cannot_be_written_is_refused_before_the_plant_starts(tmp_path: Path) -> None:
    with orchestrator(tmp_path, "run", str(example_site(tmp_path)), "--demo", "--record", str(tmp_path)) as running:
        assert running.exit_code() == 2

    assert "Is a directory" in running.err
