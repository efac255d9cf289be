"""A Huawei SUN2000 with LUNA obeys its own registers: forcing by minutes, permissions, limits, and what it shows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

PERCENT, AC_WATTS = 40125, 40126
CHARGE_MAX, DISCHARGE_MAX, MINUTES, FROM_GRID, FORCED = 47075, 47077, 47083, 47087, 47100
TARGET_SOC, TARGET, CHARGE_WATTS, DISCHARGE_WATTS = 47101, 47246, 47247, 47249
STOP, CHARGE, DISCHARGE = 0, 1, 2
BY_TIME, BY_SOC = 0, 1


def bench(pv_watts: float = 1000) -> MakeBench:
    return MakeBench("huawei-luna", HYBRID, pv_watts)


def forced(direction: int, watts: int, minutes: int = 1, *, from_grid: int = 1, pv_watts: float = 1000) -> MakeBench:
    """A device that was forced in the order that the make wants: what for, how long, then go."""
    east = bench(pv_watts).put((FROM_GRID, from_grid))
    east.write_long(CHARGE_WATTS if direction == CHARGE else DISCHARGE_WATTS, watts)
    return east.put((MINUTES, minutes), (TARGET, BY_TIME), (FORCED, direction))


@pytest.mark.parametrize(
    ("direction", "watts", "from_grid", "expected_watts"),
    [
        (CHARGE, 3000, 1, 3000),
        (CHARGE, 3000, 0, 1000),
        (CHARGE, 500, 0, 500),
        (DISCHARGE, 2000, 0, -2000),
        (DISCHARGE, 0, 0, 0),
    ],
)
def test_a_forced_battery_does_what_it_was_told(
    direction: int, watts: int, from_grid: int, expected_watts: float
) -> None:
    east = forced(direction, watts, from_grid=from_grid)

    assert east.run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_forced_charging_ends_after_its_minutes() -> None:
    east = forced(DISCHARGE, 2000, minutes=2).run(119)

    assert east.battery_watts == pytest.approx(-2000, abs=5)
    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)
    assert east.read(FORCED) == STOP


def test_only_writing_the_order_again_renews_the_minutes() -> None:
    east = forced(DISCHARGE, 2000).run(50).put((MINUTES, 1), (TARGET, BY_TIME)).run(5)
    assert east.run(10).read(FORCED) == STOP

    east = forced(DISCHARGE, 2000).run(50).put((FORCED, DISCHARGE))
    assert east.run(50).battery_watts == pytest.approx(-2000, abs=5)


def test_changed_power_waits_until_the_order_is_written_again() -> None:
    east = forced(DISCHARGE, 2000, minutes=60).run(5)
    east.write_long(DISCHARGE_WATTS, 1000)

    assert east.run(10).battery_watts == pytest.approx(-2000, abs=5)
    assert east.put((FORCED, DISCHARGE)).run(10).battery_watts == pytest.approx(-1000, abs=5)


def test_the_wrong_order_of_writes_has_no_effect() -> None:
    east = bench().put((FORCED, DISCHARGE))
    east.write_long(DISCHARGE_WATTS, 2000)
    east.put((MINUTES, 1), (TARGET, BY_TIME))

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)
    assert east.read(FORCED) == STOP


def test_by_state_of_charge_it_ends_at_the_target_and_not_by_time() -> None:
    east = bench().put((FROM_GRID, 1), (MINUTES, 1), (TARGET, BY_SOC), (TARGET_SOC, 510))
    east.write_long(CHARGE_WATTS, 3000)
    east.put((FORCED, CHARGE)).run(90)

    assert east.battery_watts == pytest.approx(3000, abs=5)
    east.inverter.set_soc(51.5)
    assert east.run(10).read(FORCED) == STOP


def test_hold_forbids_discharging_and_has_no_time_out() -> None:
    east = forced(DISCHARGE, 2000, minutes=60)
    east.put((FORCED, STOP)).write_long(DISCHARGE_MAX, 0)

    assert east.run(600).battery_watts == pytest.approx(1000, abs=5)
    assert east.inverter.controls.low_watts == 0
    assert east.put((FORCED, DISCHARGE)).run(10).battery_watts == pytest.approx(0, abs=1)


def test_the_most_that_is_charged_bounds_the_pv_as_well() -> None:
    east = bench(3000)
    east.write_long(CHARGE_MAX, 700)

    assert east.run(10).battery_watts == pytest.approx(700, abs=5)


def test_release_leaves_the_battery_to_itself() -> None:
    east = forced(DISCHARGE, 2000, minutes=60).run(10).put((FORCED, STOP))

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)


def test_the_ac_limit_is_the_derating_that_was_written_last() -> None:
    east = forced(DISCHARGE, 0, minutes=60, pv_watts=5500)
    east.write_long(AC_WATTS, 2000)
    assert east.run(20).ac_watts == pytest.approx(2000, abs=5)

    assert east.put((PERCENT, 500)).run(20).ac_watts == pytest.approx(2500, abs=5)
    east.write_long(AC_WATTS, 5000)
    assert east.run(20).ac_watts > 4900
    assert east.read(32089) == 0x0201


def test_without_permission_nothing_is_drawn_from_ac() -> None:
    assert forced(CHARGE, 3000, from_grid=0, pv_watts=0).run(10).ac_watts == 0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (FORCED, (3,)),
        (MINUTES, (1441,)),
        (TARGET, (2,)),
        (FROM_GRID, (2,)),
        (PERCENT, (1001,)),
        (PERCENT, (-1,)),
        (AC_WATTS, (0, 5001)),
        (CHARGE_WATTS, (0, 5001)),
        (DISCHARGE_WATTS, (0, 4001)),
        (CHARGE_MAX, (1000, 0)),
    ],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(address: int, words: tuple[int, ...]) -> None:
    east = bench()
    before = east.read(address, len(words))

    assert east.write(address, *words) is ExceptionCode.ILLEGAL_VALUE
    assert east.read(address, len(words)) == before


@pytest.mark.parametrize(("address", "words"), [(47099, (0,)), (47251, (0,)), (CHARGE_WATTS, (100,)), (32080, (0, 0))])
def test_wrong_registers_and_half_a_value_are_refused(address: int, words: tuple[int, ...]) -> None:
    assert bench().write(address, *words) is ExceptionCode.ILLEGAL_ADDRESS


@pytest.mark.parametrize("address", [37001, 37765])
def test_battery_power_is_positive_while_it_charges(address: int) -> None:
    assert forced(CHARGE, 3000).run(10).read(address, 2, signed=True) == pytest.approx(3000, abs=5)
    assert forced(DISCHARGE, 2000).run(10).read(address, 2, signed=True) == pytest.approx(-2000, abs=5)


def test_measurements_ratings_and_names() -> None:
    east = forced(CHARGE, 3000).run(20)

    assert east.read(32064, 2, signed=True) == pytest.approx(1000, abs=1)
    assert east.read(32080, 2, signed=True) == round(east.ac_watts)
    assert east.ac_watts == pytest.approx(-2000 / 0.97, abs=5)
    assert east.read(37760) == east.read(37004) == round(10 * (east.inverter.soc_percent or 0))
    assert (east.read(30073, 2), east.read(37758, 2)) == (5000, 10000)
    assert (east.read(37046, 2), east.read(37048, 2)) == (5000, 4000)
    assert letters(east.device.read(30000, 15)) == "SUN2000-5KTL-M1"
    assert letters(east.device.read(30015, 10)) == "SIM-east"


def test_strings_are_voltage_and_current() -> None:
    east = bench(5000).run(20)

    watts = [east.read(32016 + at) / 10 * east.read(32017 + at) / 100 for at in (0, 2)]
    assert watts == [pytest.approx(3000, rel=0.01), pytest.approx(2000, rel=0.01)]


def test_nothing_is_in_the_input_registers() -> None:
    assert bench().device.read_inputs(32080, 2) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_the_storage_registers_are_missing() -> None:
    east = MakeBench("huawei-luna", PV_ONLY, 7000)

    assert east.device.read(37760, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.write(FORCED, CHARGE) is ExceptionCode.ILLEGAL_ADDRESS
    east.write_long(AC_WATTS, 4000)
    assert east.run(20).ac_watts == pytest.approx(4000, abs=5)


@settings(max_examples=50, deadline=None)
@given(minutes=st.integers(0, 3), rests_s=st.lists(st.integers(1, 90), max_size=4))
def test_it_is_forced_exactly_until_the_minutes_after_the_last_order(minutes: int, rests_s: list[int]) -> None:
    east = bench().put((TARGET, BY_TIME), (MINUTES, minutes))
    left_s = 0
    for rest_s in rests_s:
        east.put((FORCED, DISCHARGE))
        east.device.advance(rest_s)
        left_s = 60 * minutes - rest_s
    assert (east.read(FORCED) == DISCHARGE) == (left_s > 0)
