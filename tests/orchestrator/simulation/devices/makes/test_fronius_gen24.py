"""The virtual GEN24: the order of its map, its auto-scaled inputs, and what it does with models 123 and 124.

WChaMax of the device is 5000 W, so 1 % is 50 W; the raw rates have a scale factor of -2.
"""

from __future__ import annotations

import pytest

from orchestrator.simulation.devices.makes.fronius.gen24 import FroniusGen24
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import signed
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import HYBRID, PV_ONLY


def gen24(pv_watts: float = 3000, grid: int = 0) -> Bench:
    bench = Bench(HYBRID, pv_watts, FroniusGen24)
    assert bench.write("124.ChaGriSet", grid) is None
    return bench


def input_watts(bench: Bench, index: int) -> float:
    return float(bench.read(f"160.{index}.DCW") * 10.0 ** signed(bench.read("160.DCW_SF")))


def test_the_models_lie_where_the_register_map_has_them() -> None:
    registers = gen24().device.registers

    assert {block.model.model_id: block.address for block in registers.blocks} == {
        **{1: 40002, 103: 40069, 120: 40121, 121: 40149, 122: 40181, 123: 40227},
        **{160: 40253, 124: 40343},
    }
    assert registers.read(40369, 2) == (0xFFFF, 0)


def test_it_says_who_it_is() -> None:
    bench = gen24()

    assert bench.text("1.Mn", 16) == "Fronius"
    assert bench.text("1.Md", 16) == "Symo GEN24 5.0"
    assert bench.text("1.Opt", 8) == ""
    assert bench.text("1.SN", 16) == "SIM-east"


def test_the_inputs_are_two_strings_and_two_directions_of_one_battery() -> None:
    bench = gen24().run(10)

    names = [bench.text(f"160.{index}.IDStr", 8) for index in range(4)]

    assert names == ["MPPT 1", "MPPT 2", "StCha 3", "StDisCha 4"]
    assert input_watts(bench, 0) + input_watts(bench, 1) == pytest.approx(3000, abs=1)
    assert input_watts(bench, 2) == pytest.approx(3000, abs=1)
    assert input_watts(bench, 3) == 0


@pytest.mark.parametrize(("pv_watts", "scale"), [(0, -2), (600, -2), (5000, -1)])
def test_the_scale_of_the_inputs_follows_their_values(pv_watts: float, scale: int) -> None:
    bench = gen24(pv_watts).run(20)

    assert signed(bench.read("160.DCW_SF")) == scale
    assert input_watts(bench, 0) == pytest.approx(0.6 * bench.inverter.state.pv_watts, abs=0.1)


@pytest.mark.parametrize(
    ("intent", "mode", "out_percent", "in_percent", "grid", "expected_watts"),
    [
        ("hold: no discharge, PV may charge", 2, 0, 100, 0, 3000),
        ("idle", 3, 0, 0, 0, 0),
        ("force charge at exactly 80 %", 3, -80, 80, 1, 4000),
        ("force charge without permission to use AC", 3, -80, 80, 0, 3000),
        ("force discharge at exactly 40 %", 3, 40, -40, 0, -2000),
        ("released", 0, 100, 100, 0, 3000),
    ],
)
def test_the_window_is_obeyed(
    intent: str, mode: int, out_percent: int, in_percent: int, *, grid: int, expected_watts: float
) -> None:
    bench = gen24(grid=grid)
    assert bench.write("124.OutWRte", 100 * out_percent, 100 * in_percent) is None
    assert bench.write("124.StorCtl_Mod", mode) is None

    assert bench.run(10).battery_watts == pytest.approx(expected_watts, abs=5), intent


def test_rates_act_at_once_even_behind_the_mode() -> None:
    bench = gen24()
    assert bench.write("124.StorCtl_Mod", 3) is None
    assert bench.write("124.OutWRte", 4000, -4000) is None

    assert bench.run(10).battery_watts == pytest.approx(-2000, abs=5)


def test_rates_that_forget_the_scale_factor_are_a_hundredth() -> None:
    bench = gen24(pv_watts=0)
    bench.write("124.OutWRte", 40, -40)
    bench.write("124.StorCtl_Mod", 3)

    assert bench.run(10).battery_watts == pytest.approx(-20, abs=1)


def test_a_window_that_contradicts_itself_is_refused_and_changes_nothing() -> None:
    bench = gen24()
    bench.write("124.OutWRte", 4000, -4000)
    bench.write("124.StorCtl_Mod", 3)

    assert bench.write("124.OutWRte", 1000) is ExceptionCode.ILLEGAL_VALUE
    assert bench.run(10).battery_watts == pytest.approx(-2000, abs=5)


def test_ramps_cannot_be_written_and_watts_in_them_do_nothing() -> None:
    bench = gen24()

    assert bench.write("124.WChaGra", 3000, 3000) is None
    assert bench.device.writes[-1].registers == ()
    assert (bench.read("124.WChaGra"), bench.read("124.WDisChaGra")) == (100, 100)


def test_of_the_times_only_the_revert_time_is_there() -> None:
    bench = gen24()
    names = ("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms")

    assert [bench.write(f"124.{name}", 30) for name in names] == [None, None, None]
    assert [bench.read(f"124.{name}") for name in names] == [0xFFFF, 30, 0xFFFF]


@pytest.mark.parametrize("name", ["124.InOutWRte_RvrtTms", "123.WMaxLimPct_RvrtTms"])
def test_a_revert_time_of_more_than_eight_hours_is_refused(name: str) -> None:
    bench = gen24()

    assert bench.write(name, 28801) is ExceptionCode.ILLEGAL_VALUE
    assert bench.write(name, 28800) is None


def test_a_window_ends_with_its_time_although_it_is_read() -> None:
    bench = gen24()
    bench.write("124.InOutWRte_RvrtTms", 30)
    bench.write("124.OutWRte", 4000, -4000)
    bench.write("124.StorCtl_Mod", 3)
    commanded_watts = bench.run(25).battery_watts
    bench.read("124.ChaSt")
    bench.run(15)

    assert commanded_watts == pytest.approx(-2000, abs=5)
    assert bench.battery_watts == pytest.approx(3000, abs=5)
    assert bench.read("124.StorCtl_Mod") == 0


def test_the_ac_limit_bounds_discharging_too() -> None:
    bench = gen24(pv_watts=0)
    bench.write("124.OutWRte", 8000, -8000)
    bench.write("124.StorCtl_Mod", 3)
    bench.write("123.WMaxLimPct", 2000, 0, 0, 0, 1)

    assert bench.run(10).ac_watts == pytest.approx(1000, abs=5)


def test_without_a_battery_it_has_two_inputs_and_no_model_124() -> None:
    bench = Bench(PV_ONLY, 3000, FroniusGen24)

    assert [block.model.model_id for block in bench.device.registers.blocks][-2:] == [123, 160]
    assert bench.read("160.N") == 2
