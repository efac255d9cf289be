"""Moves of the plant's AC power vote on the sign of the meter; an honest meter is never voted down."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide.memory import SignVotes
from orchestrator.decide.meter.votes import ACCUSED_BY, Move, count_vote, has_just_spoken_against

RATING_WATTS = 10000.0
UNLIKE = [1000.0, -600.0, 0.0, 2000.0, 400.0]


def votes(moves: list[tuple[float, float]], begin: SignVotes | None = None) -> SignVotes:
    """After these moves of AC power and the meter, a plant of one inverter."""
    counted = begin or SignVotes()
    for ac, site in moves:
        counted = count_vote(counted, Move(ac, site, abs(ac)), RATING_WATTS)
    return counted


def reversed_meter(moves: list[float]) -> list[tuple[float, float]]:
    return [(watts, watts) for watts in moves]


def honest_meter(moves: list[float]) -> list[tuple[float, float]]:
    return [(watts, -watts) for watts in moves]


def test_three_moves_that_differ_accuse_a_reversed_meter() -> None:
    assert votes(reversed_meter([0.0, 1000.0, 0.0, -600.0])).against == 2
    assert votes(reversed_meter([0.0, 1000.0, 0.0, -600.0, 0.0, 400.0])).accused


def test_a_reversed_meter_that_is_read_at_another_moment_than_the_inverters_is_accused_too() -> None:
    """Power falls faster and faster, and the meter shows each move together with a part of the one before."""
    moves = [-200.0, -600.0, -1200.0, -2100.0, -3400.0, -5400.0]
    seen_late = [0.6 * after + 0.4 * before for before, after in pairwise([0.0, *moves])]

    counted = votes(list(zip(moves, seen_late, strict=True)))

    assert counted.accused


def test_moves_that_are_alike_are_one_witness() -> None:
    steady_rise = reversed_meter([500.0, 510.0, 490.0, 500.0, 520.0, 500.0])

    assert votes(steady_rise).against == 1


def test_one_honest_move_undoes_the_votes_against_the_meter() -> None:
    suspected = votes(reversed_meter([1000.0, 2000.0]))

    assert suspected.against == 2
    assert votes(honest_meter([500.0]), suspected).against == 0


def test_an_accused_meter_needs_two_honest_moves() -> None:
    accused = votes(reversed_meter([1000.0, 2000.0, 400.0]))

    assert accused.accused
    assert votes(honest_meter([-600.0]), accused).accused
    assert not votes(honest_meter([-600.0, -900.0]), accused).accused


def test_an_honest_meter_that_is_a_value_late_is_not_voted_against_while_power_swings() -> None:
    swings = [1000.0, -900.0] * 20
    late = [(now, -before) for before, now in pairwise(swings)]

    assert votes(late, SignVotes(moved_watts=swings[0])).against == 0


@pytest.mark.parametrize("load_watts", [700.0, 1500.0, 2500.0, -1000.0])
def test_a_load_that_jumps_with_the_inverters_is_no_vote_against_the_meter(load_watts: float) -> None:
    assert votes([(0.0, 0.0), (1000.0, load_watts - 1000.0)]).against == 0


def test_a_move_smaller_than_the_unrest_of_the_load_is_no_witness() -> None:
    restless = [(0.0, watts) for watts in (300.0, -400.0, 350.0, -300.0, 400.0, -350.0, 300.0)]

    assert votes(restless + reversed_meter([800.0, 300.0, 500.0])).against == 0
    assert votes(restless + reversed_meter([3000.0])).against == 1


def test_inverters_that_move_against_each_other_are_no_witness() -> None:
    """They are not read at one moment, so that a little of their sum may never have been there."""
    swap = Move(ac_watts=200.0, site_watts=200.0, turnover_watts=4000.0)

    assert count_vote(SignVotes(), swap, RATING_WATTS).against == 0


@given(st.lists(st.floats(-5000, 5000), min_size=1, max_size=60), st.floats(0, 0.1))
def test_a_meter_that_shows_what_the_inverters_move_is_never_voted_against(moves: list[float], misses: float) -> None:
    shown = [(watts, -watts * (1 + misses * (-1) ** n)) for n, watts in enumerate(moves)]

    assert votes(shown).against == 0


@given(st.permutations(UNLIKE))
def test_a_reversed_meter_is_accused_whatever_the_order_of_the_moves(moves: list[float]) -> None:
    at_rest_between = [each for watts in moves for each in (watts, 0.0)]

    assert votes(reversed_meter(at_rest_between)).against == ACCUSED_BY


def test_a_first_large_move_that_speaks_against_the_meter_is_the_newest_until_its_next_value() -> None:
    first = votes(reversed_meter([0.0, 1000.0]))

    assert has_just_spoken_against(first, RATING_WATTS)
    assert not has_just_spoken_against(first, 3 * RATING_WATTS)
    assert not has_just_spoken_against(votes([(0.0, 0.0)], first), RATING_WATTS)
    assert not has_just_spoken_against(votes(reversed_meter([500.0]), first), RATING_WATTS)
    assert not has_just_spoken_against(votes(honest_meter([1000.0])), RATING_WATTS)
    assert not has_just_spoken_against(SignVotes(), RATING_WATTS)
