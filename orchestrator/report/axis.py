"""Where the marks of an axis are, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

HOURS: Final = (1, 2, 3, 4, 6, 12)
MINUTES: Final = (1, 2, 5, 10, 15, 30)
SHORTEST: Final = 1e-6
"""A shorter axis would show rounding errors only, or nothing."""
DAYS: Final = (1, 2, 7, 14, 30, 60, 120, 365)


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of an axis, and its marks: value and text of each."""

    low: float
    high: float
    marks: tuple[tuple[float, str], ...]

    def part(self, value: float) -> float:
        """Where `value` lies, 0 at the low end and 1 at the high end."""
        return (value - self.low) / (self.high - self.low)


def number_axis(values: Sequence[float], marks: int = 5, low: float | None = None, high: float | None = None) -> Axis:
    """An axis with round marks that holds all `values` and 0. `low` and `high` fix its ends."""
    least = min([0.0, *values]) if low is None else low
    most = max([0.0, *values]) if high is None else high
    if most - least < SHORTEST:
        most = least + 1.0
    step = _round_step((most - least) / marks)
    first = math.floor(least / step) if low is None else math.ceil(least / step)
    last = math.ceil(most / step) if high is None else math.floor(most / step)
    places = [number * step for number in range(first, last + 1)]
    return Axis(
        low=places[0] if low is None else low,
        high=places[-1] if high is None else high,
        marks=tuple((place, _number_text(place, step)) for place in places),
    )


def time_axis(begin: datetime, end: datetime, marks: int = 7) -> Axis:
    """An axis in seconds since `begin`, marked at full minutes, hours or days of its time zone."""
    seconds = max(elapsed_s(begin, end), 1.0)
    for unit_s, steps, text in ((60, MINUTES, "%H:%M"), (3600, HOURS, "%H:%M"), (86400, DAYS, "%d %b")):
        for step in steps:
            if seconds / (unit_s * step) <= marks:
                return Axis(0.0, seconds, _time_marks(begin, end, timedelta(seconds=unit_s * step), text))
    return Axis(0.0, seconds, _time_marks(begin, end, timedelta(seconds=seconds / marks), "%d %b %Y"))


def elapsed_s(begin: datetime, at: datetime) -> float:
    """Seconds from one moment to another, both with a time zone, also where clocks change between them."""
    return (at.astimezone(UTC) - begin.astimezone(UTC)).total_seconds()


def _time_marks(begin: datetime, end: datetime, step: timedelta, text: str) -> tuple[tuple[float, str], ...]:
    marks = []
    at = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while at <= end:
        if at >= begin:
            marks.append((elapsed_s(begin, at), at.strftime(text)))
        at += step
    return tuple(marks)


def _round_step(step: float) -> float:
    """The next of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def _number_text(value: float, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step)))
    return f"{value:.{digits}f}".replace("-0", "0") if abs(value) < step / 2 else f"{value:.{digits}f}"
