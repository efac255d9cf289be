"""The voltage guard: an export limit that follows the highest voltage down at once, and up by a ramp only."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.setpoints.voltage_guard import (
    RISES_FOR_MOST_S,
    GuardLine,
    GuardState,
    VoltageGuard,
    guard_setpoint,
    watch_voltage,
)

LINE = GuardLine(
    start_volts=252.0,
    stop_volts=256.0,
    release_volts=251.0,
    rated_watts=12000.0,
    least_watts=0.0,
    ramp_watts_per_s=20.0,
    hold_s=30.0,
    default_watts=3000.0,
)
ALL = frozenset(range(3))


def at(limit_watts: float, seen: frozenset[int] = ALL) -> GuardState:
    return GuardState(limit_watts, 100.0, 100.0, seen)


def after(
    before: GuardState | None, *volts: float | None, now_s: float = 101.0, export_watts: float = 0.0
) -> GuardState:
    state = watch_voltage(LINE, before, volts, export_watts=export_watts, now_s=now_s)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("volts", "watts"), [(251.0, inf), (252.0, inf), (253.0, 9000.0), (254.0, 6000.0), (256.0, 0.0), (280.0, 0.0)]
)
def test_the_limit_lies_on_a_line(volts: float, watts: float) -> None:
    assert LINE.limit_watts(volts) == watts
    assert after(at(inf), 230.0, volts, 231.0).limit_watts == watts


def test_it_stays_between_release_and_start_and_rises_by_the_ramp_below() -> None:
    limited = after(at(inf), 240.0, 254.0, 240.0)

    assert after(limited, 240.0, 251.5, 240.0, now_s=102.0).limit_watts == 6000.0
    assert after(limited, 240.0, 250.9, 240.0, now_s=102.0).limit_watts == 6020.0


def test_it_asks_for_nothing_any_more_where_the_ramp_has_reached_the_rated_power() -> None:
    state = at(11990.0)

    assert guard_setpoint(LINE, state).fields.export_limit_watts == 11880.0  # in steps of 1 %
    assert not guard_setpoint(LINE, after(state, 240.0, 240.0, 240.0)).fields.asked()


def test_with_the_first_voltage_it_begins_at_what_is_exported() -> None:
    assert after(None, 240.0, 240.0, 240.0, export_watts=4000.0).limit_watts == 4000.0
    assert after(None, 240.0, 240.0, 240.0, export_watts=-500.0).limit_watts == 0.0
    assert after(None, 254.0, 240.0, 240.0, export_watts=9000.0).limit_watts == 6000.0


def test_before_any_voltage_it_says_nothing_so_that_the_default_holds() -> None:
    guard = VoltageGuard(LINE, None, 0.0)

    assert guard.take((), 1000.0, 1.0) is None
    assert guard.take((None, None, None), 1000.0, 1.0) is None


def test_a_phase_that_is_missing_lets_the_limit_fall_and_never_rise() -> None:
    state = at(6000.0)

    assert after(state, 240.0, None, 240.0).limit_watts == 6000.0
    assert after(state, 255.0, None, 240.0).limit_watts == 3000.0
    assert after(state, 240.0, None, 240.0).known_at_s == 100.0


def test_a_meter_with_one_phase_is_known_as_a_whole() -> None:
    first = after(None, 240.0, None, None)

    assert after(first, 240.0, None, None, now_s=102.0).known_at_s == 102.0


def test_without_a_voltage_the_limit_holds_and_then_the_default_where_that_is_lower() -> None:
    high, low = guard_setpoint(LINE, at(6000.0)), guard_setpoint(LINE, at(1200.0))

    assert (high.expires_at_s, low.expires_at_s) == (130.0, None)
    assert high.is_valid(129.0)
    assert low.is_valid(1e9)
    back = after(at(6000.0), 240.0, 240.0, 240.0, now_s=500.0)
    assert back.limit_watts == 3000.0 + RISES_FOR_MOST_S * LINE.ramp_watts_per_s


def test_a_restart_of_the_loop_goes_on_where_the_limit_stood() -> None:
    left = guard_setpoint(LINE, at(6000.0))
    guard = VoltageGuard(LINE, left, 110.0)

    asked = guard.take((251.5, 251.5, 251.5), 0.0, 111.0)

    assert asked is not None
    assert asked.fields.export_limit_watts == 6000.0


VOLTS = st.one_of(st.none(), st.floats(50, 600))
TRIPLES = st.tuples(VOLTS, VOLTS, VOLTS)
STATES = st.builds(
    GuardState,
    limit_watts=st.one_of(st.just(inf), st.floats(0, 12000)),
    at_s=st.just(100.0),
    known_at_s=st.floats(0, 100),
    seen=st.frozensets(st.integers(0, 2), min_size=1),
)


@given(one=st.floats(50, 600), other=st.floats(50, 600))
def test_law_a_higher_voltage_never_allows_more(one: float, other: float) -> None:
    lower, higher = sorted((one, other))

    assert LINE.limit_watts(lower) >= LINE.limit_watts(higher) >= LINE.least_watts


@given(state=STATES, one=TRIPLES, rise=st.floats(0, 50), now_s=st.floats(100, 200))
def test_law_a_step_with_a_higher_voltage_ends_no_higher(
    state: GuardState, one: tuple[float | None, ...], rise: float, now_s: float
) -> None:
    higher = tuple(None if volts is None else volts + rise for volts in one)

    ends = [watch_voltage(LINE, state, each, export_watts=0.0, now_s=now_s) for each in (one, higher)]

    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[1].limit_watts <= ends[0].limit_watts


@given(state=STATES, volts=TRIPLES, now_s=st.floats(100, 200))
def test_law_it_rises_by_no_more_than_its_ramp_and_only_where_all_is_known_and_low(
    state: GuardState, volts: tuple[float | None, ...], now_s: float
) -> None:
    end = watch_voltage(LINE, state, volts, export_watts=0.0, now_s=now_s)

    assert end is not None
    held = state.holding_watts(LINE, now_s) if any(v is not None for v in volts) else state.limit_watts
    most = held + LINE.ramp_watts_per_s * RISES_FOR_MOST_S
    assert end.limit_watts <= most or most >= LINE.rated_watts
    known = {phase for phase, each in enumerate(volts) if each is not None}
    if not state.seen <= known or max((v for v in volts if v is not None), default=0.0) >= LINE.release_volts:
        assert end.limit_watts <= state.limit_watts


@given(state=STATES, volts=TRIPLES, now_s=st.floats(100, 200))
def test_law_what_is_asked_for_is_within_its_bounds_and_never_above_the_limit(
    state: GuardState, volts: tuple[float | None, ...], now_s: float
) -> None:
    end = watch_voltage(LINE, state, volts, export_watts=0.0, now_s=now_s)

    assert end is not None
    asked = guard_setpoint(LINE, end).fields.export_limit_watts
    assert (asked is None) == (end.limit_watts == inf)
    assert asked is None or LINE.least_watts <= asked <= min(end.limit_watts + 1e-3, LINE.rated_watts)
