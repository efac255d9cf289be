"""How often settings that a device keeps in flash may be written: a number a day, so that they last for its life.

A write that asks for less power is never made to wait, as long as anything of the day is left. One that asks for more
waits until the day is old enough: so the day's last writes are there for what must fall.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

AT_ONCE_SHARE: Final = 0.2
"""So much of the day's budget may be used for more power whatever the time of day; the rest comes with the hours."""
FOR_LESS_SHARE: Final = 0.2
"""So much of it is kept for what must fall."""
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class FlashUse:
    """How many writes to flash one device had on one day; `day` counts days since 1970-01-01 UTC."""

    day: int = 0
    writes: int = 0


def used_on(use: FlashUse, wall: datetime) -> FlashUse:
    """The use of the day that `wall` is in: a new day begins with nothing."""
    day = wall.astimezone(UTC).date().toordinal() - _EPOCH
    return use if use.day == day else FlashUse(day)


def may_write(use: FlashUse, count: int, per_day: int, wall: datetime, *, for_more: bool) -> bool:
    """Whether `count` more writes are within the budget of `per_day`. `for_more`: they ask for more power."""
    written = used_on(use, wall).writes + count
    if not for_more:
        return written <= per_day
    midnight = wall.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (wall - midnight).total_seconds() / _DAY_S
    spread = AT_ONCE_SHARE + (1.0 - AT_ONCE_SHARE - FOR_LESS_SHARE) * passed
    return written <= max(per_day * spread, 1.0)


def after_writing(use: FlashUse, count: int, wall: datetime) -> FlashUse:
    """The use after `count` more writes."""
    today = used_on(use, wall)
    return FlashUse(today.day, today.writes + count)


def flash_use_to_json(use: FlashUse) -> str:
    """One line of JSON."""
    return json.dumps(asdict(use))


def flash_use_from_json(text: str) -> FlashUse:
    """The record that `flash_use_to_json` wrote. Raises ValueError when it is anything else."""
    values = json.loads(text)
    if not isinstance(values, dict) or set(values) != {"day", "writes"}:
        raise ValueError("other fields than expected")
    if not all(isinstance(value, int) and value >= 0 for value in values.values()):
        raise ValueError("a value has the wrong type")
    return FlashUse(**values)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()
