"""What is kept of cycles for the curves, and the columns that are shown."""

from __future__ import annotations

import pytest

from orchestrator.samples import BatterySample
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.history import (
    INVERTER_STEP_S,
    MOST_POINTS,
    SITE,
    SITE_COLUMNS,
    Means,
    history_payload,
    step_for,
    values_of,
)
from tests.support.records.cycles import cycle_result, inverter_sample

T = 1_800_000_000


def test_a_step_is_given_as_its_mean_once_it_is_over() -> None:
    means = Means()
    rows = [means.take(cycle_result(site_watts=float(watts)), T + watts) for watts in range(21)]

    done = [row for each in rows for row in each]
    assert [(row.subject, row.at_s, row.values[0]) for row in done] == [(SITE, T, 4.5), (SITE, T + 10, 14.5)]


def test_an_inverter_that_goes_away_ends_with_what_was_seen_of_it() -> None:
    means = Means()
    means.take(cycle_result(), T)
    done = means.take(cycle_result(inverters=(), away=("east",)), T + INVERTER_STEP_S)

    assert {row.subject for row in done} == {SITE, "east"}
    assert [row.subject for row in means.rest()] == [SITE]


def test_a_clock_that_is_put_back_loses_nothing_and_hangs_nowhere() -> None:
    means = Means()
    means.take(cycle_result(site_watts=1.0), T)
    done = means.take(cycle_result(site_watts=2.0), T - 3600)

    assert [row.at_s for row in done if row.subject == SITE] == [T]


def test_what_is_not_known_is_none_and_not_zero() -> None:
    values = values_of(cycle_result(site_watts=None, inverters=(), away=("east",), limits=SetpointFields()))

    assert values == {SITE: (None, None, None, None, None, None)}


def test_the_state_of_charge_of_the_site_weighs_batteries_by_their_size() -> None:
    large = inverter_sample("a", battery=BatterySample(soc_percent=100.0, capacity_wh=30000.0))
    small = inverter_sample("b", battery=BatterySample(soc_percent=0.0, capacity_wh=10000.0))
    unknown = inverter_sample("c", battery=BatterySample(soc_percent=50.0))
    column = SITE_COLUMNS.index("battery_soc_percent")

    assert values_of(cycle_result(inverters=(large, small)))[SITE][column] == 75.0
    assert values_of(cycle_result(inverters=(large, small, unknown)))[SITE][column] == 50.0


@pytest.mark.parametrize("subject", [SITE, "east"])
@pytest.mark.parametrize("hours", [1, 4, 24, 25, 125, 744])
def test_a_curve_has_no_more_points_than_it_may(subject: str, hours: int) -> None:
    assert 12 <= hours * 3600 / step_for(hours, subject) <= MOST_POINTS


def test_columns_are_a_whole_grid_with_nothing_where_nothing_is_known() -> None:
    rows = {T + 10: (1.0, 2.0, 3.0, 4.0, 50.0, None)}
    payload = history_payload(SITE, rows, T + 3, T + 30, 10)

    assert payload["time"] == [T, T + 10, T + 20]
    assert payload["site_watts"] == [None, 1.0, None]
    assert payload["export_limit_watts"] == [None, None, None]
