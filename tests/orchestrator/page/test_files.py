"""The files of the page keep to what the browser is told: nothing inline or from elsewhere, no markup from data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestrator.page

PAGE = Path(orchestrator.page.__file__).parent
OURS = sorted(
    path for path in PAGE.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg") and "vendor" not in path.parts
)
SCRIPTS = [path for path in OURS if path.suffix == ".js"]
MOST_LINES = 300
PAGES = ("index.html", "new_site.html")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    addresses = set(re.findall(r"https?://[\w./-]+", path.read_text()))

    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(path: Path) -> None:
    text = path.read_text()

    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|[\"']style[\"']", text)
        == []
    )
    assert text.startswith("// "), "the first line says what it is for"


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".css"], ids=lambda path: path.name)
def test_every_brace_of_a_style_is_closed(path: Path) -> None:
    depth = 0
    for line in path.read_text().splitlines():
        depth += line.count("{") - line.count("}")
        assert depth >= 0, line
    assert depth == 0


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline_in_the_page(name: str) -> None:
    text = (PAGE / name).read_text()

    assert re.findall(r"<style|style=|<script>|\son\w+=", text) == []
    assert re.findall(r'(?:src|href)="(?!page/|api/)', text) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_is_there(name: str) -> None:
    named = re.findall(r'(?:src|href)="page/([^"]+)"', (PAGE / name).read_text())

    assert [each for each in named if not (PAGE / each).is_file()] == []
    for script in SCRIPTS:
        imported = re.findall(r'from "(\.[^"]+)"', script.read_text())
        assert [each for each in imported if not (script.parent / each).is_file()] == []


def test_the_library_has_its_licence_beside_it() -> None:
    assert "MIT License" in (PAGE / "vendor/uPlot.LICENSE.txt").read_text()
    assert "uPlot" in (PAGE / "vendor/uPlot.iife.min.js").read_text()[:200]
