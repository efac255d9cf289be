"""FoxESS hybrids of two generations obey their remote control: watchdog, AC port, lost PV, limits, readings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench, letters
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

H3, SMART = "foxess-h3", "foxess-h3-smart"
REMOTE = {H3: 44000, SMART: 46001}
TIMEOUT = {H3: 44001, SMART: 46002}
WATTS = {H3: 44002, SMART: 46003}
WORK_MODE = {H3: 41000, SMART: 49203}
CHARGE_AMPS = {H3: 41007, SMART: 46607}
SOC_MAX, SOC_MIN_ON_GRID = {H3: 41010, SMART: 46610}, {H3: 41011, SMART: 46611}
BACK_UP = {H3: 2, SMART: 3}
BATTERY_WATTS = {H3: (31036, 1), SMART: (39237, 2)}
ILLEGAL_ADDRESS, ILLEGAL_VALUE = ExceptionCode.ILLEGAL_ADDRESS, ExceptionCode.ILLEGAL_VALUE
OWN_WATTS = 1000
"""What the battery does by itself in this light."""

both = pytest.mark.parametrize("make", [H3, SMART])


def bench(make: str, pv_watts: float = 1000) -> MakeBench:
    return MakeBench(make, HYBRID, pv_watts)


def remote(make: str, watts: int, *, on: int = 1, timeout_s: int = 60, pv_watts: float = 1000) -> MakeBench:
    """A device that was told so, register by register."""
    east = bench(make, pv_watts).put((TIMEOUT[make], timeout_s), (REMOTE[make], on))
    assert east.write_long(WATTS[make], watts) is None
    return east


@both
@pytest.mark.parametrize(
    ("watts", "expected_battery_watts"),
    [(2000, 1000 - 2000 / 0.97), (-2000, 1000 + 2000 * 0.97), (-500, 1000 + 500 * 0.97), (970, 0)],
)
def test_remote_power_is_that_of_the_ac_port_giving_positive(
    make: str, watts: int, expected_battery_watts: float
) -> None:
    east = remote(make, watts).run(10)

    assert east.ac_watts == pytest.approx(watts, abs=5)
    assert east.battery_watts == pytest.approx(expected_battery_watts, abs=5)


@both
@pytest.mark.parametrize(("watts", "left_pv_watts"), [(0, 0), (500, 500 / 0.97)])
def test_giving_less_than_the_pv_makes_loses_pv_and_charges_nothing(
    make: str, watts: int, left_pv_watts: float
) -> None:
    east = remote(make, watts).run(10)

    assert east.inverter.state.pv_watts == pytest.approx(left_pv_watts, abs=5)
    assert east.battery_watts == pytest.approx(0, abs=5)


@both
def test_the_watchdog_ends_it_and_leaves_the_power_where_it_was(make: str) -> None:
    east = remote(make, 2000, timeout_s=20).run(19)
    assert east.ac_watts == pytest.approx(2000, abs=5)

    assert east.run(11).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert (east.read(REMOTE[make]), east.read(WATTS[make], 2)) == (0, 2000)


@both
@pytest.mark.parametrize("renewed", ["power", "timeout", "switch"])
def test_each_of_its_registers_renews_the_watchdog(make: str, renewed: str) -> None:
    east = remote(make, 2000, timeout_s=20).run(15)
    if renewed == "power":
        assert east.write_long(WATTS[make], 2000) is None
    else:
        east.put((TIMEOUT[make], 20) if renewed == "timeout" else (REMOTE[make], 1))

    assert east.run(15).ac_watts == pytest.approx(2000, abs=5)


@both
def test_power_without_the_switch_does_nothing_and_neither_does_a_time_out_of_nothing(make: str) -> None:
    assert remote(make, 3000, on=0).run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)

    east = remote(make, 3000, timeout_s=0).run(10)
    assert east.battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read(REMOTE[make]) == 0


@both
def test_remote_control_keeps_the_minimum_soc_and_currents_but_not_the_maximum(make: str) -> None:
    east = remote(make, 3000).put((SOC_MIN_ON_GRID[make], 60))
    assert east.run(10).battery_watts == pytest.approx(0, abs=1)

    east = remote(make, -3000).put((SOC_MAX[make], 40))
    assert east.run(10).battery_watts > 3000
    assert east.put((CHARGE_AMPS[make], 30)).run(10).battery_watts == pytest.approx(1200, abs=5)
    assert east.put((REMOTE[make], 0)).run(10).battery_watts == pytest.approx(0, abs=1)


@both
def test_back_up_does_not_discharge(make: str) -> None:
    east = bench(make).put((WORK_MODE[make], BACK_UP[make]))

    assert east.inverter.controls.low_watts == 0
    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)


@both
def test_it_forgets_remote_control_when_it_starts_anew(make: str) -> None:
    east = remote(make, 2000).run(5)
    east.device.restart_controls()  # type: ignore[attr-defined]

    assert make == H3 or east.read(46007) == 0
    assert east.run(10).battery_watts == pytest.approx(OWN_WATTS, abs=5)
    assert east.read(REMOTE[make]) == 0


@pytest.mark.parametrize(
    ("on", "watts", "expected_watts"),
    [(0b0101, 2000, -2000), (0b0101, -2000, 2000), (0b0111, 2000, 2000), (0b0111, -2000, -2000), (0b0101, 0, 0)],
)
def test_a_smart_one_controls_the_battery_itself_where_it_is_told_so(
    on: int, watts: int, expected_watts: float
) -> None:
    east = remote(SMART, watts, on=on).run(10)

    assert east.battery_watts == pytest.approx(expected_watts, abs=5)
    assert east.inverter.state.pv_watts == pytest.approx(1000, abs=5)


def test_a_smart_one_takes_its_block_at_once_and_counts_down() -> None:
    east = bench(SMART)
    assert east.write(REMOTE[SMART], 0b0011, 60, 0, 2000) is None

    assert east.run(10).ac_watts == pytest.approx(-2000, abs=5)
    assert east.read(46007) in (50, 51)


@pytest.mark.parametrize(
    ("make", "address", "words", "refusal"),
    [
        (H3, 44000, (1, 60), ILLEGAL_ADDRESS),
        (H3, 44001, (60, 0, 2000), ILLEGAL_ADDRESS),
        (H3, 44002, (2000,), ILLEGAL_ADDRESS),
        (SMART, 46003, (2000,), ILLEGAL_ADDRESS),
        (H3, 44000, (2,), ILLEGAL_VALUE),
        (SMART, 46001, (0b1001,), ILLEGAL_VALUE),
        (SMART, 49203, (6,), ILLEGAL_VALUE),
        (H3, 41009, (9,), ILLEGAL_VALUE),
    ],
)
def test_wrong_writes_are_refused(make: str, address: int, words: tuple[int, ...], refusal: ExceptionCode) -> None:
    assert bench(make).write(address, *words) is refusal


def test_settings_of_a_h3_are_read_alone() -> None:
    east = bench(H3)

    assert east.device.read(41009, 2) is ILLEGAL_ADDRESS
    assert east.device.read(41012, 1) is ILLEGAL_ADDRESS
    assert east.read(41009) == 10


def test_the_name_of_a_h3_has_one_letter_a_register_and_a_space_before_it() -> None:
    words = bench(H3).device.read(30000, 16)

    assert isinstance(words, tuple)
    assert "".join(map(chr, words)).rstrip("\0") == " H3-5.0-E"


def test_a_smart_one_says_who_it_is_and_how_strong() -> None:
    east = bench(SMART)

    assert letters(east.device.read(30000, 16)) == "H3-5.0-SMART"
    assert letters(east.device.read(30016, 16)).startswith("60BH")
    assert east.read(39053, 2) == 5000
    assert east.device.read(37612, 26) is ILLEGAL_ADDRESS


@both
def test_battery_power_is_positive_while_it_discharges(make: str) -> None:
    east = remote(make, 2000).run(10)
    address, words = BATTERY_WATTS[make]

    assert east.read(address, words, signed=True) == pytest.approx(-east.battery_watts, abs=1)


def test_measurements() -> None:
    old, new = remote(H3, -2000).run(10), remote(SMART, -2000).run(10)

    assert sum(old.read(at, signed=True) for at in (31012, 31013, 31014)) == pytest.approx(-2000, abs=5)
    assert old.read(31002) + old.read(31005) == 1000
    assert old.read(31038) == new.read(37612) == 50
    assert new.read(39134, 2, signed=True) == pytest.approx(-2000, abs=5)
    assert new.read(39118, 2) == new.read(39279, 2) + new.read(39281, 2) == 1000
    assert new.read(39063) == 4


@both
def test_without_a_battery_there_is_no_remote_control(make: str) -> None:
    east = MakeBench(make, PV_ONLY, 7000)

    assert east.write(REMOTE[make], 1) is ILLEGAL_ADDRESS
    assert east.run(10).ac_watts == pytest.approx(7000 * 0.97, abs=5)


@settings(max_examples=50, deadline=None)
@given(
    make=st.sampled_from([H3, SMART]), timeout_s=st.integers(0, 60), rests_s=st.lists(st.integers(1, 90), max_size=4)
)
def test_it_lasts_exactly_for_the_time_out_after_the_last_write(make: str, timeout_s: int, rests_s: list[int]) -> None:
    east = bench(make).put((TIMEOUT[make], timeout_s))
    left_s = 0
    for rest_s in rests_s:
        east.put((REMOTE[make], 1))
        east.device.advance(rest_s)
        left_s = timeout_s - rest_s
    assert (east.read(REMOTE[make]) == 1) == (left_s > 0)
