"""A Solis hybrid obeys its own registers: forced for five minutes whatever is set, tens of W, and what it shows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.makes.remote.solis.hybrid import SolisHybrid
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

SOC_MIN, BACKUP_SOC, SWITCHES = 43011, 43024, 43110
DISCHARGE_WATTS, CHARGE_MAX, DISCHARGE_MAX, REGULATES, GRID_WATTS = 43129, 43130, 43131, 43132, 43133
FORCED, CHARGE_WATTS, TIMEOUT = 43135, 43136, 43282
OFF, CHARGE, DISCHARGE = 0, 1, 2
SELF_USE, FROM_GRID = 1, 33
OWN_WATTS = 1000
"""What the battery does by itself in this light."""


def bench(pv_watts: float = 1000, switches: int = FROM_GRID) -> MakeBench:
    return MakeBench("solis-hybrid", HYBRID, pv_watts).put((SWITCHES, switches))


def forced(direction: int, tens_of_watts: int, switches: int = FROM_GRID) -> MakeBench:
    east = bench(switches=switches)
    return east.put((CHARGE_WATTS if direction == CHARGE else DISCHARGE_WATTS, tens_of_watts), (FORCED, direction))


@pytest.mark.parametrize(
    ("direction", "tens", "switches", "expected_watts"),
    [
        (CHARGE, 300, FROM_GRID, 3000),
        (CHARGE, 300, SELF_USE, 1000),
        (CHARGE, 50, SELF_USE, 500),
        (CHARGE, 0, FROM_GRID, 0),
        (DISCHARGE, 200, SELF_USE, -2000),
        (DISCHARGE, 0, SELF_USE, 0),
    ],
)
def test_a_forced_battery_does_what_it_was_told_in_tens_of_watts(
    direction: int, tens: int, switches: int, expected_watts: float
) -> None:
    assert forced(direction, tens, switches).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_it_ends_after_five_minutes_whatever_the_time_out_says() -> None:
    east = forced(DISCHARGE, 200).put((TIMEOUT, 30)).run(290)

    assert east.battery_watts == pytest.approx(-2000, abs=5)
    assert east.read_input(33122) == 1 << 7
    assert east.run(20).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert (east.read(FORCED), east.read(TIMEOUT), east.read_input(33122)) == (OFF, 30, 1 << 1)


def test_writing_the_same_order_anew_renews_it_and_writing_power_does_not() -> None:
    east = forced(DISCHARGE, 200)
    east.device.advance(200)
    east.put((FORCED, DISCHARGE)).device.advance(200)
    assert east.read(FORCED) == DISCHARGE

    east.put((DISCHARGE_WATTS, 100)).device.advance(150)
    assert east.read(FORCED) == OFF


def test_power_at_the_grid_is_regulated_with_the_load_of_the_house() -> None:
    east = bench()
    assert isinstance(east.device, SolisHybrid)
    east.device.load_watts = 700
    assert east.write(REGULATES, 1, 50) is None

    assert east.run(10).ac_watts == pytest.approx(1200, abs=5)
    assert east.battery_watts == pytest.approx(1000 - 1200 / 0.97, abs=5)
    east.device.advance(300)
    assert east.read(REGULATES) == 0


def test_a_forced_battery_goes_before_the_grid() -> None:
    east = forced(DISCHARGE, 200).put((GRID_WATTS, 300), (REGULATES, 1))

    assert east.run(10).battery_watts == pytest.approx(-2000, abs=5)


def test_power_bounds_hold_in_every_mode_and_nothing_is_no_bound() -> None:
    assert bench(3000).put((CHARGE_MAX, 70)).run(10).battery_watts == pytest.approx(700, abs=5)
    assert forced(CHARGE, 300).put((CHARGE_MAX, 70)).run(10).battery_watts == pytest.approx(700, abs=5)

    east = forced(DISCHARGE, 300).put((DISCHARGE_MAX, 60)).run(10)
    assert east.battery_watts == pytest.approx(-600, abs=5)
    assert east.put((DISCHARGE_MAX, 0)).run(10).battery_watts == pytest.approx(-3000, abs=5)


def test_discharging_stops_at_the_minimum_and_at_the_reserve_where_it_is_switched_on() -> None:
    assert forced(DISCHARGE, 200).put((SOC_MIN, 60)).run(10).battery_watts == pytest.approx(0, abs=1)

    east = forced(DISCHARGE, 200).put((BACKUP_SOC, 60))
    assert east.run(10).battery_watts == pytest.approx(-2000, abs=5)
    assert east.put((SWITCHES, SELF_USE | 1 << 4)).run(10).battery_watts == pytest.approx(0, abs=1)


def test_by_itself_nothing_is_drawn_from_ac() -> None:
    assert bench(0).run(10).ac_watts == 0


def test_it_forgets_the_order_when_it_starts_anew() -> None:
    east = forced(DISCHARGE, 200).run(5)
    east.device.restart_controls()  # type: ignore[attr-defined]

    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read(FORCED) == OFF


@pytest.mark.parametrize(
    ("address", "word"), [(FORCED, 3), (REGULATES, 2), (TIMEOUT, 31), (TIMEOUT, 1), (SOC_MIN, 101)]
)
def test_values_out_of_range_are_refused(address: int, word: int) -> None:
    assert bench().write(address, word) is ExceptionCode.ILLEGAL_VALUE


def test_battery_power_has_no_sign_but_a_register_that_says_which_way() -> None:
    charging, discharging = forced(CHARGE, 300).run(10), forced(DISCHARGE, 200).run(10)

    assert (charging.read_input(33149, 2), charging.read_input(33135)) == (pytest.approx(3000, abs=5), 0)
    assert (discharging.read_input(33149, 2), discharging.read_input(33135)) == (pytest.approx(2000, abs=5), 1)
    assert discharging.read_input(33134) == 50


def test_measurements_and_names() -> None:
    east = forced(CHARGE, 300).run(10)

    assert letters(east.device.read_inputs(33004, 16)).startswith("1103")
    assert east.read_input(33057, 2) == 1000
    assert east.read_input(33079, 2, signed=True) == east.read_input(33151, 2, signed=True) == round(east.ac_watts)
    assert (east.read_input(33139), east.read_input(33095), east.read_input(33132)) == (50, 3, FROM_GRID)
    assert east.device.read_inputs(2999, 1) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_there_is_nothing_to_force() -> None:
    east = MakeBench("solis-hybrid", PV_ONLY, 7000)

    assert east.write(FORCED, CHARGE) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.run(10).ac_watts == pytest.approx(7000 * 0.97, abs=5)


@settings(max_examples=50, deadline=None)
@given(rests_s=st.lists(st.integers(1, 600), max_size=4))
def test_it_lasts_exactly_five_minutes_after_the_last_order(rests_s: list[int]) -> None:
    east = bench()
    left_s = 0
    for rest_s in rests_s:
        east.put((FORCED, DISCHARGE))
        east.device.advance(rest_s)
        left_s = 300 - rest_s
    assert (east.read(FORCED) == DISCHARGE) == (left_s > 0)
