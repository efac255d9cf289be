"""Each allocation strategy in the closed loop, in virtual time: the numbers that hold with `capacity` hold with all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.config.simulation import InverterSimulation, LoadSimulation, SunSimulation
from orchestrator.decide.allocation.spread import STRATEGIES
from orchestrator.explain.codes import code_path
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import DARK, EXAMPLE, battery, plant
from tests.support.plants.virtual_site import site_config

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


@pytest.mark.long
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


MIXED = {
    "b1": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0, 80.0)),
    "b2": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0, 40.0)),
    "h1": InverterSimulation(pv_peak_watts=6000.0, ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0, 35.0)),
    "h2": InverterSimulation(pv_peak_watts=4000.0, ac_rating_watts=4000.0, battery=battery(5000.0, 4000.0, 75.0)),
    "pv": InverterSimulation(pv_peak_watts=8000.0, ac_rating_watts=8000.0),
}
BATTERIES = [name for name, inverter in MIXED.items() if inverter.battery]


@dataclass(frozen=True)
class Look:
    """One cycle of a long run: what each battery is told, which of them run, and whether one stands at a limit."""

    at_s: float
    targets_watts: tuple[float, ...]
    running: frozenset[str]
    at_a_limit: bool


@cache
def night_and_morning(strategy: str) -> tuple[list[Look], list[float]]:
    """Four hours from 5:00 on with clouds, changing load and no export; the spread of SoC every five minutes."""
    sun = SunSimulation(
        period_s=86400.0,
        night_fraction=0.5,
        start_fraction=23 / 24,
        cloud_depth=0.8,
        cloud_period_s=240.0,
        cloud_contrast=4.0,
    )
    load = LoadSimulation(base_watts=600.0, variation_watts=900.0, period_s=1800.0, noise_watts=20.0)
    config = site_config(MIXED, sun=sun, load=load)
    control = config.control.model_copy(update={"allocation": strategy})
    loop = ClosedLoop(config.model_copy(update={"control": control}))
    loop.ask(export_limit_watts=0.0)
    looks, spreads = [], []
    for _ in range(4 * 12):
        looks += [_look(moment) for moment in loop.run(300)]
        socs = [soc_percent(loop, name) for name in BATTERIES]
        spreads.append(max(socs) - min(socs))
    return looks, spreads


def _look(moment: Moment) -> Look:
    assert moment.result is not None
    causes = {code_path(c.reasons[0]).split("/")[1] for c in moment.result.commands if c.battery}
    return Look(
        moment.at_s,
        tuple(target_watts(moment, name) for name in BATTERIES),
        frozenset(name for name, use in moment.result.state.site.uses.items() if use.running),
        not causes.isdisjoint({"at_power_limit", "full", "empty"}),
    )


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["equal_soc", "fewest_units"])
def test_no_battery_charges_another_from_night_to_morning(strategy: str) -> None:
    looks, _ = night_and_morning(strategy)

    assert all(min(look.targets_watts) >= 0 or max(look.targets_watts) <= 0 for look in looks)
    assert any(min(look.targets_watts) < 0 for look in looks)
    assert any(max(look.targets_watts) > 0 for look in looks)


@pytest.mark.long
def test_under_equal_soc_the_spread_never_grows_where_power_allows_it() -> None:
    looks, spreads = night_and_morning("equal_soc")

    for number, (before, after) in enumerate(pairwise(spreads), start=1):
        if not any(look.at_a_limit for look in looks[300 * number : 300 * (number + 1)]):
            assert after <= before + 0.2
    assert spreads[0] > 40
    assert spreads[-1] < 10


@pytest.mark.long
def test_under_fewest_units_none_is_switched_too_often_from_night_to_morning() -> None:
    switched: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
    looks, _ = night_and_morning("fewest_units")
    for before, now in pairwise(looks):
        for name in now.running ^ before.running:
            switched[name, name in now.running].append(now.at_s)

    assert {name for name, _ in switched} == set(BATTERIES)
    least_s = FewestUnitsConfig().switch_min_s
    for times in switched.values():
        assert all(later - at_s >= least_s for at_s, later in pairwise(times))
    for name in BATTERIES:
        started, stopped = switched[name, True], switched[name, False]
        assert all(not at_s < later < at_s + least_s for at_s in started for later in stopped)
