"""What people write behind `report` and `simulate`, and what is made of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.report.arguments import add_simulate_arguments, csv_path


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_simulate_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(("text", "hours"), [("24", 24.0), ("0.5", 0.5), ("744", 744.0)])
def test_hours_are_a_number_above_0_and_at_most_a_month(text: str, hours: float) -> None:
    assert parsed("--hours", text).hours == hours


@pytest.mark.parametrize("text", ["0", "-1", "744.1", "nan", "inf", "a day"])
def test_other_hours_are_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=rf"at most 744 \(got '{text}'\)"):
        parsed(f"--hours={text}")


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ([], None),
        (["--report", "day.html"], None),
        (["--csv", "curves.txt"], Path("curves.txt")),
        (["--report", "out/day.html", "--csv"], Path("out/day.csv")),
        (["--report", "day.html", "--csv", "curves.csv"], Path("curves.csv")),
    ],
)
def test_the_csv_goes_where_it_was_named_or_beside_the_page(words: list[str], path: Path | None) -> None:
    arguments = parsed(*words)

    assert csv_path(arguments.csv, arguments.report) == path


def test_a_csv_beside_a_page_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(UsageError, match="--csv needs the name of a file"):
        csv_path(parsed("--csv").csv, None)
