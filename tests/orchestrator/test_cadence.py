from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cadence import Backoff, cycle_due_s, meter_silent_after_s, recent_crashes, restart_delay_s

TIMES_S = st.floats(0, 1e6)


def test_a_new_meter_value_calls_for_a_cycle_earlier_than_a_silent_meter() -> None:
    assert cycle_due_s(10.0, 1.0, meter_changed=True) == 10.5
    assert cycle_due_s(10.0, 1.0, meter_changed=False) == 11.25


@pytest.mark.parametrize(
    ("interval_s", "window_s", "silent_s"), [(1.0, 5.0, 3.0), (0.1, 5.0, 0.3), (10.0, 30.0, 5.0), (1.0, 2.0, 2.0)]
)
def test_a_meter_is_silent_after_three_periods_and_after_five_seconds_at_most(
    interval_s: float, window_s: float, silent_s: float
) -> None:
    assert meter_silent_after_s(interval_s, window_s) == pytest.approx(silent_s)


@given(st.lists(st.floats(0, 100), max_size=60), TIMES_S)
def test_a_backoff_doubles_its_waits_up_to_the_longest(waits_s: list[float], now_s: float) -> None:
    backoff = Backoff(0.5, 10.0)
    assert backoff.is_over(now_s)
    for failures, wait_s in enumerate(waits_s):
        now_s += wait_s
        backoff = backoff.failed(now_s)
        expected_s = min(10.0, 0.5 * 2**failures)

        assert backoff.retry_at_s == now_s + expected_s
        assert not backoff.is_over(now_s)
        assert backoff.is_over(now_s + expected_s)


def test_a_success_ends_the_waiting() -> None:
    backoff = Backoff(0.5, 10.0).failed(0.0).failed(0.0).succeeded()

    assert backoff == Backoff(0.5, 10.0)
    assert backoff.is_over(0.0)


def test_the_first_restart_is_within_a_second_each_further_one_later_and_the_sixth_crash_gives_up() -> None:
    delays_s = [restart_delay_s(tuple(range(crashes))) for crashes in range(1, 7)]

    assert delays_s == [0.1, 0.2, 0.4, 0.8, 1.6, None]


def test_crashes_of_more_than_a_minute_ago_are_forgotten() -> None:
    assert recent_crashes((0.0, 10.0, 60.0), 65.0) == (10.0, 60.0)
