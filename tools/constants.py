"""The page of all numbers that decide: what each is, in which unit, and why it is what it is. Made from the code.

    python -m tools.constants            writes docs/constants.md
    python -m tools.constants --check    says what is missing, and exits with 1 where the page is not up to date

A constant is a name in capitals that a module gives a number. Its reason is the text below it; one text may stand below
several constants without a blank line between them. Its unit is in its name.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "constants.md"
PLACES = ("orchestrator/decide", "orchestrator/config/policy.py")
"""Where a decision is made: folders and files."""

UNITS = (
    ("_WATTS_PER_S", "W a second"),
    ("_PART_OF_RATING_PER_S", "part of the rating a second"),
    ("_PART_OF_RATING", "part of the rating"),
    ("_PART_OF_SITE", "part of all ratings"),
    ("_PART_OF_SITE_UNTHROTTLED", "part of all ratings"),
    ("_PART_OF_LIMIT", "part of the power limit"),
    ("_WATTS", "W"),
    ("_S", "s"),
    ("_H", "h"),
    ("_PERCENT", "%"),
    ("_PERIODS", "periods"),
    ("_INTERVALS", "intervals"),
    ("_STEPS", "steps"),
    ("_VALUES", "values"),
    ("_TIMES", "times"),
    ("_PART", "part"),
    ("_WITHIN", "part"),
    ("_BIT", "bit"),
)
"""By how a name ends; the first that fits. What has none of these is a plain number."""

INTRODUCTION = """# The numbers of the decision

Every constant that decides, why it is what it is, and where it stands. None of them is a setting: what a plant may need
to change is in [configuration.md](configuration.md). Made from the code by `python -m tools.constants`.
"""


class Constant(NamedTuple):
    """A number with a name, in the module at `path`; `value` as it is written, `reason` "" where nobody gave one."""

    path: str
    name: str
    value: str
    reason: str

    @property
    def unit(self) -> str:
        """What its name says."""
        return next((unit for end, unit in UNITS if self.name.endswith(end)), "number")


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(prog="python -m tools.constants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page is another one")
    asked = parser.parse_args()
    found = constants()
    for each in found:
        if not each.reason:
            sys.stderr.write(f"{each.path}: {each.name} has no reason\n")
    text = page(found)
    if asked.check:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


def constants() -> list[Constant]:
    """All of them, by file, in the order of the code."""
    paths = [path for place in PLACES for path in files(REPOSITORY / place)]
    return [each for path in paths for each in constants_of(path.read_text(encoding="utf-8"), named(path))]


def files(place: Path) -> list[Path]:
    """The modules of a folder, or the one module."""
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def named(path: Path) -> str:
    """A path as the page shows it."""
    return path.relative_to(REPOSITORY).as_posix()


def constants_of(source: str, path: str) -> Iterator[Constant]:
    """The constants of one module."""
    body = ast.parse(source).body
    for index, node in enumerate(body):
        name, value = assigned(node)
        if name and value is not None and is_number(value):
            yield Constant(path, name, ast.unparse(value), reason_below(body[index:]))


def assigned(node: ast.stmt) -> tuple[str, ast.expr | None]:
    """The name in capitals that a statement gives a value, and the value; "" for any other statement."""
    if isinstance(node, ast.AnnAssign):
        target: ast.expr = node.target
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    else:
        return "", None
    return (target.id, node.value) if isinstance(target, ast.Name) and target.id.isupper() else ("", None)


def is_number(value: ast.expr) -> bool:
    """Whether an expression is made of numbers only."""
    if isinstance(value, ast.BinOp):
        return is_number(value.left) and is_number(value.right)
    if isinstance(value, ast.UnaryOp):
        return is_number(value.operand)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def reason_below(statements: Sequence[ast.stmt]) -> str:
    """The text right below an assignment, or below those that follow it without a blank line; "" without one."""
    before = statements[0]
    for node in statements[1:]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return " ".join(node.value.value.split())
        if not assigned(node)[0] or node.lineno != (before.end_lineno or before.lineno) + 1:
            return ""
        before = node
    return ""


def page(found: Sequence[Constant]) -> str:
    """The whole page: a table for each module."""
    parts = [INTRODUCTION]
    for path, group in groupby(found, key=lambda each: each.path):
        rows = "".join(rows_of(list(group)))
        parts.append(f"## `{path}`\n\n| constant | value | unit | reason |\n|---|---|---|---|\n{rows}")
    return "\n".join(parts)


def rows_of(group: Sequence[Constant]) -> Iterator[str]:
    """A row for each constant; a reason that it shares with the one above is not repeated."""
    above = ""
    for each in group:
        reason = "as above" if each.reason and each.reason == above else each.reason.replace("|", "\\|")
        above = each.reason
        yield f"| `{each.name}` | {each.value} | {each.unit} | {reason} |\n"


if __name__ == "__main__":
    sys.exit(main())
