"""What the value of a setpoint field may be: a switch, a number, a whole number, or one of a few words.

`read` takes what JSON gave; `wanted` is what the value may be, and `words` says it in plain ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal


class WrongValue(Exception):
    """A value is not what its field wants; `wanted` is what the field may be, and the text says it."""

    def __init__(self, wanted: Reason) -> None:
        self.wanted = wanted
        super().__init__(say_refusal(wanted))


class _Wanted:
    """What a value may be, as a value and in words."""

    __slots__ = ()

    @property
    def wanted(self) -> Reason:
        """What it may be."""
        raise NotImplementedError

    @property
    def words(self) -> str:
        """The same in words."""
        return say_refusal(self.wanted)


class PriorityMode(StrEnum):
    """What surplus serves first, after consumption."""

    BATTERY_FIRST = "battery_first"
    EXPORT_FIRST = "export_first"


@dataclass(frozen=True, slots=True)
class Switch(_Wanted):
    """True or false."""

    @property
    def wanted(self) -> Reason:
        """What it may be."""
        return because("switch_wanted")

    def read(self, value: object) -> bool:
        """`value` as a switch. Raises WrongValue for anything else, 1 and 0 included."""
        if isinstance(value, bool):
            return value
        raise WrongValue(self.wanted)


@dataclass(frozen=True, slots=True)
class Number(_Wanted):
    """A number from `lowest` to `highest`, in `unit`."""

    highest: int
    unit: str
    lowest: int = 0

    @property
    def wanted(self) -> Reason:
        """What it may be."""
        return because("number_wanted", lowest=self.lowest, highest=self.highest, unit=self.unit)

    def read(self, value: object) -> float:
        """`value` as a float. Raises WrongValue out of the range, and for true: a number in Python, and none here."""
        if not isinstance(value, bool) and isinstance(value, int | float) and self.lowest <= value <= self.highest:
            return float(value) + 0.0  # -0.0 becomes 0.0
        raise WrongValue(self.wanted)


@dataclass(frozen=True, slots=True)
class Whole(_Wanted):
    """A whole number from 0 to `highest`: bits, or a code."""

    highest: int

    @property
    def wanted(self) -> Reason:
        """What it may be."""
        names = ", ".join(str(number) for number in range(self.highest))
        return because("choice_wanted", names=names, last=str(self.highest))

    def read(self, value: object) -> int:
        """`value` as an integer; 1.0 is one. Raises WrongValue for anything else."""
        if not isinstance(value, bool) and isinstance(value, int | float) and value in range(self.highest + 1):
            return int(value)
        raise WrongValue(self.wanted)


@dataclass(frozen=True, slots=True)
class Choice(_Wanted):
    """One of the words of `options`."""

    options: type[StrEnum]

    @property
    def wanted(self) -> Reason:
        """What it may be."""
        *names, last = (f'"{option}"' for option in self.options)
        return because("choice_wanted", names=", ".join(names), last=last)

    def read(self, value: object) -> StrEnum:
        """`value` as one of the options. Raises WrongValue for anything else."""
        if isinstance(value, str) and value in tuple(self.options):
            return self.options(value)
        raise WrongValue(self.wanted)


Value = Switch | Number | Whole | Choice

SWITCH: Final = Switch()
WATTS: Final = Number(1_000_000_000, "W")
SIGNED_WATTS: Final = Number(1_000_000_000, "W", lowest=-1_000_000_000)
PERCENT: Final = Number(100, "%")
STORAGE_MODE: Final = Whole(3)
PRIORITY_MODE: Final = Choice(PriorityMode)
