"""`setpoints.schedules:` what is asked for by days and hours, and its mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import combinations
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Mistakes, Name, Section
from orchestrator.documents.yaml_text import Finding
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.timetable import WEEKDAYS, Row, Timetable, clock_text

_DAY: Final = f"(?:{'|'.join(WEEKDAYS)})"
_SPAN: Final = f"{_DAY}(?:-{_DAY})?"
_TIME: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
Days = Annotated[
    str,
    Field(pattern=rf"^{_SPAN}(?:, ?{_SPAN})*$", description="days such as 'mon-fri', 'sat, sun' or 'mon-sun'"),
]
Hours = Annotated[
    str,
    Field(
        pattern=rf"^{_TIME}-(?:{_TIME}|24:00)$",
        description="hours such as '10:00-16:00', '22:00-06:00' or '00:00-24:00'",
    ),
]


class ScheduleRow(Section):
    """`setpoints.schedules[].rows[]:` one row of the table."""

    days: Days = "mon-sun"
    hours: Hours
    fields: SetpointValues

    @property
    def row(self) -> Row:
        """The row as the timetable takes it."""
        begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in self.hours.split("-"))
        return Row(_days_of(self.days), begin, end, self.fields)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        begin, end = self.hours.split("-")
        if begin == end:
            raise Mistakes(
                (("hours",), f"must not end when they begin; a whole day is '00:00-24:00' (got {self.hours!r})")
            )
        if not self.fields.asked():
            raise Mistakes((("fields",), "asks for nothing; take the row away, or write what holds in these hours"))
        return self


class ScheduleSection(Section):
    """`setpoints.schedules[]:` a source that asks by the clock, in the time zone of the site."""

    name: Name
    rows: Annotated[tuple[ScheduleRow, ...], Field(min_length=1, max_length=200, strict=False)]
    default: SetpointValues | None = None

    @model_validator(mode="after")
    def _rows_are_apart(self) -> Self:
        found = list(_overlaps([each.row for each in self.rows]))
        if found:
            raise Mistakes(*found)
        return self

    def timetable(self, zone: tzinfo) -> Timetable:
        """What it asks for and when."""
        return Timetable(self.name, tuple(each.row for each in self.rows), zone, self.default)

    def asks(self) -> tuple[SetpointFields, ...]:
        """All that it may ask for."""
        rows = tuple(each.fields for each in self.rows)
        return rows if self.default is None else (*rows, self.default)


def _days_of(text: str) -> frozenset[int]:
    """The days of a text such as `mon-fri, sun` as numbers from Monday (0); `fri-mon` goes over the weekend."""
    found: set[int] = set()
    for span in text.replace(" ", "").split(","):
        first, _, last = span.partition("-")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= {day % len(WEEKDAYS) for day in range(begin, end + (len(WEEKDAYS) if end < begin else 0) + 1)}
    return frozenset(found)


def _overlaps(rows: list[Row]) -> Iterator[Finding]:
    """Each row that holds at a moment at which a former one does: nobody could see at once which is meant."""
    for (before, former), (index, row) in combinations(enumerate(rows), 2):
        spans = [(max(a, c), min(b, d)) for a, b in former.minutes_of_week() for c, d in row.minutes_of_week()]
        both = min((begin for begin, end in spans if begin < end), default=None)
        if both is not None:
            message = f"overlaps with rows[{before}] on {clock_text(both)}; hours of one schedule must be apart"
            yield ("rows", index, "hours"), message
