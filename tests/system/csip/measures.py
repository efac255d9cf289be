"""What is measured while a procedure is played: ramps of the limits, the power after each, and excesses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.system.csip.bench import Record

SETTLED_S = 5
"""So long after the end of a ramp the power is looked at: a reduced limit is obeyed within it."""
FREE_WATTS = 1e6
LIMITS: dict[str, Callable[[Record], float]] = {
    "export": lambda record: -record.site_watts,
    "import": lambda record: record.site_watts,
    "generation": lambda record: record.der_watts,
    "load": lambda record: -record.der_watts,
}
"""The power that each of them limits."""


@dataclass(frozen=True)
class Ramp:
    """A limit that moves second after second from one value to another, and the power at the meter after it."""

    name: str
    begin_s: float
    lasts_s: float
    from_watts: float
    to_watts: float
    after_watts: float

    def __str__(self) -> str:
        return f"{self.name} {_text(self.from_watts)} to {_text(self.to_watts)} in {self.lasts_s:.0f} s"


def ramps(records: Sequence[Record], name: str, most_watts: float) -> list[Ramp]:
    """Those of one limit, by its name in LIMITS; what is above `most_watts` is no limit to speak of."""
    levels = [min(most_watts, level if (level := _limit(each, name)) is not None else FREE_WATTS) for each in records]
    found: list[Ramp] = []
    index = 1
    while index < len(levels):
        if levels[index] == levels[index - 1]:
            index += 1
            continue
        begin, rises = index - 1, levels[index] > levels[index - 1]
        while index < len(levels) and _goes_on(levels, index, rises):
            index += 1
        end = index - 1
        while levels[end] == levels[end - 1]:
            end -= 1
        after = records[min(end + SETTLED_S, len(records) - 1)]
        found.append(Ramp(name, records[begin].at_s, end - begin, levels[begin], levels[end], LIMITS[name](after)))
        index = max(index, end + 1)
    return found


def _goes_on(levels: Sequence[float], index: int, rises: bool) -> bool:
    """Whether the ramp still moves here, or rests for no longer than a stair of it."""
    ahead = levels[index : index + 8]
    moved = any(later > levels[index - 1] if rises else later < levels[index - 1] for later in ahead)
    back = levels[index] < levels[index - 1] if rises else levels[index] > levels[index - 1]
    return moved and not back


def longest_excess_s(records: Sequence[Record], name: str, tolerance_watts: float) -> int:
    """For how many seconds in a row a limit was exceeded by more than the tolerance, while it was not moving."""
    longest, lasted = 0, 0
    for former, each in zip(records, records[SETTLED_S:], strict=False):
        limit = _limit(each, name)
        over = limit is not None and limit == _limit(former, name) and LIMITS[name](each) > limit + tolerance_watts
        lasted = lasted + 1 if over else 0
        longest = max(longest, lasted)
    return longest


def _limit(record: Record, name: str) -> float | None:
    limit: float | None = getattr(record.wanted, f"{name}_limit_watts")
    return limit


def _text(watts: float) -> str:
    return f"{watts:.0f} W"
