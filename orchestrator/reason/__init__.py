"""Why something was decided, or a device does not answer: a code and its facts, without words.

The words stand in the table of `explain/words.py`; those of troubles, which the errors of a device say themselves, in
`troubles`.

    because("at_power_limit", watts=5000.0, detail=because("rate_of_battery", percent=40.0, source="mqtt"))

Whoever decides gives codes and facts, whoever shows them to people says them last (`explain.words.say`). The codes are
public and stable: docs/reasons.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, Union

from msgspec import Struct, field

Fact: TypeAlias = Union[float, str, "Reason", tuple["Reason", ...], None]
"""A number in the unit that its name ends with, a name (of a source, an inverter, a field), or what it is because of.
None: it does not apply."""


class Reason(Struct, frozen=True):
    """One thing that decided. `code` is one of docs/reasons.md, `values` are its facts by name.

    A fact that is a reason (or several) is what this one is because of. Words that programs may show already stay a
    fact; what they say stands beside them as `<fact>_why`, for words in another language.
    """

    code: str
    values: Mapping[str, Fact] = field(default_factory=dict)

    def without_numbers(self) -> Reason:
        """The same whatever its numbers are: with the codes and the names in it, and no number at any depth."""
        return Reason(self.code, {name: _plain(fact) for name, fact in self.values.items() if not _is_number(fact)})

    def cause(self, name: str) -> Reason | None:
        """The reason that it is because of, under this name; None where there is none."""
        fact = self.values.get(name)
        return fact if isinstance(fact, Reason) else None


def because(code: str, **values: Fact) -> Reason:
    """The reason with this code (of docs/reasons.md) and these facts."""
    return Reason(code, values)


def as_fact(value: object) -> Fact:
    """A value that somebody asks for, as a fact that reads well: a whole number without a point, a choice by name."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else value
    return str(value)


def _is_number(fact: Fact) -> bool:
    return isinstance(fact, float | int)


def _plain(fact: Fact) -> Fact:
    if isinstance(fact, Reason):
        return fact.without_numbers()
    return tuple(each.without_numbers() for each in fact) if isinstance(fact, tuple) else fact
