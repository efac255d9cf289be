"""The pages for who comes next are true: the floors are those that are checked, and every path that is named exists."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
PAGES = sorted([*(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")])
DECISIONS = sorted((REPOSITORY / "docs/decisions").glob("[0-9]*.md"))


def floors_of_the_page(column: int) -> list[list[str]]:
    """Who lives on each floor, the highest first: column 1 is `actors/`, 2 is `orchestrator/`."""
    page = (REPOSITORY / "docs/architecture.md").read_text()
    table = page[page.index("## Floors") : page.index("## Folders")].partition("|---|---|")[2]
    rows = [row.split("|") for row in table.strip().splitlines()]
    return [names for row in rows if (names := re.findall(r"`(\w+)`", row[column]))]


def floors_of_the_contract(name: str) -> list[list[str]]:
    """The same as `lint-imports` holds it."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    layers = parser[f"importlinter:contract:{name}"]["layers"].strip().splitlines()
    return [re.findall(r"\w+", layer) for layer in layers]


@pytest.mark.parametrize(("column", "contract"), [(1, "floors-of-the-shell"), (2, "floors")])
def test_the_floors_of_the_page_are_those_that_are_checked(column: int, contract: str) -> None:
    assert floors_of_the_page(column) == floors_of_the_contract(contract)


def guide() -> dict[str, list[str]]:
    """The table "to change something": what is to be changed, and the paths to open."""
    table = CONTRIBUTING[CONTRIBUTING.index("## To change something") :].split("\n## ")[0]
    rows = [row.split(" | ") for row in table.splitlines() if row.startswith("| ")][1:]
    return {what.strip("| "): re.findall(r"`([^`]+)`", where) for what, where in rows}


def test_the_guide_has_something_to_open_for_everything() -> None:
    assert len(guide()) >= 20
    assert [what for what, paths in guide().items() if not paths] == []


@pytest.mark.parametrize("what", guide())
def test_every_path_of_the_guide_is_there(what: str) -> None:
    assert [path for path in guide()[what] if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_parts_and_is_in_the_list(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences"]
    assert f"]({page.name})" in (page.parent / "README.md").read_text()


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    pages = [path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "docs").glob("*.md")]

    assert [page for page in [*pages, "docs/decisions/README.md", "SECURITY.md"] if f"]({page})" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:orchestrator|actors|tests|tools|deploy|bench|\.ci)/[^`*<> ]+)`", page.read_text())

    assert [path for path in named if not (REPOSITORY / path).exists()] == []
