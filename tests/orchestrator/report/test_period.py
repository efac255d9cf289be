"""The days of a report, and where its files go."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from orchestrator.errors import UsageError
from orchestrator.report.arguments import csv_path
from orchestrator.report.period import period_of

BRISBANE = ZoneInfo("Australia/Brisbane")
TODAY = date(2026, 6, 30)


def test_both_days_are_included_in_the_time_zone_of_the_site() -> None:
    period = period_of("2026-06-01", "2026-06-02", BRISBANE, TODAY)

    assert period.begin == datetime(2026, 5, 31, 14, tzinfo=UTC)
    assert period.end == datetime(2026, 6, 2, 14, tzinfo=UTC)


def test_a_day_on_which_clocks_change_is_a_whole_day() -> None:
    period = period_of("2026-03-29", "2026-03-29", ZoneInfo("Europe/Berlin"), TODAY)

    assert period.end.astimezone(UTC) - period.begin.astimezone(UTC) == timedelta(hours=23)


def test_without_days_it_is_the_last_thirty() -> None:
    period = period_of(None, None, BRISBANE, TODAY)

    assert (period.begin.date(), period.end.date()) == (date(2026, 6, 1), date(2026, 7, 1))


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("yesterday", None, "--from: 'yesterday' is no date"),
        (None, "2026-02-30", "--to: '2026-02-30' is no date"),
        ("2026-06-02", "2026-06-01", "--from 2026-06-02 is after --to 2026-06-01"),
        (None, "9999-12-31", "out of range"),
        (None, "0001-01-01", "--to: 0001-01-01 is out of range"),
        ("0001-01-01", None, "--from: 0001-01-01 is out of range"),
    ],
)
def test_days_that_cannot_be_meant_are_refused(begin: str | None, end: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        period_of(begin, end, BRISBANE, TODAY)


def test_the_csv_goes_where_it_is_named_else_beside_the_page() -> None:
    assert csv_path(None, "a.html") is None
    assert csv_path("b.csv", "a.html") == Path("b.csv")
    assert csv_path("beside", "out/a.html") == Path("out/a.csv")
    with pytest.raises(UsageError, match="--report"):
        csv_path("beside", None)
