"""Deye hybrids show what they do, in the units of their voltage, and take no write."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

LOW, HIGH = "deye-3p-lv", "deye-3p-hv"


def bench(make: str, pv_watts: float = 3000) -> MakeBench:
    return MakeBench(make, HYBRID, pv_watts, little=True).run(10)


@pytest.mark.parametrize(("make", "type_of_device"), [(LOW, 5), (HIGH, 6)])
def test_it_says_what_it_is(make: str, type_of_device: int) -> None:
    east = bench(make)

    assert east.read(0) == type_of_device
    assert letters(east.device.read(3, 5)).startswith("22")
    assert east.read(20, 2) == 50000
    assert east.device.read(20, 2) == (50000, 0)


def test_low_voltage_is_told_in_watts() -> None:
    east = bench(LOW)

    assert east.read(590, signed=True) == pytest.approx(-3000, abs=5)
    assert (east.read(672), east.read(673), east.read(674)) == (1800, 1200, 0)
    assert (east.read(587), east.read(111)) == (5120, 1)
    assert (east.read(108), east.read(109), east.read(586)) == (98, 78, 1200)
    assert east.read(591, signed=True) == pytest.approx(-5859, abs=10)


def test_high_voltage_is_told_in_tens_of_watts() -> None:
    east = bench(HIGH)

    assert east.read(590, signed=True) == pytest.approx(-300, abs=1)
    assert (east.read(672), east.read(673), east.read(674)) == (180, 120, 0)
    assert (east.read(587), east.read(143)) == (4000, 500)
    assert east.read(591, signed=True) == pytest.approx(-750, abs=2)


@pytest.mark.parametrize("make", [LOW, HIGH])
def test_ac_power_is_in_watts_and_its_grid_port_sees_it_the_other_way(make: str) -> None:
    east = MakeBench(make, HYBRID, 3000, little=True)
    east.inverter.set_soc(100)
    east.run(10)

    assert east.read(636, signed=True) == round(east.ac_watts) == 2910
    assert east.read(607, signed=True) == -2910
    assert east.read(541) == 1385
    assert (east.read(633, signed=True), east.read(604, signed=True)) == (970, -970)
    assert (east.read(619), east.read(625), east.read(588), east.read(500)) == (0, 0, 100, 2)


@pytest.mark.parametrize("make", [LOW, HIGH])
def test_energies_are_in_tenths_of_a_kwh(make: str) -> None:
    east = bench(make)
    east.inverter.pv_wh, east.inverter.charged_wh, east.inverter.discharged_wh = 7e6, 2e6, 1e6

    assert [east.read(at, 2) for at in (516, 518, 534)] == [20000, 10000, 70000]


def test_it_refuses_every_write_and_counts_them() -> None:
    east = bench(LOW)

    assert east.write(108, 0) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.write(166, 20, 0) is ExceptionCode.ILLEGAL_ADDRESS
    assert [write.address for write in cast("WatchedDevice", east.device).attempts] == [108, 166]
    assert east.device.writes == []


def test_the_battery_keeps_its_reserve() -> None:
    east = bench(LOW, pv_watts=0)
    assert east.inverter.settings.battery is not None

    assert east.read(117) == east.inverter.controls.reserve_percent == east.inverter.settings.battery.reserve_percent


def test_without_a_battery_its_readings_are_0() -> None:
    east = MakeBench(LOW, PV_ONLY, 3000, little=True).run(10)

    assert [east.read(at) for at in (111, 587, 588, 590, 516)] == [2, 0, 0, 0, 0]
    assert (east.read(672), east.read(145)) == (1800, 1)


@pytest.mark.parametrize("make", [LOW, HIGH])
def test_holes_are_0_and_what_is_not_there_is_refused(make: str) -> None:
    east = bench(make)

    assert east.device.functions == {3, 6, 16}
    assert east.read(799) == 0
    assert east.device.read(800, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.read_inputs(590, 1) is ExceptionCode.ILLEGAL_ADDRESS
