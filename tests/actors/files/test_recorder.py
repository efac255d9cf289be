"""The recorder: every cycle becomes a line, in bounded room, and no disk holds the plant up."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.files.recorder import MOST_WAITING, Recorder, recording_to
from actors.messages import Event
from orchestrator.errors import UsageError
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import wait_until

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_each_cycle_is_a_line_as_soon_as_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    path.write_text("an earlier run\n")
    recorder = Recorder(path, lambda: NOON)
    recorder.start()
    recorder.tell(Event("started", "site", ""))
    recorder.tell(cycle_result(site_watts=1.0))
    wait_until(lambda: len(lines(path)) == 2, "the line before the end")
    recorder.tell(cycle_result(site_watts=2.0))
    recorder.stop()

    assert lines(path)[0] == "an earlier run"
    assert [json.loads(line)["site"]["site_watts"] for line in lines(path)[1:]] == [1, 2]
    assert json.loads(lines(path)[1])["time"] == "2026-06-01T12:00:00.000Z"


def test_a_file_that_is_large_enough_makes_room(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    recorder = Recorder(path, lambda: NOON, largest_bytes=4000)
    recorder.start()
    for number in range(50):
        recorder.tell(cycle_result(site_watts=float(number)))
    recorder.stop()

    former = tmp_path / "recording.jsonl.1"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["recording.jsonl", "recording.jsonl.1"]
    assert 4000 <= former.stat().st_size < 8000
    kept = [json.loads(line)["site"]["site_watts"] for each in (former, path) for line in lines(each)]
    assert kept == list(range(50))[-len(kept) :]


def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot record to .*: Is a directory"), recording_to(str(tmp_path)):
        pass


def test_without_a_file_nothing_listens() -> None:
    with recording_to(None) as listeners:
        assert listeners == ()


def test_a_disk_in_trouble_is_said_once_and_lines_come_again_after_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "recording.jsonl"
    recorder = Recorder(path, lambda: NOON)
    recorder.start()
    path.unlink()
    path.mkdir()
    for _ in range(3):
        recorder.tell(cycle_result())
    wait_until(lambda: "recording to" in caplog.text, "the trouble")
    wait_until(lambda: recorder.waiting == 0, "all cycles to be tried")
    path.rmdir()
    recorder.tell(cycle_result())
    recorder.stop()

    assert len(lines(path)) == 1
    assert caplog.text.count("the plant runs on") == 1


def test_a_disk_that_hangs_costs_lines_and_never_the_time_of_the_plant(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    recorder = Recorder(path, lambda: NOON)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    recorder.start()
    os.close(reader)  # the next to open it waits for a reader
    for _ in range(MOST_WAITING + 50):
        recorder.tell(cycle_result())

    assert MOST_WAITING - 1 <= recorder.waiting <= MOST_WAITING
    with path.open() as pipe:
        assert json.loads(pipe.readline())["time"] == "2026-06-01T12:00:00.000Z"
        wait_until(lambda: "cycles are left out" in caplog.text, "the warning")
        wait_until(lambda: pipe.readline() == "" and recorder.waiting == 0, "all lines")
        recorder.stop()
