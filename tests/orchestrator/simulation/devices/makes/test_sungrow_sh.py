"""A Sungrow SH obeys its own registers: modes, heartbeat, limits, and what it shows. The battery's rating is 5000 W."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

MODE, COMMAND, WATTS, HEARTBEAT = 13049, 13050, 13051, 13079
CHARGE_MAX, DISCHARGE_MAX = 33046, 33047
AC_LIMITED, AC_LIMIT = 13088, 13089
SELF_CONSUMPTION, FORCED, EXTERNAL, VPP = 0, 2, 3, 4
CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
ON, OFF = 0xAA, 0x55
REFUSED = ExceptionCode.DEVICE_FAILURE


def bench(pv_watts: float = 1000) -> MakeBench:
    return MakeBench("sungrow-sh", HYBRID, pv_watts, little=True)


def commanded(command: int, watts: int, mode: int = EXTERNAL, heartbeat_s: int = 60) -> MakeBench:
    """A device that was told what to do in one request, after its heartbeat."""
    east = bench().put((HEARTBEAT, heartbeat_s))
    assert east.write(MODE, mode, command, watts) is None
    return east


@pytest.mark.parametrize("mode", [FORCED, EXTERNAL, VPP])
@pytest.mark.parametrize(
    ("command", "watts", "expected_watts"),
    [(CHARGE, 3000, 3000), (CHARGE, 500, 500), (DISCHARGE, 2000, -2000), (STOP, 2000, 0)],
)
def test_a_command_sets_battery_power_exactly(mode: int, command: int, watts: int, expected_watts: float) -> None:
    assert commanded(command, watts, mode).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_charging_takes_from_ac_what_the_pv_does_not_give() -> None:
    assert commanded(CHARGE, 3000).run(10).ac_watts == pytest.approx(-2000 / 0.97, abs=5)


def test_a_command_means_nothing_in_self_consumption() -> None:
    east = bench().put((WATTS, 3000), (COMMAND, DISCHARGE), (MODE, SELF_CONSUMPTION))

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)


def test_external_mode_ends_when_the_heartbeat_stops() -> None:
    east = commanded(DISCHARGE, 2000, heartbeat_s=30).run(29)

    assert east.battery_watts == pytest.approx(-2000, abs=5)
    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)
    assert (east.read(MODE), east.read(HEARTBEAT), east.read(COMMAND)) == (SELF_CONSUMPTION, 0, DISCHARGE)


def test_the_heartbeat_counts_down_in_its_register_and_is_renewed_by_writing_it() -> None:
    east = commanded(DISCHARGE, 2000, heartbeat_s=30).run(20)

    assert east.read(HEARTBEAT) == 10
    assert east.put((HEARTBEAT, 30)).run(20).read(MODE) == EXTERNAL
    assert east.put((MODE, EXTERNAL), (WATTS, 2000)).run(11).read(MODE) == SELF_CONSUMPTION


def test_a_heartbeat_alone_does_not_bring_the_mode_back() -> None:
    east = commanded(DISCHARGE, 2000, heartbeat_s=5).run(10).put((HEARTBEAT, 60))

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)


def test_a_mode_that_never_gets_a_heartbeat_ends_after_twenty_seconds() -> None:
    east = bench().put((WATTS, 2000), (COMMAND, DISCHARGE), (MODE, EXTERNAL)).run(19)

    assert east.battery_watts == pytest.approx(-2000, abs=5)
    assert east.run(2).read(MODE) == SELF_CONSUMPTION


def test_forced_mode_has_no_time_out() -> None:
    assert commanded(DISCHARGE, 500, FORCED, heartbeat_s=5).run(600).battery_watts == pytest.approx(-500, abs=5)


def test_release_is_self_consumption() -> None:
    east = commanded(DISCHARGE, 2000).run(10)
    east.write(MODE, SELF_CONSUMPTION, STOP, 0)

    assert east.run(10).battery_watts == pytest.approx(1000, abs=5)


def test_most_charging_and_discharging_are_in_ten_watts_and_bound_every_mode() -> None:
    east = bench().put((CHARGE_MAX, 40), (DISCHARGE_MAX, 1), (HEARTBEAT, 600))

    assert east.run(10).battery_watts == pytest.approx(400, abs=5)
    assert east.inverter.controls.low_watts == -10
    east.write(MODE, EXTERNAL, CHARGE, 3000)
    assert east.run(10).battery_watts == pytest.approx(400, abs=5)
    east.write(MODE, EXTERNAL, DISCHARGE, 3000)
    assert east.run(10).battery_watts == pytest.approx(-10, abs=5)


def test_the_ac_limit_is_a_tenth_of_a_percent_and_needs_its_switch() -> None:
    east = bench(5500).put((MODE, FORCED), (AC_LIMIT, 250))

    assert east.run(20).ac_watts > 4900
    assert east.put((AC_LIMITED, ON)).run(20).ac_watts == pytest.approx(1250, abs=5)
    assert east.put((AC_LIMITED, OFF)).run(20).ac_watts > 4900


def test_the_reserve_stops_discharging() -> None:
    assert commanded(DISCHARGE, 2000).put((13099, 60)).run(10).battery_watts == 0


@pytest.mark.parametrize(
    ("address", "word"),
    [
        (MODE, 1),
        (MODE, 9),
        (COMMAND, 1),
        (WATTS, 5001),
        (HEARTBEAT, 0),
        (HEARTBEAT, 1001),
        (CHARGE_MAX, 0),
        (DISCHARGE_MAX, 501),
        (AC_LIMITED, 1),
        (AC_LIMIT, 1001),
        (13058, 501),
    ],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(address: int, word: int) -> None:
    east = bench()
    before = east.read(address)

    assert east.write(address, word) is REFUSED
    assert east.read(address) == before


@pytest.mark.parametrize("address", [13048, 13052, 13080, 13033, 33048])
def test_registers_one_beside_the_right_ones_are_refused(address: int) -> None:
    assert bench().write(address, 0) is ExceptionCode.ILLEGAL_ADDRESS


def test_measurements_are_in_input_registers_with_the_makes_own_signs() -> None:
    east = commanded(CHARGE, 3000).run(20)

    assert east.read_input(5213, 2, signed=True) == pytest.approx(-3000, abs=5)
    assert east.read_input(13033, 2, signed=True) == round(east.ac_watts)
    assert east.read_input(5016, 2) == pytest.approx(1000, abs=1)
    assert east.read_input(13022) == round(10 * (east.inverter.soc_percent or 0))
    assert east.read_input(12999) == 0x4000
    assert east.device.read(13033, 2) is ExceptionCode.ILLEGAL_ADDRESS


@pytest.mark.parametrize(("command", "flow", "signed_watts"), [(CHARGE, 3, -2000), (DISCHARGE, 5, 2000), (STOP, 1, 0)])
def test_the_older_battery_power_has_no_sign_of_its_own(command: int, flow: int, signed_watts: int) -> None:
    east = commanded(command, 2000).run(20)

    assert east.read_input(13000) == flow
    assert east.read_input(13021) == pytest.approx(abs(signed_watts), abs=5)
    assert east.read_input(5213, 2, signed=True) == pytest.approx(signed_watts, abs=5)


def test_strings_ratings_and_names() -> None:
    east = bench(5000).run(20)
    strings_watts = [east.read_input(5010 + at) * east.read_input(5011 + at) / 100 for at in (0, 2)]

    assert strings_watts == [pytest.approx(3000, rel=0.02), pytest.approx(2000, rel=0.02)]
    assert east.read_input(5014) == 0xFFFF
    assert letters(east.device.read_inputs(4989, 10)) == "SIM-east"
    assert (east.read_input(4999), east.read_input(5000)) == (0x0E03, 50)
    assert (east.read_input(5627), east.read_input(5638)) == (50, 1000)


@pytest.mark.parametrize(("address", "count"), [(4989, 12), (5010, 11), (5627, 12), (12999, 36)])
def test_a_block_of_the_document_is_one_request(address: int, count: int) -> None:
    assert isinstance(bench().device.read_inputs(address, count), tuple)
    assert bench().device.read_inputs(address - 1, count) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_there_is_nothing_to_command_but_the_ac_limit() -> None:
    east = MakeBench("sungrow-sh", PV_ONLY, 7000, little=True)

    assert east.write(MODE, FORCED) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.put((AC_LIMIT, 500), (AC_LIMITED, ON)).run(20).ac_watts == pytest.approx(4000, abs=5)


@settings(max_examples=50, deadline=None)
@given(
    mode=st.sampled_from([FORCED, EXTERNAL]),
    command=st.sampled_from([CHARGE, DISCHARGE, STOP]),
    watts=st.integers(0, 5000),
    charge_max=st.integers(1, 500),
    discharge_max=st.integers(1, 500),
)
def test_the_window_is_the_command_within_the_bounds(
    mode: int, command: int, watts: int, charge_max: int, discharge_max: int
) -> None:
    east = bench().put((CHARGE_MAX, charge_max), (DISCHARGE_MAX, discharge_max))
    east.write(MODE, mode, command, watts)
    low_watts, high_watts = east.inverter.controls.low_watts, east.inverter.controls.high_watts

    assert low_watts == high_watts
    wanted = {CHARGE: watts, DISCHARGE: -watts, STOP: 0}[command]
    assert low_watts == min(max(wanted, -10 * discharge_max), 10 * charge_max)
