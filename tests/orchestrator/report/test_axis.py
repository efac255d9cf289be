"""Where the marks of an axis are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.report.axis import elapsed_s, number_axis, time_axis

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def texts(axis_marks: tuple[tuple[float, str], ...]) -> list[str]:
    return [text for _, text in axis_marks]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 9.0], ["0", "2", "4", "6", "8", "10"]),
        ([-5.0, 10.0], ["-5", "0", "5", "10"]),
        ([0.3], ["0.0", "0.1", "0.2", "0.3"]),
        ([], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([0.0], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_marks_are_round_numbers(values: list[float], expected: list[str]) -> None:
    assert texts(number_axis(values).marks) == expected


def test_the_ends_may_be_fixed() -> None:
    axis = number_axis([], low=0.0, high=100.0)

    assert (axis.low, axis.high) == (0, 100)
    assert texts(axis.marks) == ["0", "20", "40", "60", "80", "100"]


@given(st.lists(st.floats(-1e9, 1e9), max_size=10))
@example([5e-324])
def test_every_value_and_zero_are_on_the_axis_and_marks_are_few(values: list[float]) -> None:
    axis = number_axis(values)

    assert axis.low <= min([0.0, *values]) <= max([0.0, *values]) <= axis.high
    assert 2 <= len(axis.marks) <= 8
    assert all(-0.001 <= axis.part(value) <= 1.001 for value in (*values, 0.0))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0.5, ["00:00", "00:05", "00:10", "00:15", "00:20", "00:25", "00:30"]),
        (24, ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00"]),
        (24 * 14, ["01 Jun", "03 Jun", "05 Jun", "07 Jun", "09 Jun", "11 Jun", "13 Jun", "15 Jun"]),
    ],
)
def test_times_are_marked_where_people_look(hours: float, expected: list[str]) -> None:
    assert texts(time_axis(MIDNIGHT, MIDNIGHT + timedelta(hours=hours)).marks) == expected


def test_marks_of_a_decade_have_their_year() -> None:
    assert texts(time_axis(MIDNIGHT, MIDNIGHT + timedelta(days=4000)).marks)[0] == "01 Jun 2026"


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin, end = datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin)
    axis = time_axis(begin, end)

    assert elapsed_s(begin, end) == 23 * 3600
    assert {text: at for at, text in axis.marks}["12:00"] == 11 * 3600
