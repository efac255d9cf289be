"""What both pages are made with: the part between two marks, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- made from the profiles by `python -m tools.makes` -->"
END: Final = "<!-- end of what is made from the profiles -->"


def renewed_between(page: str, made: str, path: Path) -> str:
    """The page with `made` between its marks. Raises ValueError, which names `path`, where a mark is missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} needs the lines {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{made}\n{END}{tail}"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table in Markdown, line by line."""
    columns = tuple(columns)
    yield _line(columns)
    yield _line("---" for _ in columns)
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
