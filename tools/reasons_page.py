"""Write the table of reasons into docs/reasons.md: `python -m tools.reasons_page`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.explain.template import Row
from orchestrator.explain.words import TABLE

PAGE: Final = Path(__file__).parents[1] / "docs/reasons.md"
BEGIN: Final = "<!-- made from the table of reasons by `python -m tools.reasons_page` -->"
END: Final = "<!-- end of what is made from the table -->"
PASSES: Final = "passes"


def main() -> None:
    """Everything between the two marks is made anew."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)


def renewed(page: str) -> str:
    """The page with the part between the marks made anew. Raises ValueError where a mark is missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} needs the lines {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{made()}\n{END}{tail}"


def made() -> str:
    """A section for each subject of the table."""
    return "\n".join(line for subject, rows in TABLE.items() for line in _section(subject, rows))


def _section(subject: str, rows: tuple[Row, ...]) -> Iterator[str]:
    yield from (f"## {subject}", "", "| code | words | what it means | |", "|---|---|---|---|")
    for row in rows:
        passes = PASSES if row.passes else ""
        yield f"| `{row.code}` | {_with_names(row.words)} | {row.meaning} | {passes} |".replace("|  |", "| |")
    yield ""


def _with_names(words: str) -> str:
    """The template as people write it: `{watts:.0f}` as *watts*."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda match: f"*{match[1]}*", words)


if __name__ == "__main__":
    main()
