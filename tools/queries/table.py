"""The answers as a Markdown table, to be read or pasted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tools.queries.prometheus import Asking

SHOWN: Final = 4
"""How many series of an answer are shown; of the others, their number."""


def markdown(askings: Iterable[Asking]) -> str:
    """One line for each query: what it is for, the query, how many series it gave, and their newest values."""
    head = "| what | query | series | newest values |\n|---|---|---|---|"
    return "\n".join((head, *map(_line, askings)))


def _line(asking: Asking) -> str:
    answer = asking.answer
    values = asking.trouble if asking.trouble else _values(answer.values) or "none, as it should be"
    expr = " ".join(asking.asked.expr.split()).replace("|", "\\|")
    where = asking.asked.where.replace("|", "\\|")
    return f"| {asking.asked.kind}: {where} | `{expr}` | {len(answer.values)} | {values} |"


def _values(values: Mapping[str, str]) -> str:
    shown = [f"{_number(value)}{_of(labels)}" for labels, value in list(values.items())[:SHOWN]]
    more = len(values) - SHOWN
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _of(labels: str) -> str:
    named = ", ".join(part for part in labels.split(", ") if part and not part.startswith("instance="))
    return f" ({named})" if named else ""


def _number(text: str) -> str:
    return f"{float(text):.4g}"
