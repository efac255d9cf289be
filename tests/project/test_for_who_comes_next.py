"""The pages for who comes next are true: the floors hold, and every path that is named is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.test_house import by_folder, graph

REPOSITORY = Path(__file__).parents[2]
ROOTS = {"orchestrator", "actors"}
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
PAGES = sorted([*(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")])
DECISIONS = sorted((REPOSITORY / "docs/decisions").glob("[0-9]*.md"))


def floors() -> list[list[str]]:
    """Who lives on each floor, the highest first, as the architecture page says."""
    page = (REPOSITORY / "docs/architecture.md").read_text()
    table = page[page.index("## Floors") : page.index("## Folders")]
    return [re.findall(r"`([a-z_.]+)`", row) for row in table.splitlines() if row.startswith("| ") and "`" in row]


def climbing(arrows: dict[str, set[str]], plan: list[list[str]]) -> list[str]:
    """The imports that go up: "low -> high"."""
    height = {place: -level for level, places in enumerate(plan) for place in places}
    return [
        f"{place} -> {target}"
        for place, targets in sorted(arrows.items())
        for target in sorted(targets - ROOTS)
        if place not in ROOTS and height[target] > height[place]
    ]


def test_an_import_that_climbs_is_found() -> None:
    assert climbing({"roof": {"cellar"}, "cellar": {"roof"}}, [["roof"], ["cellar"]]) == ["cellar -> roof"]


def test_every_folder_and_module_at_the_top_lives_on_one_floor() -> None:
    places = [place for floor in floors() for place in floor]

    assert sorted(places) == sorted(set(by_folder(graph(), 2)) - ROOTS)


def test_nothing_imports_from_a_floor_above_its_own() -> None:
    assert climbing(by_folder(graph(), 2), floors()) == []


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
