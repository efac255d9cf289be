from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.supervisor import recent_crashes, restart_delay_s
from orchestrator.devices.link.backoff import Backoff
from orchestrator.loop.cadence import EXPECTED_PART, cycle_due_s

TIMES_S = st.floats(0, 1e6)


def test_a_silent_meter_delays_the_cycle_to_one_and_a_quarter_intervals() -> None:
    assert cycle_due_s(10.0, 1.0, None, 0.25) == 11.25


@pytest.mark.parametrize("value_at_s", [10.46, 10.5, 11.0])
def test_a_value_after_half_an_interval_begins_the_cycle_at_once(value_at_s: float) -> None:
    assert cycle_due_s(10.0, 1.0, value_at_s, 0.25) == value_at_s


@pytest.mark.parametrize(
    ("value_at_s", "poll_s", "due_s"),
    [(10.25, 0.25, 10.55), (10.44, 0.25, 10.74), (10.1, 0.25, 10.5), (10.3, 1.0, 10.5), (10.0, 10.0, 10.5)],
)
def test_a_value_that_comes_too_early_waits_for_half_an_interval_and_for_a_poll_that_comes_soon_after(
    value_at_s: float, poll_s: float, due_s: float
) -> None:
    assert cycle_due_s(10.0, 1.0, value_at_s, poll_s) == pytest.approx(due_s)


@pytest.mark.parametrize(
    ("value_at_s", "poll_s", "due_s"),
    [(10.25, 0.25, 11.0), (10.9, 0.25, 11.2), (10.96, 0.25, 10.96), (10.9, 1.0, 11.0)],
)
def test_a_value_that_was_to_be_expected_waits_for_a_whole_interval(
    value_at_s: float, poll_s: float, due_s: float
) -> None:
    assert cycle_due_s(10.0, 1.0, value_at_s, poll_s, soonest_part=EXPECTED_PART) == pytest.approx(due_s)


@given(st.floats(0, 1.25), st.floats(0.01, 60), st.floats(0.1, 60))
def test_no_value_waits_for_more_than_three_quarters_of_an_interval_after_the_last_cycle(
    part: float, poll_s: float, interval_s: float
) -> None:
    value_at_s = part * interval_s
    due_s = cycle_due_s(0.0, interval_s, value_at_s, poll_s)

    assert value_at_s <= due_s <= max(value_at_s, 0.75 * interval_s)


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


@given(st.integers(0, 40), TIMES_S, st.floats(0, 30))
def test_a_wait_counts_from_the_attempt_and_rests_for_the_first_wait_all_the_same(
    failures: int, began_s: float, took_s: float
) -> None:
    backoff = Backoff(0.5, 2.0)
    for _ in range(failures):
        backoff = backoff.failed(began_s)
    ended_s = began_s + took_s

    due_s = backoff.failed(ended_s, began_s).retry_at_s

    assert due_s == max(backoff.failed(began_s).retry_at_s, ended_s + 0.5)


def test_a_success_ends_the_waiting() -> None:
    backoff = Backoff(0.5, 10.0).failed(0.0).failed(0.0).succeeded()

    assert backoff == Backoff(0.5, 10.0)
    assert backoff.is_over(0.0)


def test_the_first_restart_is_within_a_second_each_further_one_later_and_the_sixth_crash_gives_up() -> None:
    delays_s = [restart_delay_s(tuple(range(crashes))) for crashes in range(1, 7)]

    assert delays_s == [0.1, 0.2, 0.4, 0.8, 1.6, None]


def test_crashes_of_more_than_a_minute_ago_are_forgotten() -> None:
    assert recent_crashes((0.0, 10.0, 60.0), 65.0) == (10.0, 60.0)
