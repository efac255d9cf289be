from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.link.turns import HEAD_START_S, Turn, rank

TIMES = st.floats(0.0, 1e6, allow_nan=False)


def test_a_command_goes_before_the_meter_the_meter_before_other_reads_and_tries_come_last() -> None:
    assert sorted(Turn, key=lambda turn: rank(turn, 10.0)) == [Turn.WRITE, Turn.METER, Turn.READ, Turn.TRY]


@pytest.mark.parametrize("turn", Turn)
@given(TIMES, TIMES)
def test_of_one_kind_the_first_comes_first(turn: Turn, one_s: float, other_s: float) -> None:
    assert (rank(turn, one_s) < rank(turn, other_s)) == (one_s + 0.0 < other_s) or abs(one_s - other_s) < 1e-6


@given(st.sampled_from(Turn), st.sampled_from(Turn), TIMES)
def test_nobody_is_overtaken_for_ever(waiting: Turn, newer: Turn, asked_at_s: float) -> None:
    longest_s = max(HEAD_START_S.values()) - min(HEAD_START_S.values())

    assert rank(newer, asked_at_s + longest_s + 0.1) > rank(waiting, asked_at_s)
