"""A SolaX G4 obeys its remote control: blocks, times, lock, AC port against battery, and what it shows."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.network.modbus import Request, answer
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

LOCK, BLOCK, BLOCK_8 = 0x0000, 0x7C, 0xA0
AC_LIMIT, USE_MODE, MANUAL_MODE, CHARGE_AMPS, SOC_MIN = 0x11, 0x1F, 0x20, 0x24, 0x61
AC_POWER, PUSH, ZERO, SELF, CHARGE_ONLY, PV_AND_BATTERY = 1, 4, 5, 6, 7, 8
OWN_WATTS = 1000
"""What the battery does by itself in this light."""


def bench(pv_watts: float = 1000, *, unlocked: bool = True) -> MakeBench:
    east = MakeBench("solax-gen4", HYBRID, pv_watts, little=True)
    return east.put((LOCK, 2014)) if unlocked else east


def long(number: int) -> tuple[int, int]:
    return number & 0xFFFF, number >> 16 & 0xFFFF


def block(mode: int, draw_watts: int = 0, duration_s: int = 0, timeout_s: int = 0) -> tuple[int, ...]:
    """0x7C to 0x88."""
    return (mode, 1, *long(draw_watts), 0, 0, duration_s, 0, 0, 0, 0, 0, timeout_s)


def commanded(mode: int, watts: int = 0, *, times_s: tuple[int, int] = (60, 0), pv_watts: float = 1000) -> MakeBench:
    """A device that was sent the block of a mode; `watts` draws from AC in mode 1, and discharges in all others."""
    east = bench(pv_watts)
    if mode == PV_AND_BATTERY:
        words = (mode, 1, *long(6000), *long(watts), *times_s)
        assert east.write(BLOCK_8, *words) is None
    elif mode == AC_POWER:
        assert east.write(BLOCK, *block(mode, watts, *times_s)) is None
    else:
        assert east.write(BLOCK, *block(mode, 0, *times_s), *long(watts)) is None
    return east


@pytest.mark.parametrize(
    ("draw_watts", "expected_watts"),
    [(0, 1000), (2000, 1000 + 2000 * 0.97), (-2000, 1000 - 2000 / 0.97), (-970, 0)],
)
def test_mode_1_is_about_the_ac_port_and_the_battery_makes_up_for_the_pv(
    draw_watts: int, expected_watts: float
) -> None:
    east = commanded(AC_POWER, draw_watts).run(10)

    assert east.ac_watts == pytest.approx(-draw_watts, abs=5)
    assert east.battery_watts == pytest.approx(expected_watts, abs=5)


def test_mode_1_loses_the_pv_that_fits_neither_ac_nor_the_battery() -> None:
    east = commanded(AC_POWER, -500, pv_watts=4000)
    east.inverter.set_soc(100)

    assert east.run(10).ac_watts == pytest.approx(500, abs=5)
    assert east.inverter.state.pv_watts == pytest.approx(500 / 0.97, abs=5)


@pytest.mark.parametrize(
    ("mode", "watts", "expected_watts"),
    [
        (PUSH, 2000, -2000),
        (PUSH, -3000, 3000),
        (PUSH, 0, 0),
        (ZERO, 2000, 0),
        (SELF, 2000, OWN_WATTS),
        (CHARGE_ONLY, 0, OWN_WATTS),
        (PV_AND_BATTERY, 2000, -2000),
        (PV_AND_BATTERY, -3000, 3000),
    ],
)
def test_the_other_modes_are_about_the_battery_discharging_positive(
    mode: int, watts: int, expected_watts: float
) -> None:
    assert commanded(mode, watts).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_mode_8_limits_the_pv_too() -> None:
    east = bench(5000)
    assert east.write(BLOCK_8, PV_AND_BATTERY, 1, *long(1500), *long(-500), 60, 0) is None

    assert east.run(10).inverter.state.pv_watts == pytest.approx(1500, abs=5)
    assert east.battery_watts == pytest.approx(500, abs=5)


def test_mode_1_ends_after_its_duration_and_its_time_out() -> None:
    east = commanded(AC_POWER, -3000, times_s=(20, 10)).run(29)

    assert east.ac_watts == pytest.approx(3000, abs=5)
    assert east.read_input(0x100) == AC_POWER
    assert east.run(11).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read_input(0x100) == 0


def test_mode_1_without_a_duration_never_begins() -> None:
    east = commanded(AC_POWER, -3000, times_s=(0, 0)).run(10)

    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read_input(0x100) == 0


@pytest.mark.parametrize("mode", [PUSH, PV_AND_BATTERY])
def test_the_other_modes_ignore_their_duration_and_never_end_without_a_time_out(mode: int) -> None:
    assert commanded(mode, 500, times_s=(20, 0)).run(200).battery_watts == pytest.approx(-500, abs=5)
    assert commanded(mode, 500, times_s=(20, 60)).run(70).battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_mode_0_alone_ends_every_mode() -> None:
    east = commanded(PV_AND_BATTERY, 2000).run(5)

    assert east.write(BLOCK, 0) is None
    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (BLOCK, block(AC_POWER, 1000, 60)[:-1]),
        (BLOCK, block(AC_POWER, 1000, 60)[:7]),
        (BLOCK, block(PUSH)),
        (BLOCK, (AC_POWER,)),
        (BLOCK, block(2)),
        (BLOCK, block(PV_AND_BATTERY)),
        (0x7E, long(1000)),
        (BLOCK_8, (PV_AND_BATTERY, 1, *long(6000), *long(0), 60)),
        (AC_LIMIT, (101,)),
        (SOC_MIN, (9,)),
    ],
)
def test_a_block_that_is_not_whole_and_values_out_of_range_are_refused(address: int, words: tuple[int, ...]) -> None:
    east = bench()

    assert east.write(address, *words) is ExceptionCode.ILLEGAL_VALUE
    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_while_it_is_locked_everything_but_the_password_is_refused() -> None:
    east = bench(unlocked=False)

    assert east.read_input(0x54) == 0
    assert east.write(BLOCK, *block(AC_POWER, 1000, 60)) is ExceptionCode.DEVICE_FAILURE
    assert east.write(USE_MODE, 0) is ExceptionCode.DEVICE_FAILURE
    assert east.put((LOCK, 6868)).read_input(0x54) == 2
    assert east.put((LOCK, 1234)).read_input(0x54) == 0
    assert east.put((LOCK, 2014)).read_input(0x54) == 1


def test_it_is_locked_again_when_it_starts_anew() -> None:
    east = commanded(PUSH, 2000).run(5)
    east.device.restart_controls()  # type: ignore[attr-defined]

    assert east.read_input(0x54) == 0
    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_the_block_is_written_by_function_16_alone_and_settings_by_function_6() -> None:
    east = bench()
    one = struct.pack(">BHH", 6, BLOCK, AC_POWER)
    many = struct.pack(">BHHBH", 16, USE_MODE, 1, 2, 0)

    assert answer(east.device, Request(1, 1, one), 0.0) == bytes([6 | 0x80, 2])
    assert answer(east.device, Request(1, 1, many), 0.0) == bytes([16 | 0x80, 2])


def test_what_is_written_is_not_what_is_read_at_that_address() -> None:
    east = commanded(AC_POWER, 2000).put((USE_MODE, 3), (AC_LIMIT, 80), (SOC_MIN, 20), (CHARGE_AMPS, 50))

    assert (east.read(BLOCK), east.read(USE_MODE)) == (0, 0)
    assert (east.read(0x8B), east.read(0x25), east.read(0x93) >> 8, east.read(0x90)) == (3, 80, 20, 50)
    assert east.read_input(0x102, 2, signed=True) == 2000


def test_the_minimum_soc_counts_in_its_own_modes_and_not_under_remote_control() -> None:
    east = bench(0).put((SOC_MIN, 60), (USE_MODE, 3), (MANUAL_MODE, 2))
    assert east.run(10).battery_watts == pytest.approx(0, abs=1)

    assert east.write(BLOCK, *block(PUSH), *long(2000)) is None
    assert east.run(10).battery_watts == pytest.approx(-2000, abs=5)


@pytest.mark.parametrize(("manual", "expected_watts"), [(0, 0), (1, 5000), (2, -4000)])
def test_manual_mode_does_all_or_nothing(manual: int, expected_watts: float) -> None:
    east = bench().put((MANUAL_MODE, manual), (USE_MODE, 3))

    assert east.run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_currents_bound_the_battery_and_percents_the_ac_power() -> None:
    east = commanded(PUSH, -3000, pv_watts=5000).put((CHARGE_AMPS, 25), (AC_LIMIT, 40)).run(10)

    assert east.battery_watts == pytest.approx(1000, abs=5)
    assert east.ac_watts == pytest.approx(2000, abs=5)


def test_measurements_ratings_and_names() -> None:
    east = commanded(PUSH, -3000).run(10)

    assert letters(east.device.read(0x0000, 7)).startswith("H34B05")
    assert letters(east.device.read(0x0007, 7)) == "solax"
    assert letters(east.device.read(0x000E, 7)) == "X3-Hybrid-G4"
    assert east.read(0xBA) == 5000
    assert east.read_input(0x16, signed=True) == pytest.approx(3000, abs=5)
    assert east.read_input(0x34, 2, signed=True) == round(east.ac_watts)
    phases = sum(east.read_input(at, signed=True) for at in (0x6C, 0x70, 0x74))
    assert phases == pytest.approx(east.ac_watts, abs=3)
    assert east.read_input(0x0A) + east.read_input(0x0B) == east.read_input(0x32, 2) == 1000
    assert east.read_input(0x1C) == 50
    assert (east.read_input(0x26, 2), east.read_input(0xA2, 2), east.read_input(0xA4, 2)) == (10000, 5000, 4000)
    assert (east.read_input(0x09), east.read_input(0x19)) == (2, 1)


def test_without_a_battery_there_is_no_remote_control() -> None:
    east = MakeBench("solax-gen4", PV_ONLY, 7000, little=True).put((LOCK, 2014), (AC_LIMIT, 50))

    assert east.write(BLOCK, *block(AC_POWER, 0, 60)) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.run(20).ac_watts == pytest.approx(4000, abs=5)
    assert east.device.read_inputs(0x0122, 1) is ExceptionCode.ILLEGAL_ADDRESS


@settings(max_examples=50, deadline=None)
@given(times_s=st.tuples(st.integers(0, 30), st.integers(0, 30)), rests_s=st.lists(st.integers(1, 70), max_size=4))
def test_mode_1_holds_exactly_for_its_two_times_after_the_last_block(
    times_s: tuple[int, int], rests_s: list[int]
) -> None:
    east = bench()
    left_s = 0
    for rest_s in rests_s:
        assert east.write(BLOCK, *block(AC_POWER, 1000, *times_s)) is None
        east.device.advance(rest_s)
        left_s = sum(times_s) - rest_s
    assert (east.read_input(0x100) == AC_POWER) == (left_s > 0)
