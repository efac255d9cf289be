"""The load limit holds for AC power: what is lost on the way to the batteries counts."""

from __future__ import annotations

from math import fsum

import pytest
from msgspec.structs import replace

from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.battery.drawing import STEADY_PART, draws_part
from orchestrator.decide.memory import USUAL_DRAWS_PART
from orchestrator.decide.plant.units import Unit, see_plant
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import EXAMPLE, battery, plant

LIMIT_WATTS = 1500.0


def charging(efficiency_percent: float) -> ClosedLoop:
    """A hybrid with some sun and a battery inverter, both charged from the roof, under a load limit."""
    east = InverterSimulation(
        pv_peak_watts=6000.0,
        ac_rating_watts=5000.0,
        efficiency_percent=efficiency_percent,
        battery=battery(10000.0, 5000.0),
    )
    shed = InverterSimulation(
        ac_rating_watts=5000.0, efficiency_percent=efficiency_percent, battery=battery(10000.0, 5000.0)
    )
    sun = {"east": 500.0, "shed": 0.0, "roof": 7500.0}
    loop = plant({"east": east, "shed": shed, "roof": EXAMPLE["roof"]}, pv_watts=sun)
    loop.ask(load_limit_watts=LIMIT_WATTS)
    return loop


def drawn_watts(moment: Moment) -> float:
    return fsum(max(-power.ac_watts, 0.0) for power in moment.powers)


@pytest.mark.parametrize("efficiency_percent", [99.0, 97.0, 90.0])
def test_what_inverters_draw_with_their_losses_is_within_the_load_limit(efficiency_percent: float) -> None:
    moments = charging(efficiency_percent).run(30)

    assert 0.98 * LIMIT_WATTS < drawn_watts(moments[-1]) <= LIMIT_WATTS


def test_the_limit_is_approached_from_below() -> None:
    loop = charging(97.0)

    assert max(drawn_watts(moment) for moment in loop.run(30)) <= LIMIT_WATTS


def test_a_limit_that_falls_holds_with_the_losses_that_were_seen() -> None:
    loop = charging(90.0)
    loop.run(30)
    loop.ask(load_limit_watts=LIMIT_WATTS / 2)
    loop.run(6)

    assert max(drawn_watts(moment) for moment in loop.run(20)) <= LIMIT_WATTS / 2


def seen(ac_watts: float, stored_watts: float, before: float = USUAL_DRAWS_PART) -> float:
    """What is known after a look at a hybrid with 400 W of PV whose battery takes so much beyond that."""
    loop = plant(pv_watts={"east": 400.0, "west": 0.0, "roof": 0.0})
    loop.run(2)
    last = loop.history[-1].result
    assert last is not None
    unit: Unit = see_plant(loop.config, loop.state, last.snapshot, loop.wanted).unit("east")
    assert unit.battery is not None
    known = replace(unit.memory, battery=replace(unit.memory.battery, draws_part=before))
    sample = replace(unit.sample, ac_watts=ac_watts, pv_watts=400.0)
    stored = replace(unit.battery, watts=400.0 + stored_watts)
    return draws_part(replace(unit, sample=sample, memory=known, battery=stored))


def test_what_is_seen_is_known_with_a_little_more() -> None:
    assert seen(-1100.0, 1000.0) == pytest.approx(1.1 + STEADY_PART / 2)
    assert seen(-1020.0, 1000.0) == pytest.approx(1.02 + STEADY_PART / 2)


def test_noise_changes_nothing() -> None:
    known = seen(-1030.0, 1000.0)

    assert {seen(-1030.0 + noise, 1000.0, known) for noise in (-4.0, 0.0, 4.0)} == {known}


@pytest.mark.parametrize(
    ("ac_watts", "stored_watts"),
    [(-110.0, 100.0), (-2000.0, 1000.0), (-500.0, 1000.0), (900.0, 1000.0), (900.0, -950.0)],
)
def test_little_power_and_readings_of_different_moments_say_nothing(ac_watts: float, stored_watts: float) -> None:
    assert seen(ac_watts, stored_watts) == USUAL_DRAWS_PART


def test_nobody_draws_less_than_is_stored() -> None:
    assert seen(-900.0, 1000.0) == pytest.approx(1.0 + STEADY_PART / 2)
