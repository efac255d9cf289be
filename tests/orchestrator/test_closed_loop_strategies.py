"""Each allocation strategy in the closed loop, in virtual time: the numbers that hold with `capacity` hold with all."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from orchestrator.allocation import STRATEGIES
from orchestrator.config import FewestUnitsConfig
from orchestrator.simulation.config import InverterSimulation
from tests.support.closed_loop import ClosedLoop, Moment
from tests.support.example_site import DARK, EXAMPLE, battery, plant

NAMEPLATE_WATTS = 17000.0

every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def export_watts(moments: list[Moment]) -> list[float]:
    return [max(-m.site_watts, 0.0) for m in moments]


def battery_watts(loop: ClosedLoop) -> dict[str, float]:
    return {name: i.state.battery_watts for name, i in loop.site.inverters.items() if i.settings.battery}


def target_watts(moment: Moment, name: str) -> float:
    command = moment.result.command(name)
    assert command is not None
    assert command.battery is not None
    return command.battery.watts


def soc_percent(loop: ClosedLoop, name: str) -> float:
    sample = loop.history[-1].result.snapshot.inverter(name)
    assert sample is not None
    assert sample.battery is not None
    assert sample.battery.soc_percent is not None
    return sample.battery.soc_percent


def battery_inverters(count: int, **control: Any) -> ClosedLoop:
    """Battery inverters of 5 kW and 10 kWh at night."""
    inverters = {
        f"b{i}": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0)) for i in range(count)
    }
    return plant(inverters, pv_watts=dict.fromkeys(inverters, 0.0), **control)


@every_strategy
def test_an_export_limit_of_zero_is_kept_while_the_batteries_reach_their_full_charging(strategy: str) -> None:
    loop = plant(allocation=strategy)
    loop.ask(export_limit_watts=5000.0)
    loop.run(30)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(60)

    assert max(export_watts(moments[5:])) < 100
    assert battery_watts(loop) == pytest.approx({"east": 5000, "west": 4000}, rel=0.03)


@every_strategy
@pytest.mark.parametrize("soc_percent", [50.0, 80.0])
def test_surplus_of_the_pv_inverter_charges_the_batteries_of_the_hybrids(strategy: str, soc_percent: float) -> None:
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 7500.0}, allocation=strategy)
    loop.site.set_soc("east", soc_percent)
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    moments = loop.run(60)

    assert sum(max(m.site_watts, 0.0) for m in moments) / len(moments) < 50
    assert max(export_watts(moments)) < 0.02 * NAMEPLATE_WATTS
    assert sum(battery_watts(loop).values()) == pytest.approx((7500 * 0.97 - 1000) * 0.97, rel=0.05)


@every_strategy
@pytest.mark.parametrize("soc_percent", [50.0, 80.0])
def test_import_follows_load_steps_within_five_seconds(strategy: str, soc_percent: float) -> None:
    loop = plant(pv_watts=DARK, allocation=strategy)
    loop.site.set_soc("west", soc_percent)
    loop.run(10)
    for load in (6000.0, 2000.0, 6000.0, 500.0):
        loop.site.set_load(load)
        moments = loop.run(15)
        assert all(abs(m.site_watts) < 100 for m in moments[5:])


@every_strategy
def test_what_an_empty_battery_leaves_comes_from_the_other_within_two_cycles(strategy: str) -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0, allocation=strategy)
    loop.ask(battery_soc_min_percent=10.0)
    loop.run(20)
    loop.site.set_soc("west", 10.0)
    moments = loop.run(8)

    assert target_watts(moments[1], "east") == pytest.approx(-3000 / 0.97, rel=0.05)
    assert moments[-1].site_watts < 100


@every_strategy
def test_noise_alone_moves_no_battery_to_the_other_direction(strategy: str) -> None:
    loop = plant(pv_watts={"east": 3000.0, "west": 2000.0, "roof": 3000.0}, noise_watts=20.0, allocation=strategy)
    loop.ask(export_limit_watts=0.0)
    loop.run(60)
    moments = loop.run(120)

    for name in ("east", "west"):
        targets = [target_watts(m, name) for m in moments]
        assert max(targets) - min(targets) < 0.02 * EXAMPLE[name].ac_rating_watts


def test_equal_soc_brings_two_batteries_together() -> None:
    loop = plant(pv_watts=DARK, load_watts=2000.0, allocation="equal_soc")
    loop.site.set_soc("west", 60.0)
    loop.run(60)
    assert battery_watts(loop)["east"] == pytest.approx(-1000, abs=150)  # 10 % of west's 5 kWh within the hour
    loop.run(2 * 3600)

    assert abs(soc_percent(loop, "east") - soc_percent(loop, "west")) < 2.5


def test_fewest_units_lets_one_of_three_run_at_low_load_and_rotates_without_a_jump_at_the_meter() -> None:
    settings = FewestUnitsConfig(switch_min_s=60, rotate_s=120)
    loop = battery_inverters(3, load_watts=800.0, allocation="fewest_units", fewest_units=settings)
    loop.run(10)
    moments = loop.run(600)

    working = [{name for name in ("b0", "b1", "b2") if target_watts(m, name)} for m in moments]
    assert all(len(each) == 1 for each in working)
    assert set.union(*working) == {"b0", "b1", "b2"}
    assert sum(before != after for before, after in pairwise(working)) <= 5
    assert max(abs(m.site_watts) for m in moments) < 100


def at_work(moment: Moment) -> int:
    return sum(target_watts(moment, name) < 0 for name in ("b0", "b1", "b2"))


def test_fewest_units_starts_what_a_load_step_needs_at_once_and_lets_it_rest_later() -> None:
    settings = FewestUnitsConfig(switch_min_s=60)
    loop = battery_inverters(3, load_watts=800.0, allocation="fewest_units", fewest_units=settings)
    loop.run(20)
    loop.site.set_load(9000.0)
    high = loop.run(20)
    loop.site.set_load(800.0)
    low = loop.run(90)

    assert max(abs(m.site_watts) for m in high[6:]) < 100
    assert max(abs(m.site_watts) for m in low[6:]) < 100
    assert [at_work(m) for m in (high[-1], low[30], low[-1])] == [3, 2, 1]  # the first of them has run for 60 s already
