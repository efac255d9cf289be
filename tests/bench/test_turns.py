"""The bench by turns: its sites can be run, and it prints a row for each tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.program import Totals
from bench.sites import CASES
from bench.turns import COLUMNS, joined
from orchestrator.config.sections import SiteConfig
from tests.support.servers.required import require_server

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_a_site(name: str, tmp_path: Path) -> None:
    config = SiteConfig.model_validate(CASES[name].sections(str(tmp_path)))

    assert len(config.inverters) == CASES[name].inverters


def test_of_several_turns_the_least_counts_and_of_what_must_not_happen_the_most() -> None:
    columns = COLUMNS[2:]
    low, high = [dict.fromkeys(columns, value) for value in (1.0, 2.0)]
    high["settles s"] = None
    row = dict(zip(columns, joined([tuple(low.values()), tuple(high.values())]), strict=True))

    assert (row["CPU s/min"], row["failed"], row["longest s"], row["settles s"]) == (1.0, 2.0, 2.0, 1.0)


def test_what_was_counted_between_two_looks_is_their_difference() -> None:
    assert Totals(cycles=5.0, writes=3.0) - Totals(cycles=2.0) == Totals(cycles=3.0, writes=3.0)


@pytest.mark.long
def test_one_turn_prints_its_row() -> None:
    require_server("mosquitto")
    command = [sys.executable, "-m", "bench.turns", "--only", "10", "--turns", "1", "--seconds", "2"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr
    assert "\n  10     now  " in done.stdout, done.stdout
