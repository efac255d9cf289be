"""What a timetable asks for at a moment: rows of days and hours, read by the local time of the site.

A row holds while a clock on the wall of the site shows its hours, so a day of 23 or 25 hours needs no rule of its own:
hours that the clock skips do not hold, hours that it shows twice hold twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, utc_text

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY: Final = 1440
DAY_S: Final = 86400
LOOK_AHEAD_DAYS: Final = 8
"""A week and the day that it began on: what has not changed by then is looked at anew."""


@dataclass(frozen=True, slots=True)
class Row:
    """Fields that are asked for on `days` (0: Monday) from one minute of the day (0 to 1440) to before another.

    Where `end_minute` is not after `begin_minute` it is on the day after: the hours belong to the day on which they
    begin.
    """

    days: frozenset[int]
    begin_minute: int
    end_minute: int
    fields: SetpointFields

    def minutes_of_week(self) -> Iterator[tuple[int, int]]:
        """Its hours as minutes of the week, from Monday; those that reach into the next week are cut in two."""
        week = MINUTES_PER_DAY * len(WEEKDAYS)
        for day in sorted(self.days):
            start = day * MINUTES_PER_DAY + self.begin_minute
            yield start, min(start + self._minutes, week)
            if start + self._minutes > week:
                yield 0, start + self._minutes - week

    def holds(self, local: datetime) -> bool:
        """Whether it holds when clocks on the wall show `local`."""
        minute = local.hour * 60 + local.minute
        began_on = local.weekday() if minute >= self.begin_minute else (local.weekday() - 1) % len(WEEKDAYS)
        return began_on in self.days and (minute - self.begin_minute) % MINUTES_PER_DAY < self._minutes

    @property
    def _minutes(self) -> int:
        """How long it holds, from 1 to 1440."""
        return (self.end_minute - self.begin_minute - 1) % MINUTES_PER_DAY + 1


@dataclass(frozen=True, slots=True)
class Slot:
    """What a timetable asks for (None: nothing), from `since_wall_s` to before `until_wall_s` (seconds since 1970)."""

    setpoint: Setpoint | None
    since_wall_s: float
    until_wall_s: float

    def covers(self, wall_s: float) -> bool:
        """Whether it is known to hold at `wall_s`."""
        return self.since_wall_s <= wall_s < self.until_wall_s


@dataclass(frozen=True, slots=True)
class Timetable:
    """The rows of one source, none of which overlap, in the time zone of the site.

    `otherwise` is asked for where no row holds; None: nothing is.
    """

    source: str
    rows: tuple[Row, ...]
    zone: tzinfo
    otherwise: SetpointFields | None = None

    def at(self, wall_s: float) -> Slot:
        """What it asks for at `wall_s` (seconds since 1970), and until when."""
        row, until_s = self._row(wall_s), self._changes_s(wall_s)
        fields = self.otherwise if row is None else row.fields
        if fields is None:
            return Slot(None, wall_s, until_s)
        text = utc_text(until_s)
        asked = Setpoint(self.source, fields, valid_until=text, is_default=row is None, until_wall_s=until_s)
        return Slot(asked, wall_s, until_s)

    def _row(self, wall_s: float) -> Row | None:
        local = datetime.fromtimestamp(wall_s, self.zone)
        return next((row for row in self.rows if row.holds(local)), None)

    def _changes_s(self, wall_s: float) -> float:
        now = self._row(wall_s)
        for day in range(LOOK_AHEAD_DAYS):
            begin_s = wall_s + day * DAY_S
            for at_s in sorted(self._edges_s(begin_s, begin_s + DAY_S)):
                if self._row(at_s) != now:
                    return at_s
        return wall_s + LOOK_AHEAD_DAYS * DAY_S

    def _edges_s(self, begin_s: float, end_s: float) -> set[float]:
        """The moments after `begin_s` up to `end_s` at which a row may begin or end."""
        first, last = (datetime.fromtimestamp(each, self.zone).date() for each in (begin_s, end_s))
        edges = {minute % MINUTES_PER_DAY for row in self.rows for minute in (row.begin_minute, row.end_minute)}
        found = {moment for day in _days(first, last) for minute in edges for moment in self._moments_s(day, minute)}
        return {each for each in (*found, *self._clock_changes_s(begin_s, end_s)) if begin_s < each <= end_s}

    def _moments_s(self, day: date, minute: int) -> Iterator[float]:
        """When the clock shows this minute: twice on the day on which it is put back."""
        shown = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)
        yield from (shown.replace(fold=fold).timestamp() for fold in (0, 1))

    def _clock_changes_s(self, begin_s: float, end_s: float) -> Iterator[float]:
        """The second at which clocks are put forward or back, if they are."""
        before = self._offset(begin_s)
        if self._offset(end_s) == before:
            return
        early, late = int(begin_s), int(end_s) + 1
        while late - early > 1:
            middle = (early + late) // 2
            early, late = (middle, late) if self._offset(middle) == before else (early, middle)
        yield float(late)

    def _offset(self, wall_s: float) -> timedelta | None:
        return datetime.fromtimestamp(wall_s, self.zone).utcoffset()


def clock_text(minute_of_week: int) -> str:
    """A minute of the week (0 is Monday 00:00) for people, such as `tue 10:00`."""
    day, minute = divmod(minute_of_week, MINUTES_PER_DAY)
    return f"{WEEKDAYS[day]} {minute // 60:02}:{minute % 60:02}"


def _days(first: date, last: date) -> Iterator[date]:
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)


class Timetables:
    """All timetables of a site, looked at anew only when one of them changes."""

    def __init__(self, timetables: tuple[Timetable, ...]) -> None:
        self._timetables = timetables
        self._slots: dict[str, Slot] = {}

    def setpoints(self, wall_s: float) -> tuple[Setpoint, ...]:
        """What they ask for at `wall_s` (seconds since 1970), in their order."""
        return tuple(slot.setpoint for slot in self._at(wall_s) if slot.setpoint is not None)

    def until_wall_s(self, wall_s: float) -> tuple[float, ...]:
        """When each of them asks for something else."""
        return tuple(slot.until_wall_s for slot in self._at(wall_s))

    def _at(self, wall_s: float) -> list[Slot]:
        for each in self._timetables:
            slot = self._slots.get(each.source)
            if slot is None or not slot.covers(wall_s):
                self._slots[each.source] = each.at(wall_s)
        return [self._slots[each.source] for each in self._timetables]
