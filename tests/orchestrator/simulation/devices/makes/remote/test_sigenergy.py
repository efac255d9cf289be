"""A Sigenergy plant obeys its remote EMS: modes, the order of writes, limits of AC, two units, and what they show."""

from __future__ import annotations

import pytest

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

RUNNING, AC_WATTS, REMOTE, MODE = 40000, 40001, 40029, 40031
CHARGE_WATTS, DISCHARGE_WATTS, PV_LIMIT = 40032, 40034, 40036
MOST_OUT, MOST_IN, CHARGE_ENDS, DISCHARGE_ENDS = 40042, 40044, 40047, 40048
AC_POWER, STANDBY, SELF, CHARGE, CHARGE_PV_FIRST, DISCHARGE, DISCHARGE_FIRST = range(7)
OWN_WATTS = 1000
"""What the battery does by itself in this light."""


def bench(pv_watts: float = 1000) -> MakeBench:
    return MakeBench("sigenergy", HYBRID, pv_watts)


def remote(mode: int, *powers: tuple[int, int], pv_watts: float = 1000) -> MakeBench:
    """A plant in a mode of remote EMS that was told these powers, after its mode."""
    east = bench(pv_watts).put((REMOTE, 1), (MODE, mode))
    for address, watts in powers:
        assert east.write_long(address, watts) is None
    return east


@pytest.mark.parametrize(
    ("mode", "powers", "expected_watts"),
    [
        (STANDBY, (), 0),
        (SELF, (), OWN_WATTS),
        (CHARGE, ((CHARGE_WATTS, 3000),), 3000),
        (CHARGE_PV_FIRST, ((CHARGE_WATTS, 500),), 500),
        (DISCHARGE, ((DISCHARGE_WATTS, 2000),), -2000),
        (DISCHARGE_FIRST, ((DISCHARGE_WATTS, 0),), 0),
        (AC_POWER, ((AC_WATTS, 2000),), 1000 - 2000 / 0.97),
        (AC_POWER, ((AC_WATTS, -2000),), 1000 + 2000 * 0.97),
    ],
)
def test_each_mode_does_what_it_says(mode: int, powers: tuple[tuple[int, int], ...], expected_watts: float) -> None:
    assert remote(mode, *powers).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_it_goes_on_for_ever_until_remote_ems_is_switched_off() -> None:
    east = remote(DISCHARGE, (DISCHARGE_WATTS, 500)).run(900)
    assert east.battery_watts == pytest.approx(-500, abs=5)
    assert east.read(30003) == 7

    assert east.put((REMOTE, 0)).run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read(30003) == 0


@pytest.mark.parametrize("address", [CHARGE_WATTS, DISCHARGE_WATTS, PV_LIMIT])
def test_powers_of_the_battery_are_refused_until_remote_ems_is_in_a_mode_that_knows_them(address: int) -> None:
    assert bench().write_long(address, 1000) is ExceptionCode.ILLEGAL_ADDRESS
    assert bench().put((MODE, CHARGE)).write_long(address, 1000) is ExceptionCode.ILLEGAL_ADDRESS
    assert remote(SELF).write_long(address, 1000) is ExceptionCode.ILLEGAL_ADDRESS
    assert remote(CHARGE).write_long(address, 1000) is None


def test_pv_is_limited_beside_the_battery() -> None:
    east = remote(CHARGE, (CHARGE_WATTS, 500), (PV_LIMIT, 1500), pv_watts=5000).run(10)

    assert east.inverter.state.pv_watts == pytest.approx(1500, abs=5)
    assert east.battery_watts == pytest.approx(500, abs=5)


def test_the_limits_of_ac_power_hold_in_every_mode() -> None:
    east = bench(5500)
    east.inverter.set_soc(100)
    east.write_long(MOST_OUT, 2000)
    assert east.run(10).ac_watts == pytest.approx(2000, abs=5)
    east.write_long(MOST_OUT, 0xFFFFFFFF)
    assert east.run(10).ac_watts == pytest.approx(5000, abs=5)

    east = remote(DISCHARGE, (DISCHARGE_WATTS, 4000), (MOST_OUT, 1500)).run(10)
    assert east.ac_watts == pytest.approx(1500, abs=5)
    east = remote(AC_POWER, (AC_WATTS, 3000), (MOST_OUT, 1500)).run(10)
    assert east.ac_watts == pytest.approx(1500, abs=5)
    east = remote(CHARGE, (CHARGE_WATTS, 4000), (MOST_IN, 1500)).run(10)
    assert east.ac_watts == pytest.approx(-1500, abs=5)


def test_charging_and_discharging_end_at_their_percents() -> None:
    assert remote(DISCHARGE).put((DISCHARGE_ENDS, 600)).run(10).battery_watts == pytest.approx(0, abs=1)
    assert remote(CHARGE).put((CHARGE_ENDS, 400)).run(10).battery_watts == pytest.approx(0, abs=1)
    assert bench().put((CHARGE_ENDS, 400)).run(10).battery_watts == pytest.approx(0, abs=1)


def test_it_is_stopped_and_started_by_a_register_that_cannot_be_read() -> None:
    east = remote(DISCHARGE, (DISCHARGE_WATTS, 2000)).put((RUNNING, 0))

    assert east.run(10).ac_watts == 0
    assert east.put((RUNNING, 1)).run(10).battery_watts == pytest.approx(-2000, abs=5)
    assert east.device.read(RUNNING, 1) is ExceptionCode.ILLEGAL_ADDRESS


def test_it_is_itself_again_when_it_starts_anew() -> None:
    east = remote(DISCHARGE, (DISCHARGE_WATTS, 2000)).run(5)
    east.device.restart_controls()  # type: ignore[attr-defined]

    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


@pytest.mark.parametrize(("address", "word"), [(REMOTE, 2), (MODE, 7), (RUNNING, 2), (DISCHARGE_ENDS, 1001)])
def test_values_out_of_range_are_refused(address: int, word: int) -> None:
    assert bench().write(address, word) is ExceptionCode.ILLEGAL_VALUE


def test_the_plant_shows_powers_in_all() -> None:
    east = remote(CHARGE, (CHARGE_WATTS, 3000)).run(10)

    assert east.read(30037, 2, signed=True) == pytest.approx(3000, abs=5)
    assert east.read(30031, 2, signed=True) == round(east.ac_watts)
    assert (east.read(30035, 2), east.read(30010, 2), east.read(30051)) == (1000, 5000, 1)
    assert east.read(30014) == round(10 * (east.inverter.soc_percent or 0))
    assert (east.read(30047, 2), east.read(30049, 2)) == (5000, 4000)
    assert east.read_input(30037, 2, signed=True) == east.read(30037, 2, signed=True)


def test_the_inverter_says_who_it_is_at_a_unit_of_its_own() -> None:
    east = remote(CHARGE, (CHARGE_WATTS, 3000)).run(10)
    inverter, plant = east.device.others[1], east.device.others[247]

    assert plant is east.device
    assert letters(inverter.read(30500, 15)) == "SigenStor EC 5.0 TP"
    assert letters(inverter.read(30515, 10)).startswith("110A")
    assert inverter.read(30540, 2) == (0, 5000)
    assert inverter.read(30548, 2) == (0, 1000)
    assert inverter.read(30599, 2) == (0, pytest.approx(3000, abs=5))
    assert inverter.read(31035, 2) == (0, 1000)
    assert inverter.read(30003, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert inverter.write(41500, (1,), 0.0) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_the_limit_of_ac_power_is_there_all_the_same() -> None:
    east = MakeBench("sigenergy", PV_ONLY, 7000)
    east.write_long(MOST_OUT, 4000)

    assert east.run(10).ac_watts == pytest.approx(4000, abs=5)
    assert east.write(REMOTE, 1) is ExceptionCode.ILLEGAL_ADDRESS
