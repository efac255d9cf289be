"""PV behind AC limits: room goes to those who can use it, day is told from night, and what is at rest stays at rest."""

from __future__ import annotations

from itertools import pairwise

import pytest

from orchestrator.config.simulation import InverterSimulation
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import EXAMPLE, battery, plant

FULL = {"east": battery(10000.0, 5000.0, soc_percent=100.0), "west": battery(5000.0, 4000.0, soc_percent=100.0)}
SILENT_FULL = {
    name: each.model_copy(update={"says_throttled": False, "battery": FULL.get(name)}) for name, each in EXAMPLE.items()
}


def seconds_importing(moments: list[Moment], above_watts: float = 100.0) -> int:
    return sum(moment.site_watts > above_watts for moment in moments)


def changes(moments: list[Moment]) -> int:
    """How often an AC limit was commanded that is another than before."""
    limits = [[command.ac_limit_watts for command in moment.commands] for moment in moments]
    return sum(before != after for before, after in pairwise(limits))


def full_plant() -> ClosedLoop:
    return plant(SILENT_FULL, pv_watts={"east": 5000.0, "west": 4000.0, "roof": 8000.0})


def test_a_load_step_is_met_by_all_inverters_at_once_not_by_one_ramp_after_the_other() -> None:
    loop = full_plant()
    loop.ask(export_limit_watts=0.0)
    loop.run(60)
    loop.site.set_load(6000.0)
    moments = loop.run(20)

    assert seconds_importing(moments) <= 4
    assert abs(loop.true_site_watts) < 100.0


def test_full_hybrids_at_a_limit_of_nothing_are_left_alone() -> None:
    loop = full_plant()
    loop.site.set_load(0.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(60)
    moments = loop.run(60)

    assert changes(moments) <= 1


@pytest.mark.parametrize("says_throttled", [True, False])
def test_pv_that_comes_back_behind_a_limit_of_nothing_takes_the_load_from_the_batteries(says_throttled: bool) -> None:
    inverters = {
        "roof": EXAMPLE["roof"].model_copy(update={"says_throttled": says_throttled}),
        "cellar": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0)),
    }
    loop = plant(inverters, pv_watts={"roof": 5000.0}, load_watts=0.0)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.run(60)
    loop.site.set_load(2000.0)
    moments = loop.run(40)

    assert abs(moments[-1].powers[1].battery_watts) < 100.0
    assert moments[-1].powers[0].ac_watts == pytest.approx(2000.0, abs=100.0)


def test_a_small_battery_that_gives_less_than_asked_is_not_asked_for_all_again_and_again() -> None:
    inverters = {
        name: InverterSimulation(ac_rating_watts=1500.0, battery=battery(2000.0, 1200.0)) for name in ("weak", "strong")
    }
    loop = plant(inverters, pv_watts={"weak": 0.0, "strong": 0.0}, load_watts=1000.0)
    loop.run(20)
    loop.site.inverters["weak"].set_accepted(discharge_watts=300.0)
    loop.run(20)
    moments = loop.run(60)
    asked = [command.battery.watts for m in moments for command in m.commands if command.battery]

    assert max(m.site_watts for m in moments) < 100.0
    assert min(asked) > -800.0
