"""A row of the table of reasons, and how its words are filled with facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Final

from orchestrator.reason import Fact, Reason

_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Row:
    """What everybody who shows a reason knows of its `code`.

    `words` are a template: `{watts:.0f}` is a fact, and what stands in brackets is left out where a fact in it does not
    apply. `meaning` is for people who have not read the docs. `passes`: it is true for a moment only (a step of a ramp,
    a change that is held back), or said of the site already. `cause` names the fact that is the reason behind it, and
    `cause_means` says that the meaning of that one tells more than its own. `repeats`: the words begin with what is
    asked, so that beside a command the cause suffices.
    """

    code: str
    words: str
    meaning: str
    passes: bool = False
    cause: str = ""
    cause_means: bool = False
    repeats: bool = False


def by_code(tables: Mapping[str, tuple[Row, ...]]) -> Mapping[str, Row]:
    """The rows of tables that are ordered by what they are about."""
    return {row.code: row for rows in tables.values() for row in rows}


def fill(words: str, facts: Mapping[str, object]) -> str:
    """The words with these facts. Raises KeyError where one is missing that is not in brackets."""
    said = []
    for number, (part, names) in enumerate(_parts(words)):
        if number % 2 == 0 or all(facts.get(name) not in (None, "") for name in names):
            said.append(part.format_map(facts))
    return "".join(said)


def say_by(rows: Mapping[str, Row], reason: Reason) -> str:
    """The words of a reason, with its facts. A code without a row (of another version) is said as it is."""

    def said(fact: Fact) -> object:
        if isinstance(fact, Reason):
            return say_by(rows, fact)
        return "; ".join(say_by(rows, each) for each in fact) if isinstance(fact, tuple) else fact

    row = rows.get(reason.code)
    return fill(row.words, {name: said(fact) for name, fact in reason.values.items()}) if row else reason.code


def needed(words: str) -> frozenset[str]:
    """The facts that the words cannot do without."""
    return frozenset(name for _, names in _parts(words)[::2] for name in names)


def optional(words: str) -> frozenset[str]:
    """The facts that they say where they apply."""
    return frozenset(name for _, names in _parts(words)[1::2] for name in names)


@cache
def _parts(words: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The parts of a template with the facts in each; every second one stands in brackets."""
    parts = _OPTIONAL.split(words)
    return tuple((part, tuple(name for _, name, _, _ in Formatter().parse(part) if name)) for part in parts)
