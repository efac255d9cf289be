"""What the value of a setpoint field may be: a switch, a number, a whole number, or one of a few words.

`read` takes what JSON gave; `words` is what a message says that the value may be, in plain ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class WrongValue(Exception):
    """A value is not what its field wants; the text is what the field may be."""


class PriorityMode(StrEnum):
    """What surplus serves first, after consumption."""

    BATTERY_FIRST = "battery_first"
    EXPORT_FIRST = "export_first"


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    @property
    def words(self) -> str:
        """What it may be."""
        return "true or false"

    def read(self, value: object) -> bool:
        """`value` as a switch. Raises WrongValue for anything else, 1 and 0 included."""
        if isinstance(value, bool):
            return value
        raise WrongValue(self.words)


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `lowest` to `highest`, in `unit`."""

    highest: int
    unit: str
    lowest: int = 0

    @property
    def words(self) -> str:
        """What it may be."""
        return f"a number from {self.lowest} to {self.highest} ({self.unit})"

    def read(self, value: object) -> float:
        """`value` as a float. Raises WrongValue out of the range, and for true: a number in Python, and none here."""
        if not isinstance(value, bool) and isinstance(value, int | float) and self.lowest <= value <= self.highest:
            return float(value) + 0.0  # -0.0 becomes 0.0
        raise WrongValue(self.words)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from 0 to `highest`: bits, or a code."""

    highest: int

    @property
    def words(self) -> str:
        """What it may be."""
        return f"{', '.join(str(number) for number in range(self.highest))} or {self.highest}"

    def read(self, value: object) -> int:
        """`value` as an integer; 1.0 is one. Raises WrongValue for anything else."""
        if not isinstance(value, bool) and isinstance(value, int | float) and value in range(self.highest + 1):
            return int(value)
        raise WrongValue(self.words)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the words of `options`."""

    options: type[StrEnum]

    @property
    def words(self) -> str:
        """What it may be."""
        return " or ".join(f'"{option}"' for option in self.options)

    def read(self, value: object) -> StrEnum:
        """`value` as one of the options. Raises WrongValue for anything else."""
        if isinstance(value, str) and value in tuple(self.options):
            return self.options(value)
        raise WrongValue(self.words)


Value = Switch | Number | Whole | Choice

SWITCH: Final = Switch()
WATTS: Final = Number(1_000_000_000, "W")
SIGNED_WATTS: Final = Number(1_000_000_000, "W", lowest=-1_000_000_000)
PERCENT: Final = Number(100, "%")
STORAGE_MODE: Final = Whole(3)
PRIORITY_MODE: Final = Choice(PriorityMode)
