"""What somebody types as an answer of `orchestrator init`, as values. Each raises UsageError that says what to type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.commissioning.drafts.device_lines import NAME_MAX, RESERVED
from orchestrator.errors import UsageError

NONE: Final = "none"
_POWER: Final = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(k?)(?:wh?)?", re.IGNORECASE)
_NAME: Final = re.compile(rf"[a-z0-9_-]{{1,{NAME_MAX}}}")
MOST_WATTS: Final = 1e9


def quantity(text: str) -> float:
    """`5000`, `5000 W`, `5 kW` or `10 kWh` as W or Wh."""
    typed = _POWER.fullmatch(text.strip())
    if typed is None:
        raise UsageError(f"{text!r} is no number of watts: say it such as 5000 or 5 kW")
    value = float(typed[1].replace(",", ".")) * (1000.0 if typed[2] else 1.0)
    if value > MOST_WATTS:
        raise UsageError(f"{text!r} is more than any site has")
    return value


def limit(text: str) -> float | None:
    """A quantity, or None for `none`."""
    return None if text.strip().lower() == NONE else quantity(text)


def positive(text: str) -> float | None:
    """A quantity above 0, or None for `none`."""
    value = limit(text)
    if value == 0:
        raise UsageError(f"{text!r}: it must be more than 0; say none where it is not known")
    return value


def percent(text: str) -> float | None:
    """0 to 100, with or without a percent sign, or None for `none`."""
    if text.strip().lower() == NONE:
        return None
    typed = re.fullmatch(r"([0-9]{1,3}(?:[.,][0-9]+)?)\s*%?", text.strip())
    if typed is None or float(typed[1].replace(",", ".")) > 100:
        raise UsageError(f"{text!r} is no percentage: say a number from 0 to 100")
    return float(typed[1].replace(",", "."))


def choice(text: str, count: int) -> tuple[int, ...]:
    """`all`, or numbers such as `1,3`, of `count` things: their indices from 0, each once."""
    if text.strip().lower() == "all":
        return tuple(range(count))
    found: dict[int, None] = {}
    for part in text.split(","):
        if not part.strip().isdecimal() or not 1 <= int(part) <= count:
            raise UsageError(
                f"{part.strip()!r} is none of the numbers; say all, or numbers from 1 to {count} such as 1,2"
            )
        found[int(part) - 1] = None
    return tuple(found)


def name(text: str, taken: Sequence[str] = ()) -> str:
    """A name for an inverter that is not taken yet."""
    if _NAME.fullmatch(text) is None:
        raise UsageError(f"{text!r} is no name: take 1 to {NAME_MAX} of a-z, 0-9, _ and -, such as garage")
    if text in (*RESERVED, *taken):
        raise UsageError(f"{text!r} is taken; every inverter needs a name of its own")
    return text


def title(text: str) -> str:
    """The name of a site."""
    if not text.isprintable() or not 1 <= len(text) <= 64 or "${" in text:
        raise UsageError(f"{text!r} is no name for a site: take up to 64 characters on one line")
    return text


def timezone(text: str) -> str:
    """A time zone that this machine knows."""
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{text!r} is no time zone: say it such as Europe/Berlin or UTC") from None
