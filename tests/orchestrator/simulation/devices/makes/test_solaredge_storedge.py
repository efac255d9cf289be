"""A SolarEdge StorEdge inverter: storage control at 0xE004, its time-out, dynamic power control at 0xF300.

The battery charges with up to 5000 W and discharges with up to 4000 W; the inverter is one of 5000 W.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.plain.words import F32, U16, U32, U64
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import letters
from tests.support.devices.typed_bench import TypedBench
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

MAKE = "solaredge-storedge"
NO_TIMEOUT = 0


def storedge(pv_watts: float = 3000) -> TypedBench:
    return TypedBench(MAKE, HYBRID, pv_watts, little=True)


def commanded(
    mode: int, charge: float, discharge: float, *, pv_watts: float = 3000, timeout: int = NO_TIMEOUT
) -> TypedBench:
    """A device that was given a command in remote control, in one block as its document allows."""
    bench = storedge(pv_watts)
    assert bench.set(0xE004, (U16, 4)) is None
    assert bench.set(0xE00B, (U32, timeout), (U16, mode), (F32, charge), (F32, discharge)) is None
    return bench


@pytest.mark.parametrize(
    ("intent", "mode", "charge", "discharge", "expected_watts"),
    [
        ("released: its own PV charges", 7, 5000, 4000, 3000),
        ("hold: no discharge, PV may charge", 7, 5000, 0, 3000),
        ("charge at most 1 kW", 7, 1000, 4000, 1000),
        ("idle", 0, 5000, 4000, 0),
        ("idle by its limits", 7, 0, 0, 0),
        ("charge from PV first, at most 2 kW", 2, 2000, 0, 2000),
        ("charge from PV that AC cannot take: there is none", 1, 5000, 0, 0),
        ("charge 4 kW, but AC is not allowed", 3, 4000, 0, 3000),
        ("discharge 1.5 kW", 4, 0, 1500, -1500),
        ("discharge for the load, which nobody measures", 5, 0, 1500, 0),
    ],
)
def test_a_command_in_remote_control_does_what_its_document_says(
    intent: str, mode: int, charge: float, discharge: float, expected_watts: float
) -> None:
    bench = commanded(mode, charge, discharge).run(10)

    assert bench.battery_watts == pytest.approx(expected_watts, abs=5), intent


def test_charging_from_ac_needs_the_charge_policy() -> None:
    bench = commanded(3, 4000, 0, pv_watts=1000)
    before_watts = bench.run(10).battery_watts
    bench.set(0xE005, (U16, 1))

    assert before_watts == pytest.approx(1000, abs=5)
    assert bench.run(10).battery_watts == pytest.approx(4000, abs=5)
    assert bench.ac_watts == pytest.approx(-3000 / 0.97, abs=5)


def test_other_modes_do_not_charge_from_ac() -> None:
    bench = commanded(2, 4000, 0, pv_watts=1000)
    bench.set(0xE005, (U16, 1))

    assert bench.run(10).battery_watts == pytest.approx(1000, abs=5)


def test_pv_that_ac_cannot_take_charges_in_mode_1() -> None:
    bench = commanded(1, 5000, 0, pv_watts=6000).run(10)

    assert bench.battery_watts == pytest.approx(6000 - 5000 / 0.97, abs=5)


def test_a_command_before_remote_control_is_lost() -> None:
    bench = storedge()
    bench.set(0xE00D, (U16, 4))
    bench.set(0xE010, (F32, 2000))
    bench.set(0xE004, (U16, 4))

    assert bench.run(10).battery_watts == pytest.approx(0, abs=5)
    assert bench.get(0xE00D) == bench.get(0xE00A) == 0


def test_without_remote_control_a_command_does_nothing() -> None:
    bench = storedge()
    assert bench.set(0xE00D, (U16, 4)) is None

    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)


def test_after_the_time_out_the_default_mode_and_the_greatest_limits_are_back() -> None:
    bench = commanded(4, 0, 1500, timeout=60)
    bench.set(0xE00A, (U16, 7))
    commanded_watts = bench.run(59).battery_watts
    bench.run(10)

    assert commanded_watts == pytest.approx(-1500, abs=5)
    assert bench.battery_watts == pytest.approx(3000, abs=5)
    assert (bench.get(0xE00D), bench.get(0xE00E, F32), bench.get(0xE010, F32)) == (7, 5000, 4000)
    assert bench.get(0xE004) == 4


def test_only_the_command_mode_restarts_the_time() -> None:
    bench = commanded(4, 0, 1500, pv_watts=0, timeout=60).run(40)
    bench.set(0xE010, (F32, 1000))
    lapsed_watts = bench.run(30).battery_watts
    bench.set(0xE00D, (U16, 4))
    bench.run(40)
    bench.set(0xE00D, (U16, 4))

    assert lapsed_watts == pytest.approx(0, abs=5)
    assert bench.run(40).battery_watts == pytest.approx(-4000, abs=5)


def test_leaving_remote_control_gives_the_battery_back_at_once() -> None:
    bench = commanded(4, 0, 1500).run(10)
    bench.set(0xE004, (U16, 1))

    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)


def test_the_backup_reserve_stops_discharging() -> None:
    bench = commanded(4, 0, 1500, pv_watts=0)
    bench.set(0xE008, (F32, 60))

    assert bench.run(10).battery_watts == 0


@pytest.mark.parametrize(
    ("address", "kind", "value", "refusal"),
    [
        (0xE00D, U16, 6, ExceptionCode.ILLEGAL_VALUE),
        (0xE00A, U16, 8, ExceptionCode.ILLEGAL_VALUE),
        (0xE004, U16, 5, ExceptionCode.ILLEGAL_VALUE),
        (0xE005, U16, 4, ExceptionCode.ILLEGAL_VALUE),
        (0xE00B, U32, 86401, ExceptionCode.ILLEGAL_VALUE),
        (0xE008, F32, 101, ExceptionCode.ILLEGAL_VALUE),
        (0xE00E, F32, -1, ExceptionCode.ILLEGAL_VALUE),
        (0xE00E, F32, math.nan, ExceptionCode.ILLEGAL_VALUE),
        (0xE010, F32, math.inf, ExceptionCode.DEVICE_FAILURE),
        (0xE174, F32, 1000, ExceptionCode.ILLEGAL_ADDRESS),
        (0xF304, F32, 1000, ExceptionCode.ILLEGAL_ADDRESS),
        (0xF300, U16, 2, ExceptionCode.ILLEGAL_VALUE),
        (0xF322, F32, 101, ExceptionCode.ILLEGAL_VALUE),
        (0xF318, F32, -2, ExceptionCode.ILLEGAL_VALUE),
    ],
)
def test_what_is_not_allowed_is_refused(address: int, kind: object, value: float, refusal: ExceptionCode) -> None:
    bench = storedge()

    assert bench.set(address, (kind, value)) is refusal  # type: ignore[arg-type]
    assert bench.device.writes == []


def test_half_of_a_long_value_is_refused() -> None:
    assert storedge().set(0xE00E, (U16, 5)) is ExceptionCode.ILLEGAL_ADDRESS


def test_the_low_word_of_a_value_comes_first() -> None:
    bench = storedge()
    bench.set(0xE004, (U16, 4))

    assert bench.write(0xE00B, 0, 60) is ExceptionCode.ILLEGAL_VALUE
    assert bench.write(0xE00B, 60, 0) is None
    assert bench.get(0xE00B, U32) == 60


def test_its_battery_shows_power_charging_positive() -> None:
    bench = commanded(4, 0, 1500).run(10)

    assert bench.get(0xE174, F32) == pytest.approx(-1500, abs=5)
    assert bench.get(0xE186, U32) == 4
    assert bench.get(0xE184, F32) == pytest.approx(bench.inverter.soc_percent)
    assert (bench.get(0xE142, F32), bench.get(0xE144, F32), bench.get(0xE146, F32)) == (10000, 5000, 4000)
    assert bench.get(0xE176, U64) == pytest.approx(bench.inverter.discharged_wh, abs=1)
    assert letters(bench.device.read(0xE130, 16)) == "SIM-east-B1"


def test_dc_power_of_model_103_is_pv_less_charging() -> None:
    bench = commanded(2, 2000, 0).run(10)
    dc_scale = bench.get(40101) - 0x10000

    assert bench.get(40100) * 10**dc_scale == pytest.approx(1000, abs=5)
    assert [letters(bench.device.read(40004, 16)), letters(bench.device.read(40052, 16))] == ["SolarEdge", "SIM-east"]


def test_the_scale_factor_of_ac_power_changes_with_the_power() -> None:
    bench = commanded(7, 0, 0, pv_watts=3000)
    scale_at_3_kw = bench.run(10).get(40084)
    bench.pv_watts = 100

    assert scale_at_3_kw == 0xFFFF
    assert bench.run(10).get(40084) == 0xFFFE


def test_the_chain_has_models_1_and_103_only() -> None:
    device = storedge().device

    assert device.read(40069, 2) == (103, 50)
    assert device.read(40121, 2) == (0xFFFF, 0)
    assert device.read(40123, 1) is ExceptionCode.ILLEGAL_ADDRESS


def test_whole_blocks_can_be_read_at_once() -> None:
    device = storedge().device

    for address, count in ((40000, 121), (0xE004, 14), (0xE100, 68), (0xE144, 86), (0xF300, 36)):
        assert isinstance(device.read(address, count), tuple)
    assert device.read(0xE000, 18) is ExceptionCode.ILLEGAL_ADDRESS


def limited(percent: float, *, timeout: int = NO_TIMEOUT) -> TypedBench:
    """A PV inverter of 8 kW with light for 6 kW, limited without ramps in the order of its document."""
    bench = TypedBench(MAKE, PV_ONLY, 6000, little=True)
    bench.set(0xF318, (F32, -1), (F32, -1))
    bench.set(0xF310, (U32, timeout), (F32, 50))
    bench.set(0xF300, (U16, 1))
    assert bench.set(0xF322, (F32, percent)) is None
    return bench


def test_an_ac_limit_is_obeyed_while_dynamic_control_is_enabled() -> None:
    bench = limited(25)
    limited_watts = bench.run(10).ac_watts
    bench.set(0xF300, (U16, 0))

    assert limited_watts == pytest.approx(2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_an_ac_limit_falls_back_after_its_time_out() -> None:
    bench = limited(25, timeout=60)
    before_watts = bench.run(59).ac_watts

    assert before_watts == pytest.approx(2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(4000, abs=5)
    assert bench.get(0xF322, F32) == 50


def test_writing_the_limit_restarts_its_time() -> None:
    bench = limited(25, timeout=60).run(40)
    bench.set(0xF322, (F32, 25))

    assert bench.run(40).ac_watts == pytest.approx(2000, abs=5)


def test_a_limit_as_delivered_moves_by_5_percent_a_minute() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 8000, little=True)
    bench.set(0xF310, (U32, NO_TIMEOUT))
    bench.set(0xF300, (U16, 1))
    bench.set(0xF322, (F32, 50))

    assert bench.run(60).ac_watts == pytest.approx(7600, abs=20)
    assert bench.run(60).ac_watts == pytest.approx(7200, abs=20)


def test_a_limit_that_is_disabled_has_no_time_out_and_no_ramp_left() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 8000, little=True)
    bench.set(0xF300, (U16, 1))
    bench.set(0xF322, (F32, 50))
    bench.run(50).set(0xF300, (U16, 0))
    bench.run(70)
    kept_percent = bench.get(0xF322, F32)
    bench.set(0xF300, (U16, 1))

    assert kept_percent == 50
    assert bench.run(5).ac_watts == pytest.approx(8000 * 0.97, abs=5)


def test_without_a_battery_there_are_no_storage_registers() -> None:
    device = limited(100).device

    assert device.read(0xE004, 14) is ExceptionCode.ILLEGAL_ADDRESS
    assert device.read(0xE100, 1) is ExceptionCode.ILLEGAL_ADDRESS


@given(
    mode=st.sampled_from([0, 1, 2, 3, 4, 5, 7]),
    charge=st.integers(0, 9000),
    discharge=st.integers(0, 9000),
    pv_watts=st.integers(0, 6000),
)
def test_no_command_takes_the_battery_beyond_its_limits_or_from_ac_without_permission(
    mode: int, charge: int, discharge: int, pv_watts: int
) -> None:
    bench = commanded(mode, charge, discharge, pv_watts=pv_watts).run(5)

    assert -min(discharge, 4000) - 1 <= bench.battery_watts <= min(charge, 5000, pv_watts) + 1
    assert bench.ac_watts >= -1
