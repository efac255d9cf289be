from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.log.repetition import MAX_KEYS, WINDOW_S, Repeats, Summary, likeness


def test_a_thing_is_said_once_and_then_counted() -> None:
    repeats = Repeats()

    assert [repeats.is_new("a", at_s) for at_s in (0.0, 1.0, 2.0)] == [True, False, False]
    assert repeats.due(WINDOW_S - 1.0) == ()
    assert repeats.due(WINDOW_S) == (Summary("a", 2, WINDOW_S),)


def test_what_goes_on_repeating_is_said_once_a_minute() -> None:
    repeats = Repeats()
    told = [summary for at_s in range(301) if not repeats.is_new("a", at_s) for summary in repeats.due(at_s)]

    assert len(told) == 5
    assert sum(summary.count for summary in told) == 300


def test_what_came_once_is_new_again_after_a_while() -> None:
    repeats = Repeats()
    repeats.is_new("a", 0.0)

    assert repeats.due(WINDOW_S) == ()
    assert repeats.is_new("a", WINDOW_S)


def test_the_rest_is_told_at_the_end() -> None:
    repeats = Repeats()
    for at_s in (0.0, 1.0):
        repeats.is_new("a", at_s)

    assert repeats.rest(2.0) == (Summary("a", 1, 2.0),)
    assert repeats.rest(3.0) == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 30.0))))
def test_nothing_is_lost(said: list[tuple[str, float]]) -> None:
    repeats, now_s, told = Repeats(), 0.0, 0
    for key, wait_s in said:
        now_s += wait_s
        told += sum(summary.count for summary in repeats.due(now_s))
        told += repeats.is_new(key, now_s)
    told += sum(summary.count for summary in repeats.rest(now_s))

    assert told == len(said)


def test_memory_is_bounded() -> None:
    repeats = Repeats()
    for number in range(3 * MAX_KEYS):
        repeats.is_new(number, 0.0)

    assert len(repeats._windows) == MAX_KEYS


@pytest.mark.parametrize(
    ("one", "other"),
    [("took 12.5 s", "took 3 s"), ("export 5000 W (limit 1)", "export 4 W (limit 22)"), ("is -5 V", "is 7 V")],
)
def test_messages_that_differ_in_a_number_are_alike(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("inv1 is away", "inv2 is away"), ("at 10.0.0.5:502", "at 10.0.0.6:502"), ("at host:502", "at host:503")],
)
def test_names_and_addresses_are_not_numbers(one: str, other: str) -> None:
    assert likeness(one) != likeness(other)
