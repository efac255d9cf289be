"""The bench runs and prints its rows. What they say is for people: nothing here depends on how fast this machine is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.tables import percentile, table

REPOSITORY = Path(__file__).parents[2]
ROWS = (
    "  1          steps ",
    "  orchestrator                   2.00 ",
    "  pysunspec2                     3.00 ",
    "  pymodbus, model by model       3.00 ",
    "  orchestrator, bare socket      2.00 ",
    "  pysunspec2, raw points ",
    "  1              5 ",
    "  3                 20.0 ",
    "  without words, as in a rehearsal           60 ",
    "  with reasons and live numbers              60 ",
    "  limit_steps         orchestrator ",
    "  all of them         orchestrator ",
    "  limit_steps  ",
)


def test_the_smallest_bench_prints_its_rows() -> None:
    command = [sys.executable, "-m", "bench", "--quick"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 0, done.stderr
    for row in ROWS:
        assert f"\n{row}" in done.stdout, done.stdout
    assert [line[:5] for line in done.stderr.splitlines()] == [f"[{n}/6]" for n in range(1, 7)]


def test_a_table_has_its_columns_under_their_names() -> None:
    assert table("T", ("name", "us"), [("a", 1.234), ("bcdef", None), ("c", 1234.5)]).splitlines() == [
        "T",
        "  name     us",
        "  a      1.23",
        "  bcdef     -",
        "  c      1234",
    ]


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (51, 3.0), (99, 4.0), (100, 4.0)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == expected


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 50) is None
