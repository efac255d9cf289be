"""An AlphaESS SMILE shows what it does in blocks of holding registers, and takes no write, no dispatch either."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

DISPATCH = 0x0880


def bench(pv_watts: float = 3000, soc_percent: float = 50.0) -> MakeBench:
    east = MakeBench("alphaess-smile", HYBRID, pv_watts)
    east.inverter.set_soc(soc_percent)
    return east.run(10)


def test_it_says_who_it_is() -> None:
    east = bench()

    assert letters(east.device.read(0x064A, 15)).startswith("AC4051")
    assert letters(east.device.read(0x0743, 8)).startswith("ALA0021")
    assert (east.read(0x0801, 2), east.read(0x0119)) == (6000, 100)


def test_the_battery_discharges_with_a_plus() -> None:
    east = bench()

    assert east.read(0x0126, signed=True) == pytest.approx(-3000, abs=5)
    assert east.read(0x0101, signed=True) == pytest.approx(-75, abs=1)
    assert east.read(0x0102) == round(10 * (east.inverter.soc_percent or 0))
    assert [east.read(at) for at in (0x0100, 0x0111, 0x0112, 0x011B, 0x0850)] == [4000, 125, 100, 1000, 5]
    assert [east.read(at) for at in (0x010D, 0x0110)] == [200, 200]


def test_ac_power_goes_out_with_a_plus() -> None:
    east = bench(soc_percent=100)

    assert east.read(0x040C, 2, signed=True) == round(east.ac_watts) == 2910
    assert [east.read(at, 2) for at in (0x0406, 0x0408, 0x040A)] == [970, 970, 970]
    assert [east.read(at) for at in (0x0400, 0x0403, 0x041C, 0x0435, 0x0440)] == [2300, 42, 5000, 385, 1]
    assert [east.read(at, 2) for at in (0x0021, 0x00A1)] == [0, 0]


def test_pv_is_told_by_string_and_in_all() -> None:
    east = bench()

    assert [east.read(at, 2) for at in (0x0453, 0x041F, 0x0423, 0x0427, 0x0433)] == [3000, 1800, 1200, 0, 0]
    assert [east.read(at) for at in (0x041D, 0x0421, 0x0425)] == [5800, 5800, 0]


def test_energies_are_in_tenths_of_a_kwh() -> None:
    east = bench()
    east.inverter.pv_wh, east.inverter.charged_wh, east.inverter.discharged_wh = 7e6, 2e6, 1e6

    assert [east.read(at, 2) for at in (0x043E, 0x0120, 0x0122)] == [70000, 20000, 10000]


def test_it_refuses_every_write_a_dispatch_too_and_counts_them() -> None:
    east = bench()

    assert east.write(0x084F, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.write(DISPATCH, 1, 0, 34000, 0, 32000, 2, 25, 0, 90, 255, 0) is ExceptionCode.ILLEGAL_ADDRESS
    assert [write.address for write in cast("WatchedDevice", east.device).attempts] == [0x084F, DISPATCH]
    assert east.run(10).battery_watts == pytest.approx(3000, abs=5)


def test_without_a_battery_its_readings_are_0() -> None:
    east = MakeBench("alphaess-smile", PV_ONLY, 3000).run(10)

    assert [east.read(at) for at in (0x0100, 0x0102, 0x0126)] == [0, 0, 0]
    assert east.read(0x0453, 2) == 3000


def test_registers_outside_of_its_blocks_are_refused() -> None:
    east = bench()

    assert east.device.read(0x0037, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.read(0x0455, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.functions == {3, 6, 16}
