"""A Growatt hybrid obeys two switches together, ends without a trace, and shows who it is and what it measures."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.remote.growatt.hybrid import GrowattHybrid
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

AUTHORITY, RUNNING, LIMIT, PASSING_LIMIT = 30100, 30101, 30151, 30154
CHARGE_ENDS, DISCHARGE_ENDS, AC_CHARGES = 30404, 30405, 30410
REMOTE, MINUTES, PERCENT, LAST_PERCENT = 30407, 30408, 30409, 30474
OWN_WATTS = 1000
"""What the battery does by itself in this light."""


def bench(pv_watts: float = 1000) -> MakeBench:
    return MakeBench("growatt-mod", HYBRID, pv_watts)


def remote(percent: int, minutes: int = 0, pv_watts: float = 1000) -> MakeBench:
    """A hybrid whose battery is commanded; 100 percent are 5000 W."""
    return bench(pv_watts).put((AUTHORITY, 1), (MINUTES, minutes), (PERCENT, percent), (REMOTE, 1))


@pytest.mark.parametrize(
    ("percent", "expected_watts"), [(30, 1500), (60, 3000), (0, 0), (-20, -1000), (-80, -4000), (-100, -4000)]
)
def test_the_battery_does_so_many_percent_of_its_rating(percent: int, expected_watts: float) -> None:
    east = remote(percent).put((AC_CHARGES, 0)).run(10)

    assert east.battery_watts == pytest.approx(expected_watts, abs=5)


@pytest.mark.parametrize("switch", [AUTHORITY, REMOTE])
def test_either_switch_alone_commands_nothing(switch: int) -> None:
    east = bench().put((PERCENT, -50), (switch, 1)).run(10)

    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_its_end_is_seen_in_no_register() -> None:
    east = remote(-20, minutes=2).run(115)
    assert east.battery_watts == pytest.approx(-1000, abs=5)

    east.run(15)
    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert [east.read(at) for at in (AUTHORITY, REMOTE, MINUTES)] == [1, 1, 2]
    assert east.read(PERCENT, signed=True) == -20


@pytest.mark.parametrize(("address", "word"), [(REMOTE, 1), (MINUTES, 2), (PERCENT, -20)])
def test_writing_the_same_again_renews_it(address: int, word: int) -> None:
    east = remote(-20, minutes=2).run(100).put((address, word)).run(100)
    assert east.battery_watts == pytest.approx(-1000, abs=5)
    assert east.run(30).battery_watts == pytest.approx(OWN_WATTS, abs=5)

    assert east.put((address, word)).run(10).battery_watts == pytest.approx(-1000, abs=5)


def test_other_writes_do_not_renew_it() -> None:
    east = remote(-20, minutes=2).run(100).put((LIMIT, 100)).run(30)

    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_some_devices_never_end_by_themselves() -> None:
    east = remote(-20, minutes=2)
    cast("GrowattHybrid", east.device).ends_by_itself = False

    assert east.run(200).battery_watts == pytest.approx(-1000, abs=5)


def test_the_last_power_is_shown_after_it_was_switched_off_and_cannot_be_written() -> None:
    east = remote(-20).put((REMOTE, 0), (PERCENT, 0), (LAST_PERCENT, 50)).run(10)

    assert east.read(LAST_PERCENT, signed=True) == -20
    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_the_battery_stops_at_its_percents_of_charge() -> None:
    assert remote(-50).put((DISCHARGE_ENDS, 60)).run(10).battery_watts == pytest.approx(0, abs=1)
    assert remote(50).put((CHARGE_ENDS, 40)).run(10).battery_watts == pytest.approx(0, abs=1)
    assert remote(-50).put((CHARGE_ENDS, 40)).run(10).battery_watts == pytest.approx(-2500, abs=5)
    assert bench().put((CHARGE_ENDS, 40)).run(10).battery_watts == pytest.approx(0, abs=1)


@pytest.mark.parametrize(("stored", "passing", "expected_watts"), [(40, 100, 2000), (100, 30, 1500), (40, 30, 1500)])
def test_the_lesser_limit_of_ac_power_holds(stored: int, passing: int, expected_watts: float) -> None:
    east = remote(0, pv_watts=5500).put((LIMIT, stored), (PASSING_LIMIT, passing)).run(10)

    assert east.ac_watts == pytest.approx(expected_watts, abs=5)


def test_a_restart_forgets_what_is_not_stored() -> None:
    east = remote(-20, pv_watts=5500).put((LIMIT, 40), (PASSING_LIMIT, 30), (RUNNING, 0)).run(10)
    assert east.ac_watts == 0
    cast("GrowattHybrid", east.device).restart_controls()

    east.inverter.set_soc(100)
    assert east.run(10).ac_watts == pytest.approx(2000, abs=5)
    assert [east.read(at) for at in (AUTHORITY, LIMIT, PASSING_LIMIT, RUNNING, REMOTE)] == [1, 40, 100, 1, 0]


@pytest.mark.parametrize(
    ("address", "word"), [(PERCENT, 101), (PERCENT, -101), (MINUTES, 1441), (REMOTE, 2), (DISCHARGE_ENDS, 9)]
)
def test_values_out_of_range_are_refused(address: int, word: int) -> None:
    assert bench().write(address, word) is ExceptionCode.ILLEGAL_VALUE


def test_it_says_who_it_is() -> None:
    east = bench()

    assert east.read(30000) == 5400
    assert letters(east.device.read(30001, 15)) == letters(east.device.read(23, 5))
    assert letters(east.device.read(30001, 15)).startswith("XSK")
    assert (east.read(30016, 2), east.read(30026, 2), east.read(30099)) == (50000, 50000, 203)


def test_readings_are_in_tenths_of_a_watt() -> None:
    east = remote(-50).run(10)

    assert east.read_input(31200, 2, signed=True) == pytest.approx(-25000, abs=50)
    assert east.read_input(31100, 2, signed=True) == round(10 * east.ac_watts)
    assert (east.read_input(31058, 2), east.read_input(31217)) == (10000, round(east.inverter.soc_percent or 0))
    assert (east.read_input(31000), east.read_input(31001)) == (6, 3)
    assert east.read_input(3178, 2) == pytest.approx(25000, abs=50)
    assert (east.read_input(3180, 2), east.read_input(3001, 2)) == (0, 10000)
    assert east.device.read(31200, 2) is ExceptionCode.ILLEGAL_ADDRESS


def test_without_a_battery_its_registers_are_missing() -> None:
    east = MakeBench("growatt-mod", PV_ONLY, 7000).put((PASSING_LIMIT, 50)).run(10)

    assert east.ac_watts == pytest.approx(0.5 * PV_ONLY.ac_rating_watts, abs=5)
    assert east.device.read_inputs(31217, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.write(REMOTE, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert (east.read(30000), east.read_input(31000)) == (5002, 5)
