"""The table of reasons: every row can be said, is used and is in the docs; every reason that is made has a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from orchestrator.explain.words import ROWS, TABLE, say, say_all
from orchestrator.reason import Fact, Reason, because
from orchestrator.reason.template import Row, needed, optional
from tools.reasons_page import PAGE, renewed

REPOSITORY = Path(__file__).parents[3]
CODE = [path for package in ("orchestrator", "actors") for path in (REPOSITORY / package).rglob("*.py")]
INNER = because("throttled")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def reasons_made() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of `because` and of `Reason`."""
    for path in CODE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("because", "Reason"):
                yield path, node


def codes_of(node: ast.expr, path: Path) -> list[str]:
    """The codes that an argument may be: a text, one of two texts, or a constant of the same file."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return codes_of(node.body, path) + codes_of(node.orelse, path)
    assigned = [each for each in tree(path).body if isinstance(each, ast.AnnAssign) and each.value is not None]
    values = [each.value for each in assigned if ast.unparse(each.target) == ast.unparse(node)]
    return [code for value in values if value is not None for code in codes_of(value, path)]


@cache
def made() -> list[tuple[str, str, set[str]]]:
    """Where a reason is made, its code, and the facts that it is made with."""
    found = []
    for path, call in reasons_made():
        if path == REPOSITORY / "orchestrator/reason/__init__.py" or ast.unparse(call.args[0]).endswith(".code"):
            continue  # a reason that is made of another one
        codes = codes_of(call.args[0], path)
        where = f"{path.relative_to(REPOSITORY)}:{call.lineno}"
        assert codes, f"{where}: the code is no text"
        found += [(where, code, {word.arg for word in call.keywords if word.arg}) for code in codes]
    return found


def facts_of(row: Row, *, all_of_them: bool) -> dict[str, Fact]:
    names = needed(row.words) | (optional(row.words) if all_of_them else frozenset())
    nested = {"why", "bound", "limit", "other", "fault", "detail", "asked", "by"}
    texts = {
        "source",
        "field",
        "side",
        "name",
        "names",
        "sign",
        "other",
        "register",
        "registers",
        "words",
        "mode",
        "before",
    }
    texts |= {"trouble", "value", "until", "who", "address", "lines"}
    return {name: INNER if name in nested else name if name in texts else 1234.5 for name in names}


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.code)
def test_every_row_can_be_said_with_and_without_what_does_not_always_apply(row: Row) -> None:
    for all_of_them in (False, True):
        said = say(Reason(row.code, facts_of(row, all_of_them=all_of_them)))
        assert said.strip() == said != ""
        assert not re.search(r"[\[\]{}]|None", said), said


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.code)
def test_every_row_is_plain(row: Row) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", row.code)
    assert row.meaning
    assert row.meaning != row.words
    assert not row.cause or row.cause in needed(row.words) | optional(row.words)
    assert row.cause or not (row.repeats or row.cause_means)


def test_every_code_has_one_row() -> None:
    assert len(ROWS) == sum(len(rows) for rows in TABLE.values())


@pytest.mark.no_cover
def test_no_reason_is_made_with_a_code_that_has_no_row() -> None:
    assert [(where, code) for where, code, _ in made() if code not in ROWS] == []


def test_no_row_is_without_a_reason_that_is_made_with_it() -> None:
    assert ROWS.keys() - {code for _, code, _ in made()} == set()


def test_every_reason_is_made_with_the_facts_that_its_words_need_and_no_others() -> None:
    wrong = [
        (where, code, facts)
        for where, code, facts in made()
        if not needed(ROWS[code].words)
        <= facts - _said_twice(facts)
        <= needed(ROWS[code].words) | optional(ROWS[code].words)
    ]
    assert wrong == []


def _said_twice(facts: set[str]) -> set[str]:
    """Facts that say as a value what another one says in words."""
    return {name for name in facts if name.removesuffix("_why") in facts - {name}}


def test_the_decision_knows_no_words() -> None:
    for path in (REPOSITORY / "orchestrator/decide").rglob("*.py"):
        assert "orchestrator.explain" not in path.read_text(encoding="utf-8"), path


def test_the_docs_have_every_code_as_the_table_says() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == renewed(page)
    assert ROWS.keys() - set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set()


def test_a_code_of_another_version_is_said_as_it_is() -> None:
    assert say(because("of_a_later_version", watts=1.0)) == "of_a_later_version"


def test_several_reasons_behind_one_are_said_one_after_the_other() -> None:
    full = because("full", percent=97.5)
    batteries = tuple(because("of_battery", name=name, why=full) for name in ("east", "west"))

    assert say(because("not_served", watts=1000.0, why=batteries)) == (
        "1000 W not served: east full at 97.5 %; west full at 97.5 %"
    )
    assert say_all(batteries) == ("east full at 97.5 %", "west full at 97.5 %")
