"""Whether a battery does what it is told: what is counted, and the state that each count stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide.following import FOLLOWS, Disobeys, Following, Reading, watch_following

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"
WATTS = st.floats(-5000, 5000)


def watch(asked: float | None, seen: list[float]) -> Following:
    """How it follows after the battery was at each of `seen`, one a second, while `asked` was commanded."""
    following = Following()
    for second, watts in enumerate(seen):
        following = watch_following(following, Reading(float(second), watts, 0.0, asked, 5000.0))
    return following


def states(asked: float | None, *seen: float) -> set[str]:
    return {state.value for state in watch(asked, list(seen)).states}


@pytest.mark.parametrize(
    ("asked", "seen", "steps"),
    [
        (3000.0, [0.0, 0.0, 0.0], 2),
        (3000.0, [0.0, 1000.0, 2000.0, 2999.0], 0),
        (3000.0, [2000.0, 2000.0, 2000.0, 2000.0], 3),
        (-3000.0, [0.0, -800.0, -800.0], 1),
        (-3000.0, [0.0, 500.0], 1),
        (0.0, [0.0, 0.0], 0),
    ],
)
def test_samples_without_coming_nearer_are_counted(asked: float, seen: list[float], steps: int) -> None:
    assert watch(asked, seen).short_steps == steps


@pytest.mark.parametrize(
    ("asked", "seen", "steps"),
    [
        (-500.0, [-1000.0, -1000.0, -1000.0], 2),
        (0.0, [2000.0, 2000.0], 1),
        (-500.0, [-1000.0, -750.0, -620.0], 0),
        (1000.0, [1010.0, 1010.0, 1010.0], 0),
    ],
)
def test_samples_of_giving_more_than_asked_are_counted(asked: float, seen: list[float], steps: int) -> None:
    assert watch(asked, seen).over_steps == steps


def test_one_that_is_on_its_way_or_there_follows() -> None:
    assert states(3000.0, 0.0, 1000.0, 2000.0, 2999.0, 3000.0) == set()
    assert states(None, 0.0, 1000.0, 1000.0) == set()
    assert Following().states == FOLLOWS


def test_a_battery_that_gives_less_than_asked_is_stalled_at_first_and_then_short() -> None:
    assert states(3000.0, 2000.0, 2000.0) == {"stalled"}
    assert states(3000.0, 2000.0, 2000.0, 2000.0) == {"stalled", "short"}
    assert states(3000.0, 2000.0, 2000.0, 2000.0, 2500.0) == set()


def test_a_battery_that_gives_more_than_asked_is_stubborn_the_second_time() -> None:
    assert states(-500.0, -1000.0, -1000.0) == set()
    assert states(-500.0, -1000.0, -1000.0, -1000.0) == {"stubborn"}
    assert states(-500.0, -1000.0, -1000.0, -1000.0, -600.0) == set()


def test_a_battery_that_goes_the_other_way_is_short_and_stubborn() -> None:
    assert states(1000.0, -800.0, -800.0, -800.0) == {"stalled", "short", "stubborn"}


@pytest.mark.parametrize(
    ("asked", "watts", "deaf"),
    [(3000.0, 0.0, True), (-3000.0, 1000.0, True), (0.0, 2000.0, True), (3000.0, 2000.0, False), (0.0, 100.0, False)],
)
def test_a_battery_that_does_not_care_for_30_s_is_deaf(asked: float, watts: float, deaf: bool) -> None:
    assert Disobeys.DEAF not in watch(asked, [watts] * 30).states
    assert (Disobeys.DEAF in watch(asked, [watts] * 31).states) is deaf


def test_one_moment_of_following_ends_it() -> None:
    assert Disobeys.DEAF not in watch(3000.0, [0.0] * 29 + [2900.0] + [0.0] * 29).states


def test_an_old_sample_proves_nothing() -> None:
    following = watch(3000.0, [0.0, 0.0])

    assert watch_following(following, Reading(1.0, 0.0, 0.0, 3000.0, 5000.0)) is following


@given(st.lists(st.tuples(WATTS, WATTS), min_size=1, max_size=10))
def test_what_is_short_is_stalled_and_what_does_just_what_it_is_told_follows(steps: list[tuple[float, float]]) -> None:
    following = obedient = Following()
    for second, (asked, watts) in enumerate(steps):
        following = watch_following(following, Reading(float(second), watts, 0.0, asked, 5000.0))
        obedient = watch_following(obedient, Reading(float(second), asked, 0.0, asked, 5000.0))
        assert Disobeys.SHORT not in following.states or Disobeys.STALLED in following.states
        assert obedient.states == FOLLOWS


@pytest.mark.parametrize("state", list(Disobeys))
def test_each_state_has_one_entry_in_the_glossary(state: Disobeys) -> None:
    assert GLOSSARY.read_text(encoding="utf-8").count(f"- **{state.value.capitalize()}**:") == 1
