"""What a timetable asks for at every moment, also on the days of 23 and of 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.timetable import Row, Timetable, Timetables

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(range(7))
ZERO = SetpointFields(export_limit_watts=0.0)
SPRING, AUTUMN = "2026-03-29", "2026-10-25"
"""The clock goes from 02:00 to 03:00, and from 03:00 back to 02:00."""


def moment(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def table(begin: int, end: int, days: frozenset[int] = EVERY_DAY, zone: ZoneInfo = BERLIN) -> Timetable:
    return Timetable("tariff", (Row(days, begin, end, ZERO),), zone)


def holds(timetable: Timetable, wall_s: float) -> bool:
    return timetable.at(wall_s).setpoint is not None


def hours_that_hold(timetable: Timetable, day: str) -> list[str]:
    """The quarters of an hour, in UTC, of a day in Berlin in which it asks for something."""
    begin_s = moment(f"{day}T00:00")
    end_s = moment(f"{day}T23:45")
    quarters = [begin_s + 900 * index for index in range(int(end_s - begin_s) // 900 + 1)]
    return [datetime.fromtimestamp(each, UTC).strftime("%H:%M") for each in quarters if holds(timetable, each)]


def test_a_row_holds_from_its_first_second_to_before_its_last() -> None:
    tariff = table(600, 960)

    assert not holds(tariff, moment("2026-06-01T09:59:59"))
    assert holds(tariff, moment("2026-06-01T10:00:00"))
    assert holds(tariff, moment("2026-06-01T15:59:59"))
    assert not holds(tariff, moment("2026-06-01T16:00:00"))


def test_it_says_to_the_second_until_when_it_holds() -> None:
    slot = table(600, 960).at(moment("2026-06-01T12:00"))

    assert slot.until_wall_s == moment("2026-06-01T16:00")
    assert slot.setpoint is not None
    assert slot.setpoint.valid_until == "2026-06-01T14:00:00Z"


def test_what_begins_before_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = table(1320, 360, frozenset({6}))

    assert holds(night, moment("2026-06-07T23:00"))
    assert holds(night, moment("2026-06-08T05:59"))
    assert not holds(night, moment("2026-06-07T05:59"))


def test_the_hour_that_the_clock_skips_does_not_hold() -> None:
    assert hours_that_hold(table(120, 180), SPRING) == []
    assert hours_that_hold(table(60, 150), SPRING) == ["00:00", "00:15", "00:30", "00:45"]
    assert hours_that_hold(table(150, 195), SPRING) == ["01:00"]


def test_the_hour_that_the_clock_shows_twice_holds_twice() -> None:
    assert hours_that_hold(table(120, 150), AUTUMN) == ["00:00", "00:15", "01:00", "01:15"]
    assert hours_that_hold(table(150, 210), AUTUMN) == ["00:30", "00:45", "01:30", "01:45", "02:00", "02:15"]


@pytest.mark.parametrize(("day", "utc"), [(SPRING, "08:00"), (AUTUMN, "09:00"), ("2026-06-01", "08:00")])
def test_ten_in_the_morning_is_ten_on_every_day(day: str, utc: str) -> None:
    assert hours_that_hold(table(600, 615), day) == [utc]


def test_what_ends_in_the_hour_that_is_skipped_ends_when_the_clock_is_put_forward() -> None:
    assert table(60, 150).at(moment(f"{SPRING}T01:30")).until_wall_s == moment(f"{SPRING}T03:00")


def test_where_no_row_holds_the_default_is_asked_for_until_the_next_one() -> None:
    timetable = Timetable("tariff", table(600, 960).rows, BERLIN, SetpointFields(export_limit_watts=5000.0))
    slot = timetable.at(moment("2026-06-01T17:00"))

    assert slot.setpoint is not None
    assert slot.setpoint.is_default
    assert slot.setpoint.fields.export_limit_watts == 5000.0
    assert slot.until_wall_s == moment("2026-06-02T10:00")


ZONES = st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Pacific/Chatham", "UTC"])


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    """One to three rows, whatever their hours: the first that holds counts."""
    minutes = st.integers(0, 95).map(lambda quarter: quarter * 15)
    rows = [
        Row(draw(st.frozensets(st.integers(0, 6), min_size=1)), draw(minutes), draw(minutes) + 15, ZERO)
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Timetable("tariff", tuple(rows), ZoneInfo(draw(ZONES)))


@settings(max_examples=40)
@given(timetables(), st.integers(0, 365 * 24 * 4), st.lists(st.floats(0, 1, exclude_max=True), max_size=3))
def test_until_the_moment_that_it_names_nothing_changes_and_there_it_does(
    timetable: Timetable, quarter: int, parts: list[float]
) -> None:
    wall_s = moment("2026-01-01T00:00", ZoneInfo("UTC")) + quarter * 900
    slot = timetable.at(wall_s)
    length_s = slot.until_wall_s - wall_s

    assert all(holds(timetable, wall_s + part * length_s) == (slot.setpoint is not None) for part in parts)
    local = datetime.fromtimestamp(slot.until_wall_s, timetable.zone)
    before = datetime.fromtimestamp(slot.until_wall_s - 1, timetable.zone)
    rows = [row for row in timetable.rows if row.holds(local)][:1]
    assert rows != [row for row in timetable.rows if row.holds(before)][:1] or length_s == 8 * 86400


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_kept_from_second_to_second_it_asks_for_what_a_clock_on_the_wall_shows(day: str, zone: str) -> None:
    """Each minute of the day, and the seconds around each full quarter."""
    berlin = ZoneInfo(zone)
    rows = (Row(EVERY_DAY, 90, 135, ZERO), Row(EVERY_DAY, 165, 180, ZERO), Row(EVERY_DAY, 1410, 30, ZERO))
    kept = Timetables((Timetable("tariff", rows, berlin),))
    begin_s = moment(f"{day}T00:00", berlin)
    for minute in range(26 * 60):
        for second in (-1, 0, 1, 30):
            local = datetime.fromtimestamp(begin_s + minute * 60 + second, berlin)
            shown = local.hour * 60 + local.minute
            wanted = 90 <= shown < 135 or 165 <= shown < 180 or shown >= 1410 or shown < 30
            assert bool(kept.setpoints(local.timestamp())) == wanted, local


def test_a_clock_that_is_put_back_is_followed() -> None:
    kept = Timetables((table(600, 960),))

    assert kept.setpoints(moment("2026-06-01T10:00"))
    assert not kept.setpoints(moment("2026-06-01T09:00"))
