"""The days that a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from orchestrator.errors import UsageError

USUAL_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Period:
    """A time in the zone of the site: from `begin` to before `end`."""

    begin: datetime
    end: datetime


def period_of(begin: str | None, end: str | None, zone: tzinfo, today: date) -> Period:
    """The days from `begin` to `end`, both included, in the zone of the site. Raises UsageError."""
    last = today if end is None else _day("--to", end)
    try:
        first = last - timedelta(days=USUAL_DAYS - 1) if begin is None else _day("--from", begin)
        end_at = _midnight(last + timedelta(days=1), zone)
    except OverflowError:
        raise UsageError(f"--to: {last} is out of range") from None
    if first > last:
        raise UsageError(f"--from {first} is after --to {last}")
    try:
        return Period(_midnight(first, zone), end_at)
    except OverflowError:
        raise UsageError(f"--from: {first} is out of range") from None


def _midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins there. Raises OverflowError where that is no time in UTC."""
    at = datetime.combine(day, time(), zone)
    at.astimezone(UTC)
    return at


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no date; write it as 2026-01-31") from None
