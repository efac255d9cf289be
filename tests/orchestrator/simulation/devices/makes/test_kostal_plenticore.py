"""A KOSTAL PLENTICORE: external battery control, each value of it for 60 s, and the AC limit of model 123.

The battery charges with up to 5000 W and discharges with up to 4000 W; the inverter is one of 5000 W.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.makes.kostal.plenticore import NO_EXTERNAL_CONTROL, KostalPlenticore
from orchestrator.simulation.devices.plain.words import F32, I16, U16
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import letters
from tests.support.devices.typed_bench import TypedBench
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

MAKE = "kostal-plenticore"
SET_POINT, MOST_CHARGE, MOST_DISCHARGE, LEAST_SOC, MOST_SOC = 1034, 1038, 1040, 1042, 1044
LIMIT, LIMIT_ENABLED = 40217, 40221


def plenticore(pv_watts: float = 3000, commands: dict[int, float] | None = None) -> TypedBench:
    """A hybrid that was given these floats, each in a request of its own."""
    bench = TypedBench(MAKE, HYBRID, pv_watts, little=True)
    for address, value in (commands or {}).items():
        assert bench.set(address, (F32, value)) is None
    return bench


@pytest.mark.parametrize(
    ("intent", "commands", "expected_watts"),
    [
        ("nothing: its own PV charges", {}, 3000),
        ("charge 4 kW, from AC too", {SET_POINT: -4000}, 4000),
        ("discharge 1.5 kW", {SET_POINT: 1500}, -1500),
        ("idle", {SET_POINT: 0}, 0),
        ("hold: no discharge, PV may charge", {MOST_DISCHARGE: 0}, 3000),
        ("no charging", {MOST_CHARGE: 0}, 0),
        ("charge at most 1 kW", {MOST_CHARGE: 1000}, 1000),
        ("a limit caps the set point", {SET_POINT: -4000, MOST_CHARGE: 1000}, 1000),
        ("and in the other direction", {SET_POINT: 3000, MOST_DISCHARGE: 500}, -500),
    ],
)
def test_what_was_written_is_obeyed(intent: str, commands: dict[int, float], expected_watts: float) -> None:
    bench = plenticore(3000, commands).run(10)

    assert bench.battery_watts == pytest.approx(expected_watts, abs=5), intent


def test_a_set_point_beyond_pv_draws_from_ac() -> None:
    bench = plenticore(1000, {SET_POINT: -4000}).run(10)

    assert bench.ac_watts == pytest.approx(-3000 / 0.97, abs=5)
    assert bench.get(172, F32) == pytest.approx(bench.ac_watts)


def test_after_60_s_it_regulates_itself_again() -> None:
    bench = plenticore(3000, {SET_POINT: 1500})
    commanded_watts = bench.run(59).battery_watts

    assert commanded_watts == pytest.approx(-1500, abs=5)
    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)
    assert bench.get(SET_POINT, F32) == 0


def test_a_set_point_that_is_written_again_goes_on() -> None:
    bench = plenticore()
    for _ in range(4):
        bench.set(SET_POINT, (F32, 1500))
        bench.run(30)

    assert bench.battery_watts == pytest.approx(-1500, abs=5)


def test_each_value_lapses_on_its_own() -> None:
    bench = plenticore(3000, {SET_POINT: -4000, MOST_CHARGE: 1000}).run(40)
    bench.set(SET_POINT, (F32, -4000))

    assert bench.run(30).battery_watts == pytest.approx(4000, abs=5)
    assert bench.get(MOST_CHARGE, F32) == 5000


def test_the_least_charge_stops_discharging() -> None:
    bench = plenticore(0, {SET_POINT: 1500, LEAST_SOC: 60})

    assert bench.run(10).battery_watts == 0


def test_the_most_charge_stops_charging() -> None:
    bench = plenticore(3000, {SET_POINT: -1500, MOST_SOC: 40})

    assert bench.run(10).battery_watts == 0


def test_without_the_installers_consent_values_are_taken_and_do_nothing() -> None:
    bench = plenticore()
    assert isinstance(bench.device, KostalPlenticore)
    bench.device.management = NO_EXTERNAL_CONTROL

    assert bench.set(SET_POINT, (F32, 1500)) is None
    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)
    assert (bench.get(SET_POINT, F32), bench.get(1080)) == (1500, 0)


@pytest.mark.parametrize(
    ("address", "kind", "value", "refusal"),
    [
        (SET_POINT, F32, math.nan, ExceptionCode.ILLEGAL_VALUE),
        (SET_POINT, F32, math.inf, ExceptionCode.ILLEGAL_VALUE),
        (MOST_CHARGE, F32, -1, ExceptionCode.ILLEGAL_VALUE),
        (MOST_DISCHARGE, F32, -1, ExceptionCode.ILLEGAL_VALUE),
        (LEAST_SOC, F32, 101, ExceptionCode.ILLEGAL_VALUE),
        (SET_POINT, U16, 0, ExceptionCode.ILLEGAL_ADDRESS),
        (1036, F32, 0, ExceptionCode.ILLEGAL_ADDRESS),
        (1080, U16, 2, ExceptionCode.ILLEGAL_ADDRESS),
        (5, U16, 1, ExceptionCode.ILLEGAL_ADDRESS),
        (LIMIT, U16, 10001, ExceptionCode.ILLEGAL_VALUE),
        (LIMIT_ENABLED, U16, 2, ExceptionCode.ILLEGAL_VALUE),
    ],
)
def test_what_is_not_allowed_is_refused(address: int, kind: object, value: float, refusal: ExceptionCode) -> None:
    bench = plenticore()

    assert bench.set(address, (kind, value)) is refusal  # type: ignore[arg-type]
    assert bench.device.writes == []


def test_floats_have_their_low_word_first() -> None:
    bench = plenticore()

    assert bench.device.read(1068, 2) == (0x4000, 0x461C)
    assert bench.write(SET_POINT, 0x8000, 0x44BB) is None
    assert bench.get(SET_POINT, F32) == 1500


def test_its_battery_power_is_discharging_positive() -> None:
    bench = plenticore(3000, {SET_POINT: -1500}).run(10)

    assert bench.get(582, I16) == pytest.approx(-1500, abs=5)
    assert bench.get(260, F32) + bench.get(270, F32) + bench.get(280, F32) == pytest.approx(3000, abs=5)
    assert bench.get(210, F32) == pytest.approx(bench.inverter.soc_percent)
    assert [bench.get(address, F32) for address in (1068, 1076, 1078)] == [10000, 5000, 4000]
    assert (bench.get(531), bench.get(588), bench.get(5)) == (5000, 4, 0)


def test_the_chain_lies_where_that_of_a_real_one_lies() -> None:
    device = plenticore().device

    for address, header in (
        (40002, (1, 66)),
        (40070, (103, 50)),
        (40122, (113, 60)),
        (40184, (120, 26)),
        (40212, (123, 24)),
        (40238, (160, 68)),
        (40308, (802, 62)),
        (40372, (0xFFFF, 0)),
    ):
        assert device.read(address, 2) == header
    assert [letters(device.read(40004, 16)), letters(device.read(40036, 8))] == ["KOSTAL", " " * 16]


def test_models_113_and_802_say_what_the_own_registers_say() -> None:
    bench = plenticore(3000, {SET_POINT: -1500}).run(10)
    high_word_first = TypedBench(MAKE, HYBRID)
    high_word_first.device = bench.device

    assert high_word_first.get(40144, F32) == pytest.approx(bench.get(172, F32))
    assert high_word_first.get(40308 + 47, I16) == bench.get(582, I16)
    assert high_word_first.get(40308 + 11) == bench.get(514)


def test_an_ac_limit_acts_at_once_and_stays() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    assert bench.set(LIMIT, (U16, 2500)) is None
    limited_watts = bench.run(120).ac_watts
    bench.set(LIMIT, (U16, 10000))

    assert limited_watts == pytest.approx(2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_an_ac_limit_that_is_switched_off_does_nothing() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    bench.set(LIMIT, (U16, 2500))
    bench.set(LIMIT_ENABLED, (U16, 0))

    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_other_points_of_the_chain_take_nothing_and_complain_of_nothing() -> None:
    bench = plenticore()

    assert bench.set(40216, (U16, 0)) is None
    assert bench.get(40216) == 1
    assert bench.device.writes[-1].registers == ()


def test_without_a_battery_it_has_no_battery_control() -> None:
    bench = TypedBench(MAKE, PV_ONLY, little=True)

    assert bench.set(SET_POINT, (F32, 0)) is ExceptionCode.ILLEGAL_ADDRESS
    assert (bench.get(588), bench.get(1080)) == (0, 0)
    assert bench.device.read(40308, 1) == (0xFFFF,)


@given(
    set_point=st.one_of(st.none(), st.integers(-9000, 9000)),
    charge=st.one_of(st.none(), st.integers(0, 9000)),
    discharge=st.one_of(st.none(), st.integers(0, 9000)),
)
def test_the_limits_always_hold(set_point: int | None, charge: int | None, discharge: int | None) -> None:
    asked = {SET_POINT: set_point, MOST_CHARGE: charge, MOST_DISCHARGE: discharge}
    bench = plenticore(3000, {address: value for address, value in asked.items() if value is not None}).run(5)

    assert bench.battery_watts <= min(charge if charge is not None else 5000, 5000) + 1
    assert bench.battery_watts >= -min(discharge if discharge is not None else 4000, 4000) - 1
