"""A GivEnergy hybrid shows what it does in input registers, and takes no write."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

FULL = 100.0


def bench(pv_watts: float = 3000, soc_percent: float = 50.0) -> MakeBench:
    east = MakeBench("givenergy-gen3", HYBRID, pv_watts)
    east.inverter.set_soc(soc_percent)
    return east.run(10)


@pytest.mark.parametrize(("rating_watts", "digits"), [(5000, "2001"), (4600, "2002"), (3600, "2003"), (8000, "2001")])
def test_the_type_says_its_rating(rating_watts: float, digits: str) -> None:
    east = MakeBench("givenergy-gen3", HYBRID.model_copy(update={"ac_rating_watts": rating_watts}))

    assert f"{east.read(0):04x}" == digits


def test_it_says_who_it_is() -> None:
    east = bench()

    assert letters(east.device.read(13, 5)).startswith("FD2")
    assert (east.read(21) // 100, east.read(30), east.read(3)) == (3, 0x11, 0x0201)
    assert (east.read(55), east.read(110)) == (195, 5)


def test_the_battery_discharges_with_a_plus() -> None:
    east = bench()

    assert east.read_input(52, signed=True) == pytest.approx(-3000, abs=5)
    assert east.read_input(51, signed=True) == pytest.approx(-5859, abs=10)
    assert [east.read_input(at) for at in (50, 56, 59, 14)] == [5120, 200, 50, 2]


def test_energies_are_in_tenths_of_a_kwh() -> None:
    east = bench()
    east.inverter.pv_wh, east.inverter.charged_wh, east.inverter.discharged_wh = 7e6, 2e6, 1e6

    assert [east.read_input(at, 2) for at in (6, 11, 45)] == [30000, 70000, 70000]
    assert [east.read_input(at) for at in (180, 181)] == [10000, 20000]


def test_ac_power_goes_out_with_a_plus() -> None:
    east = bench(soc_percent=FULL)

    assert east.read_input(24, signed=True) == round(east.ac_watts) == 2910
    assert [east.read_input(at) for at in (43, 58, 10, 13, 0)] == [2910, 1265, 127, 5000, 1]
    assert [east.read_input(at) for at in (30, 42, 14)] == [0, 0, 0]


def test_pv_is_told_by_string() -> None:
    east = bench()

    assert [east.read_input(at) for at in (18, 20, 1, 2)] == [1800, 1200, 5800, 5800]


def test_it_refuses_every_write_and_counts_them() -> None:
    east = bench()

    assert east.write(111, 0) is ExceptionCode.ILLEGAL_ADDRESS
    assert [write.address for write in cast("WatchedDevice", east.device).attempts] == [111]


def test_without_a_battery_its_readings_are_0() -> None:
    east = MakeBench("givenergy-gen3", PV_ONLY, 3000).run(10)

    assert [east.read_input(at) for at in (50, 52, 59)] == [0, 0, 0]
    assert east.read_input(18) == 1800


def test_registers_outside_of_its_blocks_are_refused() -> None:
    east = bench()

    assert (east.read(179), east.read_input(239)) == (0, 0)
    assert east.device.read(180, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.read_inputs(240, 1) is ExceptionCode.ILLEGAL_ADDRESS
