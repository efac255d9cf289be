"""A battery that goes on charging though it is told not to: what the others do beside it."""

from __future__ import annotations

import pytest

from tests.support.plants.closed_loop import Moment
from tests.support.plants.example_site import plant

EAST, WEST = 0, 1


def beside_one_that_charges(**asked: float) -> Moment:
    """After 20 s of a load of 2000 W in the dark, while `east` goes on charging with 2667 W."""
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 0.0}, load_watts=2000.0)
    loop.ask(battery_grid_charging_enabled=True, battery_grid_charging_max_watts=4000.0)
    loop.run(20)
    loop.site.in_time["east"].receiver.ignores_battery = True
    loop.ask(**asked)
    return loop.run(20)[-1]


def test_the_others_give_what_it_takes_where_the_import_limit_would_be_exceeded() -> None:
    moment = beside_one_that_charges(import_limit_watts=1500.0)

    assert moment.powers[EAST].battery_watts == pytest.approx(2667, abs=10)
    assert moment.site_watts == pytest.approx(1500, abs=100)


def test_they_give_no_more_than_all_batteries_may() -> None:
    moment = beside_one_that_charges(import_limit_watts=1500.0, battery_discharge_max_watts=1000.0)

    assert moment.powers[WEST].battery_watts == pytest.approx(-1000, abs=50)


def test_without_a_limit_that_needs_it_no_battery_is_emptied_into_another() -> None:
    moment = beside_one_that_charges(import_limit_watts=9000.0)

    assert moment.powers[WEST].battery_watts == pytest.approx(-2000, abs=100)
