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


def test_a_running_plant_and_its_recording_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, recording = str(example_site(tmp_path)), tmp_path / "plant.jsonl"
    with orchestrator(tmp_path, "run", site, "--demo", "--record", str(recording)) as running:
        running.wait_for_output(SHOWS_A_CYCLE)
        assert main(["set", site, '{"opModExpLimW": 0}']) == 0
        wait_until(lambda: '"source":"mqtt"' in recording.read_text(), "the limit in the recording")
        capsys.readouterr()
        assert main(["explain", site]) == 0
        live = capsys.readouterr().out
        assert running.end(signal.SIGTERM) == 0

    assert ": running\n" in live
    assert "  export limit 0 W (mqtt)" in live
    assert [name for name in INVERTERS if f"\n{name}" not in live] == []
    assert live.count("  because\n") == len(INVERTERS)
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
        assert running.process.wait(30) == 2

    assert "Is a directory" in running.err
