"""Values as they are published in JSON: rounded, with their time, without what is unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]


def rfc3339(wall_now: datetime) -> str:
    """`wall_now` (with its time zone) in UTC to the millisecond, such as 2030-01-31T12:00:00.250Z."""
    return wall_now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_time(payload: Mapping[str, Any]) -> Payload:
    """What must differ for a message to be news."""
    return {key: value for key, value in payload.items() if key != "time"}


def rounded(value: float | None, digits: int = 0) -> float | None:
    """`value` rounded, as an integer where no digit is left; None for what is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    return round(value) if digits == 0 else round(value, digits)
