"""An inverter that says that it makes more than its AC limit, and goes on saying so: it is stuck, or does not obey."""

from __future__ import annotations

import pytest

from orchestrator.decide.ac.limit import STUBBORN_AFTER_S, above_limit_since_s, stubborn_watts
from orchestrator.decide.memory import InverterMemory
from orchestrator.decide.plant.units import Unit
from orchestrator.samples import Nameplate
from orchestrator.simulation.measuring.measures import seconds_above
from orchestrator.simulation.scenarios.scenario import parse_scenario, play
from tests.support.records.cycles import inverter_sample, site_config

RATING_WATTS = 8000.0

FROZEN = """
title: one of two inverters says for ever what it made when the export limit fell
duration_s: 60
inverters:
  frozen: {pv_peak_watts: 8000, ac_rating_watts: 8000}
  honest: {pv_peak_watts: 8000, ac_rating_watts: 8000}
timeline:
  - {at_s: 0, load_watts: 1000, pv_watts: {frozen: 5000, honest: 5000}, setpoint: {export_limit_watts: 9000}}
  - {at_s: 10, inverters: {frozen: frozen}}
  - {at_s: 15, setpoint: {export_limit_watts: 3000}}
expect:
  - {measure: energy_gap_wh, at_most: 0.001}
"""


def unit(ac_watts: float, *, since_s: float | None = None, limit_watts: float = 2000.0) -> Unit:
    sample = inverter_sample("east", ac_watts=ac_watts, battery=None, nameplate=Nameplate(ac_max_watts=RATING_WATTS))
    memory = InverterMemory(above_limit_since_s=since_s)
    return Unit("east", site_config().inverters[0], sample, memory, RATING_WATTS, limit_watts, None)


@pytest.mark.parametrize(("ac_watts", "since_s"), [(2100.0, None), (2200.0, 50.0), (1000.0, None)])
def test_a_little_more_than_its_limit_is_what_it_was_told(ac_watts: float, since_s: float | None) -> None:
    assert above_limit_since_s(unit(ac_watts), 50.0) == since_s


def test_one_is_stubborn_when_it_has_been_above_for_five_seconds() -> None:
    assert above_limit_since_s(unit(5000.0, since_s=50.0), 54.0) == 50.0
    assert stubborn_watts([unit(5000.0, since_s=50.0)], 50.0 + STUBBORN_AFTER_S - 0.1) == 0
    assert stubborn_watts([unit(5000.0, since_s=50.0), unit(1000.0)], 50.0 + STUBBORN_AFTER_S) == pytest.approx(3000)


def test_the_export_limit_holds_though_one_inverter_is_stuck_at_an_old_reading() -> None:
    scenario = parse_scenario(FROZEN)

    run = play(scenario).between(25.0)

    assert seconds_above(run) == 0
    assert sum(-moment.site_watts for moment in run.moments) / len(run.moments) == pytest.approx(3000, rel=0.05)
