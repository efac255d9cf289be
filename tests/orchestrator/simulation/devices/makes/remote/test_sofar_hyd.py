"""A Sofar HYD in passive mode: the grid and a window for the battery, whole blocks, its silence, and what it shows."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.makes.remote.sofar.hyd import SofarHyd
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.network.modbus import Request, answer
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

SWITCH, LIMITED, MODE, TIMEOUT, POWERS = 0x1104, 0x1105, 0x1110, 0x1184, 0x1187
SELF_USE, PASSIVE = 0, 3
STANDBY, RETURN = 0, 1
OWN_WATTS = 1000
"""What the battery does by itself in this light."""


def long(number: int) -> tuple[int, int]:
    return number >> 16 & 0xFFFF, number & 0xFFFF


def sofar(east: MakeBench) -> SofarHyd:
    assert isinstance(east.device, SofarHyd)
    return east.device


def bench(pv_watts: float = 1000, *, load_watts: float = 0.0) -> MakeBench:
    east = MakeBench("sofar-hyd", HYBRID, pv_watts)
    sofar(east).load_watts = load_watts
    return east


def passive(
    grid_watts: int, least_watts: int, most_watts: int, *, load_watts: float = 0.0, timeout: tuple[int, int] = (0, 0)
) -> MakeBench:
    """A device in passive mode that was told these powers, + drawing and charging."""
    east = bench(load_watts=load_watts)
    assert east.write(TIMEOUT, *timeout) is None
    assert east.write(POWERS, *long(grid_watts), *long(least_watts), *long(most_watts)) is None
    return east.put((MODE, PASSIVE))


@pytest.mark.parametrize("watts", [3000, 0, -2000])
def test_a_window_of_one_power_is_what_the_battery_does(watts: int) -> None:
    assert passive(0, watts, watts, load_watts=700).run(10).battery_watts == pytest.approx(watts, abs=5)


@pytest.mark.parametrize(
    ("grid_watts", "least_watts", "most_watts", "expected_watts"),
    [
        (0, -15000, 15000, 1000 - 700 / 0.97),
        (-500, -15000, 15000, 1000 - 1200 / 0.97),
        (1000, -15000, 15000, 1000 + 300 * 0.97),
        (0, 0, 100, 100),
        (-5000, 0, 15000, 0),
        (0, 3500, 5000, 3500),
    ],
)
def test_the_grid_is_brought_to_its_power_as_far_as_the_window_of_the_battery_goes(
    grid_watts: int, least_watts: int, most_watts: int, expected_watts: float
) -> None:
    east = passive(grid_watts, least_watts, most_watts, load_watts=700).run(10)

    assert east.battery_watts == pytest.approx(expected_watts, abs=5)


def test_what_neither_battery_nor_house_takes_is_fed_in() -> None:
    assert passive(0, 0, 100, load_watts=700).run(10).ac_watts == pytest.approx(900 * 0.97, abs=5)


def test_powers_mean_nothing_in_self_use() -> None:
    assert passive(0, 3000, 3000).put((MODE, SELF_USE)).run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


def test_without_a_time_out_it_stays_for_ever_even_when_it_starts_anew() -> None:
    east = passive(0, -500, -500)
    east.device.restart_controls()  # type: ignore[attr-defined]

    assert east.run(600).battery_watts == pytest.approx(-500, abs=5)


@pytest.mark.parametrize(("action", "expected_watts", "mode"), [(STANDBY, 0, PASSIVE), (RETURN, OWN_WATTS, SELF_USE)])
def test_after_a_silence_it_rests_or_goes_back(action: int, expected_watts: float, mode: int) -> None:
    east = passive(0, -2000, -2000, timeout=(30, action)).run(29)
    assert east.battery_watts == pytest.approx(-2000, abs=5)

    assert east.run(11).battery_watts == pytest.approx(expected_watts, abs=5)
    assert east.read(MODE) == mode


def test_reading_is_enough_to_be_heard() -> None:
    east = passive(0, -2000, -2000, timeout=(30, RETURN))
    for _ in range(4):
        east.run(20).read(0x0404)

    assert east.battery_watts == pytest.approx(-2000, abs=5)


def test_new_powers_wake_it_from_standby() -> None:
    east = passive(0, -2000, -2000, timeout=(30, STANDBY)).run(40)
    assert east.write(POWERS, *long(0), *long(1500), *long(1500)) is None

    assert east.run(10).battery_watts == pytest.approx(1500, abs=5)


@pytest.mark.parametrize(
    ("address", "words"),
    [(POWERS, long(0) + long(500)), (0x1189, long(500) + long(500)), (TIMEOUT, (30,)), (LIMITED, (1,)), (0x1106, (0,))],
)
def test_half_a_block_is_answered_and_ignored(address: int, words: tuple[int, ...]) -> None:
    east = passive(0, -2000, -2000)
    before = east.device.read(address, len(words))

    assert east.write(address, *words) is None
    assert east.device.read(address, len(words)) == before
    assert east.run(10).battery_watts == pytest.approx(-2000, abs=5)


def test_least_above_most_is_refused() -> None:
    assert bench().write(POWERS, *long(0), *long(10), *long(9)) is ExceptionCode.ILLEGAL_VALUE
    assert bench().write(MODE, 6) is ExceptionCode.ILLEGAL_VALUE


def test_function_6_is_not_known() -> None:
    request = Request(1, 1, struct.pack(">BHH", 6, MODE, PASSIVE))

    assert answer(bench().device, request, 0.0) == bytes([6 | 0x80, 1])


def test_the_ac_limit_holds_while_it_is_switched_on() -> None:
    east = bench(5000).put((MODE, PASSIVE))
    assert east.write(LIMITED, 1, 300) is None
    assert east.run(10).ac_watts == pytest.approx(1500, abs=5)

    assert east.write(LIMITED, 0, 300) is None
    assert east.run(10).ac_watts > 4800


def test_it_can_be_switched_off() -> None:
    east = bench()
    east.inverter.set_soc(100)
    assert east.run(10).ac_watts == pytest.approx(970, abs=5)

    assert east.put((SWITCH, 0)).run(10).ac_watts == 0


def test_measurements_and_names() -> None:
    east = passive(0, 3000, 3000, load_watts=700).run(10)

    assert letters(east.device.read(0x0445, 7)).startswith("SP1ES")
    assert east.read(0x06ED) == 50
    assert east.read(0x0485, signed=True) == round(east.ac_watts / 10)
    assert east.read(0x0488, signed=True) == round((east.ac_watts - 700) / 10)
    assert sum(east.read(at, signed=True) for at in (0x048F, 0x049A, 0x04A5)) == pytest.approx(-206, abs=2)
    assert east.read(0x0606, signed=True) == 300
    assert (east.read(0x05C4), east.read(0x0586), east.read(0x0589)) == (10, 60, 40)
    assert (east.read(0x0608), east.read(0x0668), east.read(0x104F), east.read(0x0404)) == (50, 50, 25, 2)


def test_without_a_battery_there_is_no_mode() -> None:
    east = MakeBench("sofar-hyd", PV_ONLY, 7000)

    assert east.write(MODE, PASSIVE) is ExceptionCode.ILLEGAL_ADDRESS
    assert east.write(LIMITED, 1, 500) is None
    assert east.run(10).ac_watts == pytest.approx(4000, abs=5)


@settings(max_examples=50, deadline=None)
@given(timeout_s=st.integers(0, 60), rests_s=st.lists(st.integers(1, 90), max_size=4))
def test_it_goes_back_exactly_when_a_silence_was_as_long_as_its_time_out(timeout_s: int, rests_s: list[int]) -> None:
    east = passive(0, 0, 0, timeout=(timeout_s, RETURN))
    for rest_s in rests_s:
        east.device.advance(rest_s)
        east.read(0x0404)
    longest_s = max(rests_s, default=0)
    assert (east.read(MODE) == PASSIVE) == (timeout_s == 0 or longest_s < timeout_s)
