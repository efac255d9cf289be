"""Model 124: the window of battery power, its two signs, its activation and its timer.

WChaMax of the device is 5000 W, so 1 % is 50 W; the raw rates have a scale factor of -2.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.controls import StorageControls
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import HYBRID

rates = st.integers(-10000, 10000)


def windowed(mode: int, out_percent: float, in_percent: float, pv_watts: float = 3000, grid: int = 0) -> Bench:
    """A hybrid that was given a window in the order that the specification wants."""
    bench = Bench(HYBRID, pv_watts)
    assert bench.write("124.ChaGriSet", grid) is None
    assert bench.write("124.OutWRte", round(out_percent * 100), round(in_percent * 100)) is None
    assert bench.write("124.StorCtl_Mod", mode) is None
    return bench


@pytest.mark.parametrize(
    ("intent", "mode", "out_percent", "in_percent", "grid", "expected_watts"),
    [
        ("released", 0, 100, 100, 0, 3000),
        ("hold: no discharge, PV may charge", 2, 0, 100, 0, 3000),
        ("no charge", 1, 100, 0, 0, 0),
        ("idle", 3, 0, 0, 0, 0),
        ("charge at most 20 %", 1, 100, 20, 0, 1000),
        ("force charge, at least 80 %, PV may add", 2, -80, 100, 1, 4000),
        ("force charge at exactly 80 %", 3, -80, 80, 1, 4000),
        ("force charge without permission to use AC", 3, -80, 80, 0, 3000),
        ("force discharge, at least 40 %", 1, 100, -40, 0, -2000),
        ("force discharge at exactly 40 %", 3, 40, -40, 0, -2000),
        ("rates without mode are harmless", 0, -80, 80, 1, 3000),
    ],
)
def test_the_window_does_what_the_table_says(
    intent: str, mode: int, out_percent: float, in_percent: float, *, grid: int, expected_watts: float
) -> None:
    bench = windowed(mode, out_percent, in_percent, grid=grid).run(10)

    assert bench.battery_watts == pytest.approx(expected_watts, abs=5), intent


def test_at_least_means_that_more_pv_charges_more() -> None:
    assert windowed(2, -20, 100, pv_watts=4500).run(10).battery_watts == pytest.approx(4500, abs=5)
    assert windowed(3, -20, 20, pv_watts=4500).run(10).battery_watts == pytest.approx(1000, abs=5)


def test_forced_charging_beyond_pv_shows_as_negative_ac_power() -> None:
    bench = windowed(3, -80, 80, pv_watts=1000, grid=1).run(10)

    assert bench.ac_watts == pytest.approx(-3000 / 0.97, abs=5)
    assert bench.read("103.W") == 0x10000 + round(bench.ac_watts)


def test_discharging_is_limited_by_the_battery_below_the_reference_power() -> None:
    assert windowed(3, 100, -100, pv_watts=0).run(10).battery_watts == pytest.approx(-4000, abs=5)


def test_changed_rates_wait_until_the_mode_is_written_again() -> None:
    bench = windowed(3, 40, -40).run(10)
    bench.write("124.OutWRte", 2000, -2000)
    waiting_watts = bench.run(5).battery_watts
    bench.write("124.StorCtl_Mod", 3)

    assert waiting_watts == pytest.approx(-2000, abs=5)
    assert bench.run(10).battery_watts == pytest.approx(-1000, abs=5)


def test_permission_to_charge_from_ac_acts_without_activation() -> None:
    bench = windowed(3, -80, 80, pv_watts=0).run(10)
    bench.write("124.ChaGriSet", 1)

    assert bench.run(10).battery_watts == pytest.approx(4000, abs=5)


def test_a_window_reverts_to_the_devices_own_default() -> None:
    bench = Bench(HYBRID, pv_watts=3000)
    bench.write("124.InOutWRte_RvrtTms", 30)
    bench.write("124.OutWRte", 4000, -4000)
    bench.write("124.StorCtl_Mod", 3)
    commanded_watts = bench.run(29).battery_watts
    bench.run(10)

    assert commanded_watts == pytest.approx(-2000, abs=5)
    assert bench.battery_watts == pytest.approx(3000, abs=5)
    assert [bench.read(f"124.{point}") for point in ("StorCtl_Mod", "OutWRte", "InWRte")] == [0, 10000, 10000]
    assert bench.read("124.InOutWRte_RvrtTms") == 30


@pytest.mark.parametrize("point", ["StorCtl_Mod", "OutWRte", "InOutWRte_RvrtTms"])
def test_every_write_of_the_window_restarts_its_time(point: str) -> None:
    bench = windowed(3, 40, -40)
    bench.write("124.InOutWRte_RvrtTms", 30)
    bench.run(20)
    bench.write(f"124.{point}", bench.read(f"124.{point}"))

    assert bench.run(20).read("124.StorCtl_Mod") == 3
    assert bench.run(20).read("124.StorCtl_Mod") == 0


def test_a_released_battery_has_no_timer() -> None:
    bench = windowed(3, 40, -40)
    bench.write("124.InOutWRte_RvrtTms", 30)
    bench.write("124.StorCtl_Mod", 0)
    bench.run(60)

    assert bench.read("124.OutWRte") == 4000


def test_reads_and_other_writes_do_not_restart_the_time() -> None:
    bench = windowed(3, 40, -40)
    bench.write("124.InOutWRte_RvrtTms", 30)
    bench.run(20)
    bench.write("124.ChaGriSet", 0)
    bench.write("123.WMaxLim_Ena", 1)
    bench.read("124.StorCtl_Mod")

    assert bench.run(15).read("124.StorCtl_Mod") == 0


def test_a_window_that_contradicts_itself_is_refused_while_both_sides_count() -> None:
    bench = windowed(3, 40, -40)

    assert bench.write("124.OutWRte", 1000) is ExceptionCode.ILLEGAL_VALUE
    assert bench.write("124.OutWRte", 1000, -1000) is None


def test_the_mode_that_would_make_a_contradiction_count_is_refused() -> None:
    bench = windowed(1, 10, -40)

    assert bench.write("124.StorCtl_Mod", 3) is ExceptionCode.ILLEGAL_VALUE
    assert bench.read("124.StorCtl_Mod") == 1


@given(out_raw=rates, in_raw=rates)
def test_with_both_sides_counting_a_window_is_accepted_exactly_when_it_is_not_empty(out_raw: int, in_raw: int) -> None:
    controls = StorageControls(reserve_percent=5, grid_charging_allowed=False)
    words = {"OutWRte": out_raw & 0xFFFF, "InWRte": in_raw & 0xFFFF, "StorCtl_Mod": 3}

    assert controls.accepts(words) == (-out_raw <= in_raw)
    if controls.accepts(words):
        controls.write(words)
        assert (controls.low_percent, controls.high_percent) == (-out_raw / 100, in_raw / 100)


@pytest.mark.parametrize(
    ("point", "value"),
    [("StorCtl_Mod", 4), ("ChaGriSet", 2), ("OutWRte", 10001), ("InWRte", -10001), ("InWRte", 0x8000)],
)
def test_an_unsupported_value_is_refused(point: str, value: int) -> None:
    bench = Bench(HYBRID)

    assert bench.write(f"124.{point}", value) is ExceptionCode.ILLEGAL_VALUE


def test_the_reserve_stops_discharging() -> None:
    bench = windowed(3, 40, -40, pv_watts=0)
    bench.write("124.MinRsvPct", 6000)

    assert bench.run(10).battery_watts == 0
    assert bench.read("124.ChaSt") == 2
