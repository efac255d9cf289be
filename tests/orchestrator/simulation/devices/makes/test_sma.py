"""An SMA hybrid in its own profile: the battery's set, the inverter's set point, their 60 s, and the AC limit.

The battery charges with up to 5000 W and discharges with up to 4000 W; the inverter is one of 5000 W.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.makes.sma.hybrid import SmaHybrid
from orchestrator.simulation.devices.plain.words import I16, I32, U32, U64
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.typed_bench import TypedBench
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

MAKE = "sma"
OFF, AUTOMATIC, CHARGE, DISCHARGE, DEFAULT = 303, 1438, 2289, 2290, 2424
Limits = tuple[float, float, float, float]


def sma(pv_watts: float = 3000) -> TypedBench:
    return TypedBench(MAKE, HYBRID, pv_watts)


def write_set(bench: TypedBench, mode: int, limits: Limits) -> TypedBench:
    """All six: the mode, then least and most charging, least and most discharging, and the target at the grid."""
    assert bench.set(40236, (U32, mode)) is None
    assert bench.set(40793, *((U32, limit) for limit in limits), (I32, 0)) is None
    return bench


@pytest.mark.parametrize(
    ("intent", "mode", "limits", "expected_watts"),
    [
        ("released", DEFAULT, (0, 5000, 0, 4000), 3000),
        ("hold: no discharge, PV may charge", DEFAULT, (0, 5000, 0, 0), 3000),
        ("charge at most 1 kW", AUTOMATIC, (0, 1000, 0, 4000), 1000),
        ("idle", DEFAULT, (0, 0, 0, 0), 0),
        ("paused, whatever the limits", OFF, (0, 5000, 0, 4000), 0),
        ("charge 4 kW, from AC too", CHARGE, (4000, 4000, 0, 0), 4000),
        ("charge at least 1 kW, PV may add", CHARGE, (1000, 5000, 0, 0), 3000),
        ("discharge 1.5 kW", DISCHARGE, (0, 0, 1500, 1500), -1500),
    ],
)
def test_the_set_of_the_battery_does_what_it_says(
    intent: str, mode: int, limits: Limits, expected_watts: float
) -> None:
    bench = write_set(sma(), mode, limits).run(10)

    assert bench.battery_watts == pytest.approx(expected_watts, abs=5), intent


@pytest.mark.parametrize(
    ("mode", "limits", "site_watts", "expected_watts"),
    [
        (CHARGE, (4000, 4000, 0, 0), 500, 0),
        (CHARGE, (4000, 4000, 0, 0), -500, 4000),
        (DISCHARGE, (0, 0, 1500, 1500), -500, 0),
        (DISCHARGE, (0, 0, 1500, 1500), 500, -1500),
    ],
)
def test_the_set_charges_only_while_the_site_exports_and_discharges_only_while_it_imports(
    mode: int, limits: Limits, site_watts: float, expected_watts: float
) -> None:
    bench = sma()
    assert isinstance(bench.device, SmaHybrid)
    bench.device.hear_meter(site_watts)

    assert write_set(bench, mode, limits).run(10).battery_watts == pytest.approx(expected_watts, abs=5)


def test_charging_beyond_pv_draws_from_ac() -> None:
    bench = write_set(sma(1000), CHARGE, (4000, 4000, 0, 0)).run(10)

    assert bench.ac_watts == pytest.approx(-3000 / 0.97, abs=5)
    assert bench.get(30775, I32) == pytest.approx(bench.ac_watts, abs=1)


def test_default_mode_does_not_draw_from_ac() -> None:
    bench = write_set(sma(1000), DEFAULT, (4000, 5000, 0, 0)).run(10)

    assert bench.battery_watts == pytest.approx(1000, abs=5)


@pytest.mark.parametrize("missing", [40236, 40793, 40795, 40797, 40799, 40801])
def test_a_set_that_lacks_one_value_does_nothing(missing: int) -> None:
    bench = sma()
    for address, kind, value in (
        (40236, U32, DISCHARGE),
        (40793, U32, 0),
        (40795, U32, 0),
        (40797, U32, 1500),
        (40799, U32, 1500),
        (40801, I32, 0),
    ):
        if address != missing:
            assert bench.set(address, (kind, value)) is None

    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)


def test_after_60_s_the_battery_is_its_own_again() -> None:
    bench = write_set(sma(), DISCHARGE, (0, 0, 1500, 1500))
    commanded_watts = bench.run(59).battery_watts

    assert commanded_watts == pytest.approx(-1500, abs=5)
    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)
    assert bench.get(40236, U32) == DEFAULT


def test_a_set_whose_mode_is_not_renewed_lapses_as_a_whole() -> None:
    bench = write_set(sma(), DISCHARGE, (0, 0, 1500, 1500)).run(40)
    bench.set(40793, (U32, 0), (U32, 0), (U32, 1500), (U32, 1500), (I32, 0))

    assert bench.run(30).battery_watts == pytest.approx(3000, abs=5)


def test_a_set_that_is_renewed_goes_on() -> None:
    bench = sma()
    for _ in range(4):
        write_set(bench, DISCHARGE, (0, 0, 1400, 1500)).run(30)

    assert -1505 <= bench.battery_watts <= -1395


@pytest.mark.parametrize(
    ("mode", "limits", "strayed_watts"),
    [(CHARGE, (1000, 1000, 0, 0), 5000), (DISCHARGE, (0, 0, 1000, 1000), -4000)],
)
def test_with_least_and_most_the_same_it_runs_away_after_minutes(
    mode: int, limits: Limits, strayed_watts: float
) -> None:
    bench = write_set(sma(0), mode, limits).run(30)
    obedient_watts = bench.battery_watts
    for _ in range(4):
        write_set(bench, mode, limits).run(30)

    assert abs(obedient_watts) == pytest.approx(1000, abs=5)
    assert bench.battery_watts == pytest.approx(strayed_watts, abs=200)


def test_the_inverters_set_point_is_ac_power_into_the_site() -> None:
    bench = sma(1000)
    bench.set(40149, (I32, -2000), (U32, 802))

    assert bench.run(10).ac_watts == pytest.approx(-2000, abs=5)
    assert bench.battery_watts == pytest.approx(1000 + 2000 * 0.97, abs=5)


def test_a_positive_set_point_discharges_what_pv_lacks() -> None:
    bench = sma(1000)
    bench.set(40149, (I32, 2000), (U32, 802))

    assert bench.run(10).battery_watts == pytest.approx(1000 - 2000 / 0.97, abs=5)


@pytest.mark.parametrize("control", [None, 803])
def test_a_set_point_that_is_not_active_does_nothing(control: int | None) -> None:
    bench = sma()
    bench.set(40149, (I32, -2000))
    if control is not None:
        bench.set(40151, (U32, control))

    assert bench.run(10).battery_watts == pytest.approx(3000, abs=5)


def test_a_set_point_lapses_after_60_s() -> None:
    bench = sma(1000)
    bench.set(40149, (I32, -2000), (U32, 802))

    assert bench.run(59).ac_watts == pytest.approx(-2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(0, abs=5)


def test_what_can_only_be_written_reads_as_not_available() -> None:
    bench = write_set(sma(), CHARGE, (4000, 4000, 0, 0))

    assert bench.get(40793, U32) == 0xFFFFFFFF
    assert bench.get(40801, I32) == -0x80000000
    assert bench.get(40149, I32) == -0x80000000
    assert bench.get(40023, I16) == -0x8000
    assert bench.get(40236, U32) == CHARGE


@pytest.mark.parametrize(
    ("address", "kind", "value", "refusal"),
    [
        (40236, U32, 1, ExceptionCode.ILLEGAL_VALUE),
        (40151, U32, 1, ExceptionCode.ILLEGAL_VALUE),
        (40210, U32, 1, ExceptionCode.ILLEGAL_VALUE),
        (41253, U32, 0, ExceptionCode.ILLEGAL_VALUE),
        (41255, I16, 10001, ExceptionCode.ILLEGAL_VALUE),
        (41255, I16, -1, ExceptionCode.ILLEGAL_VALUE),
        (40016, I16, 101, ExceptionCode.ILLEGAL_VALUE),
        (30775, I32, 0, ExceptionCode.ILLEGAL_ADDRESS),
        (40794, U32, 0, ExceptionCode.ILLEGAL_ADDRESS),
    ],
)
def test_what_is_not_allowed_is_refused(address: int, kind: object, value: float, refusal: ExceptionCode) -> None:
    bench = sma()

    assert bench.set(address, (kind, value)) is refusal  # type: ignore[arg-type]
    assert bench.device.writes == []


def test_its_battery_has_a_register_for_each_direction() -> None:
    bench = write_set(sma(), DISCHARGE, (0, 0, 1500, 1500)).run(10)

    assert [bench.get(31393, U32), bench.get(31395, U32)] == [0, pytest.approx(1500, abs=5)]
    assert bench.get(30845, U32) == round(bench.inverter.soc_percent or 0)
    assert [bench.get(address, U32) for address in (40187, 40189, 40191, 30231)] == [10000, 5000, 4000, 5000]
    assert bench.get(30955, U32) == 2293
    assert bench.get(31401, U64) == pytest.approx(bench.inverter.discharged_wh, abs=1)


def test_pv_is_shown_by_its_inputs() -> None:
    bench = sma().run(10)

    assert bench.get(30773, I32) + bench.get(30961, I32) == pytest.approx(3000, abs=2)
    assert bench.get(30967, I32) == -0x80000000, "there is no third input"


def test_an_input_without_light_is_not_available() -> None:
    bench = sma(0).run(10)

    assert [bench.get(address, I32) for address in (30773, 30961)] == [-0x80000000] * 2


def test_blocks_without_holes_are_read_at_once_with_either_function() -> None:
    device = sma().device

    for address, count in ((30769, 14), (30843, 10), (30953, 10), (31391, 14), (30051, 10), (40187, 6)):
        assert device.read(address, count) == device.read_inputs(address, count)
        assert isinstance(device.read(address, count), tuple)
    assert device.read(30843, 60) is ExceptionCode.ILLEGAL_ADDRESS


def limited(address: int, kind_value: int) -> TypedBench:
    """A PV inverter of 8 kW with light for 6 kW, with a limit in one of its three registers."""
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    assert bench.set(40210, (U32, 1079)) is None
    assert bench.set(address, (I16, kind_value)) is None
    return bench


@pytest.mark.parametrize(("address", "raw"), [(41255, 2500), (40023, 2500), (40016, 25)])
def test_an_ac_limit_is_obeyed_in_each_of_its_registers(address: int, raw: int) -> None:
    bench = limited(address, raw).run(10)

    assert bench.ac_watts == pytest.approx(2000, abs=5)
    assert bench.get(41255, I16) == 2500


def test_an_ac_limit_waits_until_the_operating_mode_is_external() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    bench.set(41255, (I16, 2500))
    before_watts = bench.run(10).ac_watts
    bench.set(40210, (U32, 1079))

    assert before_watts == pytest.approx(6000 * 0.97, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(2000, abs=5)


def test_an_ac_limit_that_is_not_renewed_falls_back() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    bench.set(41195, (U32, 60), (U32, 5000))
    bench.set(40210, (U32, 1079))
    bench.set(41255, (I16, 2500))
    before_watts = bench.run(59).ac_watts

    assert before_watts == pytest.approx(2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(4000, abs=5)


def test_an_ac_limit_may_be_kept_for_ever() -> None:
    bench = TypedBench(MAKE, PV_ONLY, 6000)
    bench.set(41193, (U32, 2506), (U32, 5), (U32, 5000))
    bench.set(40210, (U32, 1079))
    bench.set(41255, (I16, 2500))

    assert bench.run(30).ac_watts == pytest.approx(2000, abs=5)


def test_a_fast_stop_disconnects() -> None:
    bench = limited(41255, 10000)
    bench.set(41253, (U32, 381))
    stopped_watts = bench.run(5).ac_watts
    relay = bench.get(30217, U32)
    bench.set(41253, (U32, 1467))

    assert (stopped_watts, relay) == (0, 311)
    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_without_a_battery_there_are_no_set_points() -> None:
    bench = TypedBench(MAKE, PV_ONLY)

    assert bench.set(40236, (U32, CHARGE)) is ExceptionCode.ILLEGAL_ADDRESS
    assert bench.device.read(30845, 2) is ExceptionCode.ILLEGAL_ADDRESS


@given(
    mode=st.sampled_from([OFF, AUTOMATIC, DISCHARGE, DEFAULT]),
    charge=st.integers(0, 9000),
    discharge=st.integers(0, 9000),
    pv_watts=st.integers(0, 6000),
)
def test_no_mode_but_charge_draws_from_ac(mode: int, charge: int, discharge: int, pv_watts: int) -> None:
    bench = write_set(sma(pv_watts), mode, (charge, charge, discharge, discharge)).run(5)

    assert -min(discharge, 4000) - 1 <= bench.battery_watts <= min(charge, 5000, pv_watts) + 1
    assert bench.ac_watts >= -1
