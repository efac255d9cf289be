"""A SAJ H2 shows what it does in blocks of holding registers, and takes no write."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY


def bench(pv_watts: float = 3000, soc_percent: float = 50.0) -> MakeBench:
    east = MakeBench("saj-h2", HYBRID, pv_watts)
    east.inverter.set_soc(soc_percent)
    return east.run(10)


def test_it_says_who_it_is() -> None:
    east = bench()

    assert letters(east.device.read(0x8F03, 10)).startswith("HST")
    assert letters(east.device.read(0x8F0D, 10)).startswith("201-")
    assert (east.read(0x8F00), east.read(0x8F02)) == (0x11, 1000)


def test_the_battery_discharges_with_a_plus() -> None:
    east = bench()

    assert east.read(0x40A6, signed=True) == pytest.approx(-3000, abs=5)
    assert east.read(0xA00F, signed=True) == pytest.approx(-750, abs=2)
    assert east.read(0x406F) == east.read(0xA00C) == round(100 * (east.inverter.soc_percent or 0))
    assert [east.read(at) for at in (0x4096, 0xA000, 0xA001, 0xA00D, 0xA00E)] == [0xFFFF, 1, 25, 10000, 4000]
    assert [east.read(at) for at in (0x406E, 0xA010, 0xA036, 0xA037)] == [200, 200, 100, 125]


def test_ac_power_goes_out_with_a_plus() -> None:
    east = bench(soc_percent=100)

    assert east.read(0x40A9, signed=True) == round(east.ac_watts) == 2910
    assert [east.read(at) for at in (0x40AA, 0x40A7, 0x4049, 0x404E, 0x4035, 0x403C)] == [
        2910,
        2910,
        970,
        970,
        970,
        970,
    ]
    assert [east.read(at) for at in (0x40A0, 0x40A1, 0x40AD, 0x4096)] == [0, 0, 0, 0]
    assert [east.read(at) for at in (0x4004, 0x4010, 0x4033, 0x4048)] == [2, 385, 5000, 5000]


def test_pv_is_told_by_string_and_in_all() -> None:
    east = bench()

    assert [east.read(at) for at in (0x40A5, 0x4073, 0x4076, 0x4079)] == [3000, 1800, 1200, 0]
    assert [east.read(at) for at in (0x4071, 0x4074, 0x4077)] == [5800, 5800, 0]


def test_energies_are_in_hundredths_of_a_kwh() -> None:
    east = bench()
    east.inverter.pv_wh, east.inverter.charged_wh, east.inverter.discharged_wh = 7e6, 2e6, 1e6

    assert [east.read(at, 2) for at in (0x40C5, 0x40CD, 0x40D5)] == [700000, 200000, 100000]


def test_it_refuses_every_write_and_counts_them() -> None:
    east = bench()

    assert east.write(0x3647, 3) is ExceptionCode.ILLEGAL_ADDRESS
    assert [write.address for write in cast("WatchedDevice", east.device).attempts] == [0x3647]


def test_without_a_battery_its_readings_are_0() -> None:
    east = MakeBench("saj-h2", PV_ONLY, 3000).run(10)

    assert [east.read(at) for at in (0x40A6, 0x406F, 0xA000, 0xA00C)] == [0, 0, 0, 0]
    assert east.read(0x40A5) == 3000


def test_registers_outside_of_its_blocks_are_refused() -> None:
    east = bench()

    assert east.device.read(0x40AE, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.read(0xA038, 1) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.device.functions == {3, 6, 16}
