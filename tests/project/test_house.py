"""The house shows its plan: no circle of imports, none hidden, and no folder that is too full to be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "actors")
MOST_ENTRIES = 13
MOST_ENTRIES_AT_THE_TOP = 20
DATA_SUFFIXES = (".yaml", ".json", ".j2", ".typed")
"""Files of one kind in a list, read by a program: a folder may hold any number of them."""


def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    paths = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return {dotted(path): path for path in paths}


def dotted(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that a file imports: at its top, in a function, or for type checkers only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner
                elif node.module in known:
                    yield node.module


def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: set(imported(path, known)) - {name} for name, path in known.items()}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """One circle of `arrows` as a list of names, empty where there is none."""
    done: set[str] = set()
    for start in sorted(arrows):
        found = _circle_from(start, arrows, [], done)
        if found:
            return found
    return []


def _circle_from(name: str, arrows: dict[str, set[str]], way: list[str], done: set[str]) -> list[str]:
    if name in way:
        return [*way[way.index(name) :], name]
    if name in done:
        return []
    for target in sorted(arrows.get(name, ())):
        found = _circle_from(target, arrows, [*way, name], done)
        if found:
            return found
    done.add(name)
    return []


def by_folder(arrows: dict[str, set[str]], depth: int) -> dict[str, set[str]]:
    """The arrows between folders `depth` deep; modules that stand beside the folders count as themselves."""
    coarse: dict[str, set[str]] = {}
    for name, targets in arrows.items():
        place = ".".join(name.split(".")[:depth])
        coarse.setdefault(place, set()).update(".".join(each.split(".")[:depth]) for each in targets)
    return {place: targets - {place} for place, targets in coarse.items()}


def entries(folder: Path) -> list[str]:
    """What a reader sees in a folder of code: modules and folders, without lists of data."""
    return [
        each.name
        for each in folder.iterdir()
        if not each.name.startswith(("__", ".")) and each.suffix not in DATA_SUFFIXES
    ]


def code_folders() -> list[Path]:
    tops = [REPOSITORY / name for name in (*PACKAGES, "tests")]
    return sorted({path.parent for top in tops for path in top.rglob("*.py")})


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_a_hidden_import_is_seen(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden.py"
    hidden.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from orchestrator.errors import DeviceError\n"
        "def late():\n    from orchestrator import control\n"
    )

    assert set(imported(hidden, modules())) == {"orchestrator.errors", "orchestrator.control"}


def test_no_module_imports_itself_by_a_circle_not_even_in_a_function_or_for_type_checkers() -> None:
    assert circle(graph()) == []


def test_no_folder_below_the_decision_leads_back_to_another() -> None:
    """They are what everything stands on; the floors of all folders are a contract in setup.cfg."""
    lower = {f"orchestrator.{name}" for name in ("decide", "config", "devices", "setpoints", "documents")}
    arrows = {folder: targets & lower for folder, targets in by_folder(graph(), 2).items() if folder in lower}

    assert set(arrows) == lower
    assert circle(arrows) == []


@pytest.mark.parametrize("folder", code_folders(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_folder_is_too_full_to_be_read(folder: Path) -> None:
    most = MOST_ENTRIES_AT_THE_TOP if folder.name in PACKAGES else MOST_ENTRIES

    assert len(entries(folder)) <= most, sorted(entries(folder))
