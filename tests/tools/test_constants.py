"""The page of the numbers that decide: it is up to date, and each of them has a reason."""

from __future__ import annotations

import pytest

from tools.constants import PAGE, Constant, constants, constants_of, page

FOUND = constants()


def of(source: str) -> list[Constant]:
    return list(constants_of(source, "a.py"))


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(FOUND), "run: python -m tools.constants"


@pytest.mark.parametrize("constant", FOUND, ids=lambda each: f"{each.path}:{each.name}")
def test_every_constant_of_the_decision_has_a_reason(constant: Constant) -> None:
    assert constant.reason.endswith(".") or constant.reason.endswith(":"), f"{constant.path}: why is {constant.name}?"


def test_all_parts_of_the_decision_are_read() -> None:
    parts = {each.path.split("/")[2] for each in FOUND}

    assert {"ac", "allocation", "battery", "meter", "plant", "policy.py", "power_flow.py"} <= parts


def test_a_text_below_several_lines_is_the_reason_of_all_of_them() -> None:
    first, second = of('A_S = 1.0\nB_WATTS = -2\n"""Both\nof them."""\n')

    assert first == Constant("a.py", "A_S", "1.0", "Both of them.")
    assert second == Constant("a.py", "B_WATTS", "-2", "Both of them.")
    assert (first.unit, second.unit) == ("s", "W")


@pytest.mark.parametrize("between", ["\n", "\nx = 3\n", "\ndef f() -> None: ...\n"])
def test_a_text_that_stands_further_down_is_the_reason_of_something_else(between: str) -> None:
    assert [each.reason for each in of(f'A_S = 1.0\n{between}B_S = 2.0\n"""Of B."""\n')] == ["", "Of B."]


def test_what_is_no_number_is_no_constant_of_the_page() -> None:
    assert of('NAME = "x"\nIS_ON = True\nlower = 1\nOTHER = A\n') == []
    assert [each.value for each in of("PART = 1 - 1e-9\n")] == ["1 - 1e-09"]


def test_a_reason_that_is_shared_is_written_once() -> None:
    text = page(of('A_S = 1.0\nB_S = 2\n"""Both | them."""\n'))

    assert "| `A_S` | 1.0 | s | Both \\| them. |\n| `B_S` | 2 | s | as above |\n" in text
