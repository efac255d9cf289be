"""Small changes wait until they last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cycle import Pending
from orchestrator.decide.deadband import settle


def run(held: float, wishes: list[float], small: float = 100.0) -> list[float]:
    pending: Pending | None = None
    values = []
    for second, wanted in enumerate(wishes):
        held, pending = settle(held, wanted, small_watts=small, pending=pending, now_s=float(second))
        values.append(held)
    return values


def test_a_large_change_is_taken_at_once() -> None:
    assert run(1000, [1100, 900]) == [1100, 900]


def test_a_small_change_is_taken_after_five_seconds_as_the_mean_of_what_was_wanted() -> None:
    assert run(1000, [1060, 1040, 1050, 1060, 1040, 1050]) == [1000, 1000, 1000, 1000, 1000, 1050]


def test_a_change_of_mind_starts_the_wait_anew() -> None:
    assert run(1000, [1060, 1060, 1060, 1060, 940, 1060, 1060]) == [1000] * 7


def test_a_tiny_change_is_never_taken() -> None:
    assert run(1000, [1030] * 20) == [1000] * 20


@given(st.floats(-1e5, 1e5), st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=30))
def test_what_is_held_is_never_further_than_small_from_what_is_wanted(held: float, wishes: list[float]) -> None:
    for value, wanted in zip(run(held, wishes), wishes, strict=True):
        assert abs(value - wanted) <= 200
