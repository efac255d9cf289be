"""What people type as an answer: what is understood, and what is refused with a word on what to type."""

from __future__ import annotations

import pytest

from orchestrator.commissioning.drafts import answers
from orchestrator.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "watts"),
    [("5000", 5000), ("5000 W", 5000), ("5 kW", 5000), ("7,5kw", 7500), ("10kWh", 10000), (" 0 ", 0), ("none", None)],
)
def test_a_quantity_is_understood(typed: str, watts: float | None) -> None:
    assert answers.limit(typed) == watts


@pytest.mark.parametrize("typed", ["", "-1", "five", "5 MW", "1e99", "9" * 12, "nan", "1 2"])
def test_what_is_no_quantity_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        answers.limit(typed)


def test_a_rating_of_nothing_is_refused() -> None:
    assert answers.positive("none") is None
    with pytest.raises(UsageError, match="more than 0"):
        answers.positive("0")


@pytest.mark.parametrize(("typed", "percent"), [("10", 10), ("12,5 %", 12.5), ("100", 100), ("none", None)])
def test_a_percentage_is_understood(typed: str, percent: float | None) -> None:
    assert answers.percent(typed) == percent


@pytest.mark.parametrize("typed", ["101", "-1", "ten", ""])
def test_what_is_no_percentage_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        answers.percent(typed)


@pytest.mark.parametrize(("typed", "chosen"), [("all", (0, 1, 2)), ("2", (1,)), ("3, 1,3", (2, 0))])
def test_a_choice_is_understood(typed: str, chosen: tuple[int, ...]) -> None:
    assert answers.choice(typed, 3) == chosen


@pytest.mark.parametrize("typed", ["0", "4", "", "1-2", "x"])
def test_a_choice_of_what_is_not_in_the_list_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="from 1 to 3"):
        answers.choice(typed, 3)


@pytest.mark.parametrize("typed", ["Garage", "", "a b", "x" * 33, "meter", "east"])
def test_a_name_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        answers.name(typed, taken=["east"])
    assert answers.name("west", taken=["east"]) == "west"


def test_a_title_is_one_line_without_a_variable() -> None:
    assert answers.title('Müller "north"') == 'Müller "north"'
    for typed in ("", "a\nb", "${HOME}", "x" * 65):
        with pytest.raises(UsageError):
            answers.title(typed)


def test_a_time_zone_is_one_that_there_is() -> None:
    assert answers.timezone("Europe/Berlin") == "Europe/Berlin"
    for typed in ("Berlin", "", "../etc/passwd", "/etc/passwd"):
        with pytest.raises(UsageError):
            answers.timezone(typed)
