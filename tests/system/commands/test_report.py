"""`orchestrator report` as people type it, on the ledger of a plant that was killed."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.files.ledger_file import FILE_NAME, read_excesses
from orchestrator.ledger.excess import Excess
from tests.support.command_line import REPOSITORY, example_site, orchestrator
from tests.support.page.markup import assert_stands_alone, rows, words
from tests.support.servers.required import wait_until

SHADOW = ("control:\n", "control:\n  enabled: false\n")
NO_EXPORT = ("export_limit_watts: 5000", "export_limit_watts: 0")
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def report(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator.cli", "report", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def recorded(folder: Path) -> list[Excess]:
    return read_excesses(folder / "state" / FILE_NAME, LONG_AGO, FAR_AHEAD)


def test_what_a_killed_plant_has_seen_is_in_the_report(tmp_path: Path) -> None:
    site, page = example_site(tmp_path, SHADOW, NO_EXPORT), tmp_path / "report.html"
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        wait_until(lambda: any(each.duration_s > 2.5 for each in recorded(tmp_path)), "an excess of 3 s")
        running.end(signal.SIGKILL)
    excess = max(recorded(tmp_path), key=lambda each: each.duration_s)
    done = report(str(site), "--out", str(page), "--csv")

    assert done.returncode == 0, done.stderr
    assert "excesses over limits" in done.stdout
    assert int(rows(page.read_text())["export"][0]) >= 1
    assert_stands_alone(page.read_text())
    with (tmp_path / "report.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert round(excess.duration_s, 3) in [float(line["duration_s"]) for line in lines]
    assert {line["source"] for line in lines} == {"fixed"}
    assert all(line["began_at"].endswith("+10:00") for line in lines)


def test_a_plant_that_never_ran_has_an_empty_report(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = report(str(example_site(tmp_path)), "--from", "2026-01-01", "--to", "2026-01-31", "--out", str(page))

    assert done.returncode == 0, done.stderr
    assert "0 excesses over limits" in done.stdout
    assert "nothing was recorded yet" in done.stdout
    assert "2026-01-01 to 2026-01-31" in words(page.read_text())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--from", "tomorrow"), 2, "--from: 'tomorrow' is no date"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), 2, "--from 2026-02-01 is after --to 2026-01-01"),
        (("--out", "/nowhere/report.html"), 1, "/nowhere/report.html cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = report(str(example_site(tmp_path)), "--out", str(tmp_path / "report.html"), *arguments)

    assert done.returncode == code
    assert said in done.stderr


def test_a_ledger_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    site = example_site(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE_NAME).write_text("no database" * 100)
    done = report(str(site), "--out", str(tmp_path / "report.html"))

    assert done.returncode == 1
    assert f"{FILE_NAME} cannot be read" in done.stderr
