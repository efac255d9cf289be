"""A GoodWe ET obeys its own registers: EMS power modes without a time-out, refusals, and what it shows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

MODE, WATTS = 47511, 47512
AUTO, CHARGE_PV, DISCHARGE_PV, CONSERVE, STANDBY, CHARGE, DISCHARGE, STOPPED = 1, 2, 3, 6, 8, 11, 12, 255


def bench(pv_watts: float = 1000) -> MakeBench:
    return MakeBench("goodwe-et", HYBRID, pv_watts)


def commanded(mode: int, watts: int, pv_watts: float = 1000) -> MakeBench:
    east = bench(pv_watts)
    assert east.write(MODE, mode, watts) is None
    return east


@pytest.mark.parametrize(
    ("mode", "watts", "expected_watts"),
    [
        (AUTO, 3000, 1000),
        (CHARGE, 3000, 3000),
        (CHARGE, 500, 500),
        (DISCHARGE, 2000, -2000),
        (DISCHARGE_PV, 2000, -2000),
        (STANDBY, 2000, 0),
        (CONSERVE, 2000, 1000),
        (CHARGE_PV, 0, 1000),
        (CHARGE_PV, 2000, 1000 + 2000 * 0.97),
    ],
)
def test_a_mode_does_what_the_table_says(mode: int, watts: int, expected_watts: float) -> None:
    assert commanded(mode, watts).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_charging_draws_what_the_pv_does_not_give_without_a_permission() -> None:
    assert commanded(CHARGE, 3000).run(10).ac_watts == pytest.approx(-2000 / 0.97, abs=5)


def test_charging_from_pv_follows_the_pv_and_draws_no_more_than_was_set() -> None:
    east = commanded(CHARGE_PV, 1000).run(10)
    assert east.ac_watts == pytest.approx(-1000, abs=5)

    east.pv_watts = 2500
    assert east.run(10).battery_watts == pytest.approx(2500 + 970, abs=5)


@pytest.mark.parametrize("mode", [CHARGE_PV, CONSERVE])
def test_hold_lets_the_pv_charge_and_discharges_nothing(mode: int) -> None:
    east = commanded(mode, 0)

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)
    assert east.inverter.controls.low_watts == 0
    assert not east.inverter.controls.grid_charging


def test_there_is_no_time_out() -> None:
    assert commanded(DISCHARGE, 300).run(1200).battery_watts == pytest.approx(-300, abs=5)


def test_power_alone_acts_at_once_in_a_mode_that_runs() -> None:
    east = commanded(DISCHARGE, 2000).run(10).put((WATTS, 700))

    assert east.run(10).battery_watts == pytest.approx(-700, abs=5)


def test_a_mode_that_is_written_before_its_power_acts_with_the_old_power() -> None:
    east = commanded(CHARGE, 3000).run(10).put((MODE, DISCHARGE))

    assert east.run(10).battery_watts == pytest.approx(-3000, abs=5)
    assert east.put((WATTS, 500)).run(10).battery_watts == pytest.approx(-500, abs=5)


def test_release_is_auto() -> None:
    assert commanded(DISCHARGE, 2000).run(10).put((MODE, AUTO)).run(10).battery_watts == pytest.approx(1000, abs=5)


def test_stopped_no_ac_flows() -> None:
    east = commanded(STOPPED, 0, pv_watts=4000).run(10)

    assert east.ac_watts == 0
    assert east.read(35187) == 0


def test_the_export_limit_is_kept_and_is_no_ac_limit() -> None:
    east = commanded(STANDBY, 0, pv_watts=4000).put((47509, 1), (47510, 500)).run(20)

    assert (east.read(47509), east.read(47510)) == (1, 500)
    assert east.ac_watts == pytest.approx(4000 * 0.97, abs=5)


def test_the_depth_of_discharge_stops_discharging() -> None:
    assert commanded(DISCHARGE, 2000).put((45356, 40)).run(10).battery_watts == 0


@pytest.mark.parametrize(
    ("address", "word"),
    [(MODE, 0), (MODE, 4), (MODE, 7), (MODE, 13), (WATTS, 10001), (WATTS, -500), (47509, 2), (45356, 100)],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(address: int, word: int) -> None:
    east = bench()
    before = east.read(address)

    assert east.write(address, word) is ExceptionCode.ILLEGAL_VALUE
    assert east.read(address) == before


def test_a_refused_power_refuses_the_mode_beside_it() -> None:
    east = bench()

    assert east.write(MODE, CHARGE, 10001) is ExceptionCode.ILLEGAL_VALUE
    assert east.read(MODE) == AUTO


@pytest.mark.parametrize("address", [47508, 47513, 35182, 40126])
def test_other_registers_cannot_be_written(address: int) -> None:
    assert bench().write(address, 0) is ExceptionCode.ILLEGAL_ADDRESS


def test_battery_power_is_positive_while_it_discharges() -> None:
    charging, discharging = commanded(CHARGE, 3000).run(20), commanded(DISCHARGE, 2000).run(20)

    assert charging.read(35182, 2, signed=True) == pytest.approx(-3000, abs=5)
    assert discharging.read(35182, 2, signed=True) == pytest.approx(2000, abs=5)
    assert charging.read(35180) * charging.read(35181, signed=True) == pytest.approx(-300000, abs=500)
    assert (charging.read(35184), discharging.read(35184)) == (3, 2)


def test_measurements_ratings_and_names() -> None:
    east = commanded(CHARGE, 3000).run(20)

    assert east.read(35137, 2, signed=True) == round(east.ac_watts)
    assert east.read(35138, signed=True) == round(east.ac_watts)
    assert [east.read(35105 + 4 * n, 2) for n in range(4)] == [600, 400, 0xFFFFFFFF, 0xFFFFFFFF]
    assert east.read(37007) == round(east.inverter.soc_percent or 0)
    assert (east.read(35001), east.read(35187), east.read(45350)) == (5000, 1, 25)
    assert letters(east.device.read(35003, 8)) == "SIM-east"
    assert letters(east.device.read(35011, 5)) == "GW5K-ET"


@pytest.mark.parametrize(("address", "count"), [(35000, 33), (35100, 125), (37000, 24)])
def test_a_block_of_the_document_is_one_request(address: int, count: int) -> None:
    assert isinstance(bench().device.read(address, count), tuple)
    assert bench().device.read(address - 1, count) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_there_is_nothing_to_command() -> None:
    east = MakeBench("goodwe-et", PV_ONLY, 7000).run(20)

    assert east.write(MODE, CHARGE) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.read(37007, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.read(35184) == 0
    assert east.ac_watts == pytest.approx(7000 * 0.97, abs=5)


@settings(max_examples=50, deadline=None)
@given(watts=st.integers(0, 10_000), mode=st.sampled_from([CHARGE, DISCHARGE]))
def test_battery_power_is_the_power_set_within_what_the_plant_can_do(watts: int, mode: int) -> None:
    east = commanded(mode, watts, pv_watts=0)
    east.device.advance(1)
    east.inverter.advance(60, 0)
    most_watts = 5000 * 0.97 if mode == CHARGE else 4000
    expected_watts = min(watts, most_watts) * (1 if mode == CHARGE else -1)

    assert east.battery_watts == pytest.approx(expected_watts, abs=50)
