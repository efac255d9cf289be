"""How far and how long a site went beyond its limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ledger.above_limits import MAX_GAP_S, LimitExcess, excess_between
from orchestrator.setpoints.fields import SetpointFields
from tests.support.records.cycles import cycle_result, inverter_sample


@pytest.mark.parametrize(
    ("limit", "site_watts", "ac_watts", "excess_watts"),
    [
        ("export", -1800.0, 0.0, 800.0),
        ("export", 5000.0, 0.0, None),
        ("import", 1800.0, 0.0, 800.0),
        ("import", -5000.0, 0.0, None),
        ("generation", 0.0, 1800.0, 800.0),
        ("generation", 0.0, -1800.0, None),
        ("load", 0.0, -1800.0, 800.0),
        ("load", 0.0, 1800.0, None),
    ],
)
def test_each_limit_is_about_its_own_power(
    limit: str, site_watts: float, ac_watts: float, excess_watts: float | None
) -> None:
    limit_fields: dict[str, Any] = {f"{limit}_limit_watts": 1000.0}
    limits = SetpointFields(**limit_fields)
    former = cycle_result(site_watts, 100.0, limits, (inverter_sample(ac_watts=ac_watts),))

    found = excess_between(former, cycle_result(at_s=101.8))

    if excess_watts is None:
        assert found == ()
    else:
        (excess,) = found
        assert excess.limit == limit
        assert excess.seconds == pytest.approx(1.8)
        assert excess.watt_hours == pytest.approx(excess_watts * 1.8 / 3600)


def test_generation_of_one_inverter_does_not_hide_what_another_draws() -> None:
    pair = (inverter_sample("east", ac_watts=3000.0), inverter_sample("west", ac_watts=-3000.0))
    limits = SetpointFields(generation_limit_watts=1000.0, load_limit_watts=1000.0)

    found = excess_between(cycle_result(0.0, 100.0, limits, pair), cycle_result(at_s=101.0))

    assert [excess.limit for excess in found] == ["generation", "load"]


def test_exactly_the_limit_is_within_it() -> None:
    former = cycle_result(-1000.0, 100.0, SetpointFields(export_limit_watts=1000.0))

    assert excess_between(former, cycle_result(at_s=101.0)) == ()


def test_what_a_silent_meter_would_have_shown_is_not_guessed() -> None:
    former = cycle_result(None, 100.0, SetpointFields(export_limit_watts=0.0))

    assert excess_between(former, cycle_result(at_s=101.0)) == ()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, MAX_GAP_S + 0.1])
def test_a_gap_that_says_nothing_is_not_counted(seconds: float) -> None:
    former = cycle_result(-1000.0, 100.0, SetpointFields(export_limit_watts=0.0))

    assert excess_between(former, cycle_result(at_s=100.0 + seconds)) == ()


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0.1, MAX_GAP_S / 2), st.floats(0.1, MAX_GAP_S / 2))
def test_two_short_times_add_up_to_the_long_one(site_watts: float, limit: float, first_s: float, then_s: float) -> None:
    def at(seconds: float) -> tuple[LimitExcess, ...]:
        start = cycle_result(site_watts, 0.0, SetpointFields(export_limit_watts=limit))
        return excess_between(start, cycle_result(site_watts, seconds, SetpointFields(export_limit_watts=limit)))

    for whole, first, then in zip(at(first_s + then_s), at(first_s), at(then_s), strict=True):
        assert whole.watt_hours == pytest.approx(first.watt_hours + then.watt_hours)
        assert whole.watt_hours >= 0
