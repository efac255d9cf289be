"""Write the tables of reasons and events into docs/reasons.md, and them and what files of makes say into the English
texts of the page: `python -m tools.reasons_page`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.explain.happenings import HAPPENINGS
from orchestrator.explain.words import TABLE
from orchestrator.reason.template import Row

PAGE: Final = Path(__file__).parents[1] / "docs/reasons.md"
TEXTS: Final = Path(__file__).parents[1] / "orchestrator/page/texts/en.json"
BEGIN: Final = "<!-- made from the table of reasons by `python -m tools.reasons_page` -->"
END: Final = "<!-- end of what is made from the table -->"
PASSES: Final = "passes"


def main() -> None:
    """Everything between the two marks is made anew, and `reasons`, `happened` and `makes` of the English texts."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    TEXTS.write_text(with_reasons(TEXTS.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE, TEXTS, sep="\n")


def with_reasons(texts: str) -> str:
    """The texts of the page with the words of today's reasons, events and makes; how a number looks is for the page."""
    rows = (row for rows in TABLE.values() for row in rows)
    words = {row.code: re.sub(r"\{(\w+):[^}]*\}", r"{\1}", row.words) for row in rows}
    events = {name: {"title": each.title, "todo": " ".join(each.todo)} for name, each in HAPPENINGS.items()}
    made = {"reasons": words, "happened": events, "makes": make_words()}
    return json.dumps(json.loads(texts) | made, indent=2, ensure_ascii=False) + "\n"


def make_words() -> dict[str, dict[str, str]]:
    """What the files of makes say that the page shows: by make and register, why a setting of a meter must be so."""
    profiles = map(load_profile, (*profile_names(), *meter_profile_names()))
    said = {each.name: {need.register_: need.because for need in each.meter.needs} for each in profiles if each.meter}
    return {name: words for name, words in said.items() if words}


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
