"""The virtual Symo Hybrid: a battery without a sign, commands that stay, contradictions that vanish.

WChaMax of the device is 5000 W, so 1 % is 50 W; the raw rates have a scale factor of -2.
"""

from __future__ import annotations

import pytest

from orchestrator.simulation.devices.makes.fronius.symo_hybrid import FroniusSymoHybrid
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import signed
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY


def hybrid(pv_watts: float = 2000, grid: int = 0) -> Bench:
    bench = Bench(HYBRID, pv_watts, FroniusSymoHybrid)
    assert bench.write("124.ChaGriSet", grid) is None
    return bench


def windowed(mode: int, out_percent: float, in_percent: float, pv_watts: float = 2000, grid: int = 0) -> Bench:
    bench = hybrid(pv_watts, grid)
    assert bench.write("124.OutWRte", round(100 * out_percent), round(100 * in_percent)) is None
    assert bench.write("124.StorCtl_Mod", mode) is None
    return bench


def limited(revert_s: int) -> Bench:
    """A limit of 1000 W on 4000 W of PV, with a battery that takes nothing."""
    bench = windowed(3, 0, 0, pv_watts=4000)
    assert bench.write("123.WMaxLimPct", 2000, 0, revert_s, 0, 1) is None
    return bench


def dc_watts(bench: Bench) -> tuple[float, float, float]:
    """String 1, String 2 and the DC total."""
    scale = 10.0 ** signed(bench.read("160.DCW_SF"))
    strings = bench.read("160.0.DCW") * scale, bench.read("160.1.DCW") * scale
    return *strings, signed(bench.read("103.DCW")) * 10.0 ** signed(bench.read("103.DCW_SF"))


def test_model_124_lies_behind_two_inputs() -> None:
    registers = hybrid().device.registers

    assert registers.address("160.DCA_SF") - 2 == 40253
    assert registers.address("124.WChaMax") - 2 == 40303
    assert registers.read(40329, 2) == (0xFFFF, 0)


def test_it_says_who_it_is() -> None:
    bench = hybrid()

    assert bench.text("1.Mn", 16) == "Fronius"
    assert bench.text("1.Md", 16) == "Symo Hybrid 5.0-3-S"
    assert bench.text("1.Opt", 8) == "1.31.1-5"
    assert bench.read("120.DERTyp") == 4


def test_both_inputs_are_called_strings() -> None:
    bench = hybrid()

    assert bench.read("160.N") == 2
    assert [bench.text(f"160.{index}.IDStr", 8) for index in range(2)] == ["String 1", "String 2"]


@pytest.mark.parametrize(("out_percent", "in_percent", "charging_watts"), [(20, -20, -1000), (-20, 20, 1000)])
def test_the_second_string_is_the_battery_without_its_sign(
    out_percent: float, in_percent: float, charging_watts: float
) -> None:
    bench = windowed(3, out_percent, in_percent).run(10)

    pv, battery, total = dc_watts(bench)

    assert pv == pytest.approx(2000, abs=2)
    assert battery == pytest.approx(1000, abs=2)
    assert pv - total == pytest.approx(charging_watts, abs=3)
    assert bench.battery_watts == pytest.approx(charging_watts, abs=2)
    assert bench.read("124.ChaSt") == (4 if charging_watts > 0 else 3)


def test_at_night_the_battery_alone_makes_the_total() -> None:
    bench = windowed(3, 6, -6, pv_watts=0).run(10)

    assert dc_watts(bench) == (0, pytest.approx(300, abs=1), pytest.approx(300, abs=1))


@pytest.mark.parametrize(
    ("intent", "mode", "out_percent", "in_percent", "grid", "expected_watts"),
    [
        ("hold: no discharge, PV may charge", 2, 0, 100, 0, 2000),
        ("idle", 3, 0, 0, 0, 0),
        ("force charge from the grid", 3, -80, 80, 1, 4000),
        ("force charge without permission to use AC", 3, -80, 80, 0, 2000),
        ("force discharge", 3, 40, -40, 0, -2000),
        ("released", 0, 100, 100, 0, 2000),
    ],
)
def test_the_window_is_obeyed(
    intent: str, mode: int, out_percent: float, in_percent: float, *, grid: int, expected_watts: float
) -> None:
    bench = windowed(mode, out_percent, in_percent, grid=grid).run(10)

    assert bench.battery_watts == pytest.approx(expected_watts, abs=5), intent


def test_with_the_mode_left_on_one_rate_is_enough() -> None:
    bench = windowed(3, 100, 100, grid=1)
    assert bench.write("124.OutWRte", -10000) is None

    assert bench.run(10).battery_watts == pytest.approx(5000, abs=5)


def test_a_contradicting_window_is_ignored_without_a_word() -> None:
    bench = windowed(3, 40, -40, pv_watts=0)

    assert bench.write("124.OutWRte", 1000) is None
    assert bench.device.writes[-1].registers == ()
    assert bench.read("124.OutWRte") == 4000
    assert bench.run(10).battery_watts == pytest.approx(-2000, abs=5)


def test_a_rate_out_of_range_is_refused() -> None:
    assert hybrid().write("124.OutWRte", 10001) is ExceptionCode.ILLEGAL_VALUE


def test_a_command_stays_for_ever_and_has_no_times() -> None:
    bench = windowed(3, 10, -10, pv_watts=0)

    assert bench.write("124.InOutWRte_RvrtTms", 30) is None
    assert bench.read("124.InOutWRte_RvrtTms") == 0xFFFF
    assert bench.run(600).battery_watts == pytest.approx(-500, abs=5)


def test_a_limit_ends_when_no_message_comes() -> None:
    bench = limited(revert_s=30)
    kept_watts = bench.run(29).ac_watts

    assert kept_watts == pytest.approx(1000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(4000 * 0.97, abs=5)


def test_every_message_counts_the_time_of_a_limit_down_anew() -> None:
    bench = limited(revert_s=30).run(20)
    bench.read("103.W")
    bench.run(20)
    bench.write("124.ChaGriSet", 0)

    assert bench.run(20).ac_watts == pytest.approx(1000, abs=5)


def test_without_pv_the_first_string_is_still_there() -> None:
    bench = Bench(BATTERY_ONLY, 0, FroniusSymoHybrid)

    assert bench.read("160.N") == 2


def test_without_a_battery_there_is_one_string_and_no_model_124() -> None:
    bench = Bench(PV_ONLY, 3000, FroniusSymoHybrid).run(10)

    assert bench.read("160.N") == 1
    assert [block.model.model_id for block in bench.device.registers.blocks][-2:] == [123, 160]
