"""How often settings that a device keeps in flash may be written: a number a day, so that they last for its life.

A write that asks for less power is never made to wait, as long as anything of the day is left. One that asks for more
waits until the day is old enough: so the day's last writes are there for what must fall. AC limit and battery have
budgets of their own. A reduction of the AC limit is written even beyond its budget: better worn flash than a limit that
is not kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from orchestrator.devices.base import WriteGroup

AT_ONCE_SHARE: Final = 0.2
"""So much of the day's budget may be used for more power whatever the time of day; the rest comes with the hours."""
FOR_LESS_SHARE: Final = 0.2
"""So much of it is kept for what must fall."""
LAST_WRITES: Final = 2
"""When no more than so many are left for the AC limit, the next goes where no other will have to follow it."""
BATTERY_SHARE: Final = 0.25
"""So much of a make's writes is for its battery, where its AC limit is kept in flash as well."""
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class FlashUse:
    """How many writes to flash one device had on one day; `day` counts days since 1970-01-01 UTC.

    `battery_writes` of the `writes` were for its battery, the others for its AC limit.
    """

    day: int = 0
    writes: int = 0
    battery_writes: int = 0

    def of_battery(self) -> FlashUse:
        """The writes for the battery alone."""
        return FlashUse(self.day, self.battery_writes)

    def of_limit(self) -> FlashUse:
        """The writes for the AC limit alone."""
        return FlashUse(self.day, max(self.writes - self.battery_writes, 0))


def is_of_battery(group: WriteGroup) -> bool:
    """Whether the writes of `group` are for the battery; else they are for the AC limit, or the connection."""
    return group.name.startswith("battery")


def budgets(per_day: int, *, limit: bool, battery: bool) -> tuple[int, int]:
    """A make's writes a day, shared by AC limit and battery, as far as these are kept in flash at all."""
    if not (limit and battery):
        return (per_day if limit else 0, per_day if battery else 0)
    for_battery = round(BATTERY_SHARE * per_day)
    return per_day - for_battery, for_battery


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


def is_nearly_spent(use: FlashUse, per_day: int, wall: datetime) -> bool:
    """Whether the AC limit has to go now where it is safe whatever the load does: hardly a write is left today."""
    return used_on(use, wall).of_limit().writes >= per_day - LAST_WRITES


def after_writing(use: FlashUse, count: int, wall: datetime, *, battery: bool = False) -> FlashUse:
    """The use after `count` more writes."""
    today = used_on(use, wall)
    return FlashUse(today.day, today.writes + count, today.battery_writes + (count if battery else 0))


def flash_use_to_json(use: FlashUse) -> str:
    """One line of JSON."""
    return json.dumps(asdict(use))


def flash_use_from_json(text: str) -> FlashUse:
    """The record that `flash_use_to_json` wrote. Raises ValueError when it is anything else."""
    values = json.loads(text)
    fields = {"day", "writes", "battery_writes"}
    if not isinstance(values, dict) or not {"day", "writes"} <= set(values) <= fields:
        raise ValueError("other fields than expected")
    if not all(isinstance(value, int) and value >= 0 for value in values.values()):
        raise ValueError("a value has the wrong type")
    return FlashUse(**values)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()
