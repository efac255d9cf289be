"""What a reading may be at most; what is beyond is no measurement, and is counted by name."""

from __future__ import annotations

from typing import Final

POWER_MARGIN: Final = 1.5
"""AC or battery power beyond this multiple of the rating is no measurement."""
PV_MARGIN: Final = 3.0
"""PV may well exceed the AC rating: oversized fields, and what goes into the battery."""
WATTS_MAX: Final = 1e8
"""The bound where there is no rating to compare with."""


class Faults:
    """Collects the names of readings that were refused."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def names(self) -> tuple[str, ...]:
        """In the order of their finding."""
        return tuple(self._names)

    def power(self, name: str, watts: float | None, rating: float | None, margin: float = POWER_MARGIN) -> float | None:
        """`watts`, or None and a fault where it is beyond all that the rating allows."""
        limit = WATTS_MAX if rating is None else margin * rating
        if watts is None or -limit <= watts <= limit:
            return watts
        self._names.append(f"implausible_{name}_watts")
        return None

    def within(self, fault: str, value: float | None, low: float, high: float) -> float | None:
        """`value`, or None and the fault where it is outside low..high."""
        if value is None or low <= value <= high:
            return value
        self._names.append(fault)
        return None
