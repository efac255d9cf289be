"""The file of the curves: right values, bounded, and worth no trouble."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from actors.files.history_file import FILE_NAME, HistoryFile, read_history
from orchestrator.telemetry.history import COARSE_STEP_S, FINE_FOR_S, SITE, Row

T = 1_800_000_000 // COARSE_STEP_S * COARSE_STEP_S


def row(at_s: int, watts: float | None, subject: str = SITE) -> Row:
    return Row(subject, at_s, (watts, None, 1.0, 2.0, 50.0) if subject else (watts, None, 1.0, 2.0, 50.0, 5000.0))


def write(folder: Path, rows: list[Row], now_s: int, days: int = 31) -> None:
    file = HistoryFile.open(folder / FILE_NAME)
    file.write(rows, now_s=now_s, days=days)
    file.close()


def counts(folder: Path) -> dict[str, int]:
    connection = sqlite3.connect(folder / FILE_NAME)
    found = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("fine", "coarse")}
    connection.close()
    return found


def test_what_is_written_is_read_and_coarse_values_are_means(tmp_path: Path) -> None:
    write(tmp_path, [row(T + 10 * n, float(n)) for n in range(30)], T + 300)

    fine = read_history(tmp_path / FILE_NAME, SITE, T, T + 300, 10)
    assert fine[T + 70] == (7.0, None, 1.0, 2.0, 50.0, 5000.0)
    assert read_history(tmp_path / FILE_NAME, SITE, T, T + 300, 60)[T + 60][0] == 8.5
    assert read_history(tmp_path / FILE_NAME, SITE, T, T + 300, 300) == {T: (14.5, None, 1.0, 2.0, 50.0, 5000.0)}


def test_a_coarse_step_that_a_restart_cuts_in_two_is_the_mean_of_both_parts(tmp_path: Path) -> None:
    write(tmp_path, [row(T + 10 * n, 100.0) for n in range(10)], T + 100)
    write(tmp_path, [row(T + 10 * n, 400.0) for n in range(20, 30)], T + 300)

    assert read_history(tmp_path / FILE_NAME, SITE, T, T + 300, 300)[T][0] == 250.0


def test_inverters_are_kept_beside_the_site(tmp_path: Path) -> None:
    write(tmp_path, [row(T, 1.0), row(T, 2.0, "east"), row(T, None, "west")], T + 60)

    assert read_history(tmp_path / FILE_NAME, "east", T, T + 60, 60)[T] == (2.0, None, 1.0, 2.0, 50.0)
    assert read_history(tmp_path / FILE_NAME, "west", T, T + 60, 60)[T][0] is None
    assert read_history(tmp_path / FILE_NAME, "roof", T, T + 60, 60) == {}


def test_it_is_bounded(tmp_path: Path) -> None:
    day = [row(T + 10 * n, 1.0) for n in range(0, 8640)]
    write(tmp_path, day, T + FINE_FOR_S)
    write(tmp_path, [row(T + 3 * FINE_FOR_S, 1.0)], T + 3 * FINE_FOR_S)
    after_days = counts(tmp_path)
    write(tmp_path, [row(T + 40 * FINE_FOR_S, 1.0)], T + 40 * FINE_FOR_S)

    assert after_days == {"fine": 1, "coarse": 289}
    assert counts(tmp_path) == {"fine": 1, "coarse": 1}


def test_rows_of_a_clock_that_was_far_ahead_do_not_stay_for_ever(tmp_path: Path) -> None:
    write(tmp_path, [row(T + 9 * 365 * FINE_FOR_S, 1.0)], T + 9 * 365 * FINE_FOR_S)
    write(tmp_path, [row(T, 1.0)], T)

    assert counts(tmp_path) == {"fine": 1, "coarse": 1}


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_damaged_is_set_aside_once_and_begun_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        (tmp_path / FILE_NAME).write_bytes(content)
        write(tmp_path, [row(T, 1.0)], T)

    assert counts(tmp_path) == {"fine": 1, "coarse": 1}
    assert sorted(path.name for path in tmp_path.iterdir() if "unusable" in path.name) == [f"{FILE_NAME}.unusable"]
    assert "begun anew" in caplog.text


def test_the_database_of_another_program_is_set_aside(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript("PRAGMA application_id = 7; CREATE TABLE theirs (a);")
    connection.close()
    write(tmp_path, [row(T, 1.0)], T)

    assert (tmp_path / f"{FILE_NAME}.unusable").exists()


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / FILE_NAME, SITE, 0, T, 300) == {}
