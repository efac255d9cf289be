"""A Sunsynk with one phase shows what it does at other addresses than one with three, and takes no write."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY


def bench(pv_watts: float = 3000) -> MakeBench:
    return MakeBench("sunsynk-1p", HYBRID, pv_watts, little=True).run(10)


def test_it_says_what_it_is() -> None:
    east = bench()

    assert east.read(0) == 3
    assert letters(east.device.read(3, 5)).startswith("21")
    assert east.device.read(16, 2) == (50000, 0)


def test_the_battery_discharges_with_a_plus() -> None:
    east = bench()

    assert east.read(190, signed=True) == pytest.approx(-3000, abs=5)
    assert east.read(191, signed=True) == pytest.approx(-5859, abs=10)
    assert (east.read(183), east.read(184), east.read(182)) == (5120, 50, 1200)
    assert (east.read(210), east.read(211), east.read(219)) == (98, 78, 5)
    assert (east.read(314), east.read(315)) == (98, 78)


def test_all_of_ac_is_on_one_phase_and_the_grid_port_sees_it_the_other_way() -> None:
    east = MakeBench("sunsynk-1p", HYBRID, 3000, little=True)
    east.inverter.set_soc(100)
    east.run(10)

    assert east.read(175, signed=True) == east.read(173, signed=True) == round(east.ac_watts) == 2910
    assert east.read(169, signed=True) == east.read(167, signed=True) == -2910
    assert east.read(164, signed=True) == 1265
    assert (east.read(172), east.read(59), east.read(91)) == (0, 2, 1385)


def test_pv_is_told_by_string() -> None:
    east = bench()

    assert (east.read(186), east.read(187), east.read(188)) == (1800, 1200, 0)
    assert (east.read(109), east.read(111), east.read(113)) == (5800, 5800, 0)


def test_energies_are_in_tenths_of_a_kwh() -> None:
    east = bench()
    east.inverter.pv_wh, east.inverter.charged_wh, east.inverter.discharged_wh = 7e6, 2e6, 1e6

    assert [east.read(at, 2) for at in (72, 74, 96)] == [20000, 10000, 70000]


def test_it_refuses_every_write_and_counts_them() -> None:
    east = bench()

    assert east.write(245, 0) is ExceptionCode.ILLEGAL_ADDRESS
    assert [write.address for write in cast("WatchedDevice", east.device).attempts] == [245]


def test_without_a_battery_its_readings_are_0() -> None:
    east = MakeBench("sunsynk-1p", PV_ONLY, 3000, little=True).run(10)

    assert [east.read(at) for at in (183, 184, 190)] == [0, 0, 0]
    assert east.read(186) == 1800


def test_holes_are_0_and_what_is_not_there_is_refused() -> None:
    east = bench()

    assert east.read(349) == 0
    assert east.device.read(350, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.functions == {3, 6, 16}
