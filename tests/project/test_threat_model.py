"""The threat model names a test for each threat: it must be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/threat-model.md").read_text()
TESTS = {
    name
    for path in (REPOSITORY / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}
ROWS = re.findall(r"^\| (.+?) \| (.+) \| `(test_\w+)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("test", [test for _, _, test in ROWS])
def test_a_threat_has_the_test_that_it_names(test: str) -> None:
    assert test in TESTS


def test_every_threat_names_a_test() -> None:
    tables = PAGE.split("## A hostile MQTT client")[1].split("## The supply")[0]
    rows = [line for line in tables.splitlines() if line.startswith("| ") and not line.startswith("| what it tries")]

    assert len(rows) == len(ROWS) > 20
