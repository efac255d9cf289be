from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.link.turns import HEAD_START_S, TRY_WITHIN_S, Turn, can_wait, rank, try_slot_s

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


def charge(watts: float, mode: BatteryMode = BatteryMode.CHARGE, limit_watts: float | None = 5000.0) -> InverterCommand:
    return InverterCommand("east", 60.0, limit_watts, battery=BatteryCommand(mode, watts, watts, watts))


@pytest.mark.parametrize(
    ("command", "waits"),
    [
        (charge(1000.0), True),
        (charge(1500.0), True),
        (charge(1501.0), False),
        (charge(499.0), False),
        (charge(1000.0, BatteryMode.HOLD), False),
        (charge(1000.0, limit_watts=6000.0), True),
        (charge(1000.0, limit_watts=None), True),
        (charge(1000.0, limit_watts=4000.0), True),
        (charge(1000.0, limit_watts=3499.0), False),
        (InverterCommand("east", 60.0, 5000.0), False),
        (InverterCommand("east", 60.0, 5000.0, connect=False, battery=charge(1000.0).battery), False),
        (InverterCommand("east", 60.0, 5000.0, battery=charge(1000.0).battery, settings=(("mode", 1),)), False),
    ],
)
def test_on_a_line_a_small_step_waits_for_the_next_reading_and_what_takes_power_away_does_not(
    command: InverterCommand, waits: bool
) -> None:
    assert can_wait(charge(1000.0), command, ac_watts=3000.0) is waits


def test_the_first_command_after_a_reading_never_waits() -> None:
    assert not can_wait(None, charge(1000.0), ac_watts=0.0)


def test_a_limit_where_there_was_none_waits_only_while_the_inverter_is_well_below_it() -> None:
    assert can_wait(charge(0.0, limit_watts=None), charge(0.0), ac_watts=4000.0)
    assert not can_wait(charge(0.0, limit_watts=None), charge(0.0), ac_watts=4600.0)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_on_a_link_that_is_never_free_one_try_has_its_turn_in_five_seconds(waits_s: list[int]) -> None:
    now_s, slot_s = 0.0, -1e9
    for number, wait_s in enumerate(waits_s):
        now_s += wait_s
        former_s, slot_s = slot_s, try_slot_s(now_s, slot_s)
        assert slot_s == now_s + TRY_WITHIN_S or number
        assert now_s + TRY_WITHIN_S <= slot_s <= rank(Turn.TRY, now_s)
        assert slot_s - former_s >= TRY_WITHIN_S or slot_s == rank(Turn.TRY, now_s)
