"""Results as plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence

Cell = str | int | float | None


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A title and columns under their names: the first one to the left, numbers to the right, None as a dash."""
    cells = [list(columns), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join([title, *(_line(row, widths) for row in cells)])


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest of `values` that at least `percent` of them do not exceed; None where there are none."""
    if not values:
        return None
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return "  ".join(["", first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        digits = 2 if abs(cell) < 10 else 1 if abs(cell) < 100 else 0
        return f"{cell:.{digits}f}"
    return str(cell)
