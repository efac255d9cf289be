"""What is lost in vain is held against perfect knowledge that has the same devices and delays."""

from __future__ import annotations

import pytest

from bench.lost import SCENARIOS, Compared, Lost, lost_by, measure, report
from orchestrator import control
from orchestrator.simulation.rehearsal.known import PerfectKnowledge
from orchestrator.simulation.scenarios.scenario import Scenario, load_scenarios, parse_scenario, play
from tests.bench.test_scoreboard import CALM, Told

HYBRID = """
title: a hybrid beside PV, in sun and at night
duration_s: 60
inverters:
  east: {pv_peak_watts: 6e3, ac_rating_watts: 5e3, battery: {capacity_wh: 9e3, charge_watts: 3e3, discharge_watts: 3e3}}
  roof: {pv_peak_watts: 8000, ac_rating_watts: 8000}
timeline:
  - {at_s: 0, load_watts: 1000, pv_watts: {east: 3500, roof: 5000}, setpoint: {export_limit_watts: 1000}}
  - {at_s: 30, pv_watts: {east: 0, roof: 0}}
expect:
  - {measure: longest_above_s, at_most: 5}
"""
LIBRARY = load_scenarios()
OURS = load_scenarios(SCENARIOS)
TAKES_LONG = {"hundred_inverters"}


@pytest.mark.parametrize("scenario", [parse_scenario(CALM), parse_scenario(HYBRID)], ids=["pv", "hybrid"])
def test_perfect_knowledge_loses_hardly_anything_and_keeps_limits(scenario: Scenario) -> None:
    known = lost_by(scenario, PerfectKnowledge())

    assert known.curtailed_wh + known.imported_wh < 3.0
    assert known.above_s <= 5.0


@pytest.mark.parametrize("name", ["limit_steps", "pv_feeds_battery", "meter_silent_export_first"])
def test_nobody_loses_less_than_perfect_knowledge(name: str) -> None:
    ours, known = lost_by(LIBRARY[name], control.step), lost_by(LIBRARY[name], PerfectKnowledge())

    assert known.curtailed_wh + known.imported_wh <= ours.curtailed_wh + ours.imported_wh + 0.1


def test_plants_without_anybody_in_control_are_left_out() -> None:
    told = Told()
    found = measure({"killed_one": parse_scenario(CALM), "calm": parse_scenario(CALM)}, told)

    assert [each.scenario for each in found] == ["calm"]
    assert len(told.begun) == 2


def test_the_last_row_adds_up_all_but_what_batteries_miss() -> None:
    one = Compared("one", Lost(1.0, 2.0, 3.0, 4.0), Lost(0.5, 0.25, 1.0, 4.0))
    last = report([one, one]).splitlines()[-1].split()

    assert last == ["all", "of", "them", "2.00", "1.00", "4.00", "0.50", "6.00", "2.00", "-", "-"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in TAKES_LONG else []) for name in OURS]
)
def test_no_more_is_lost_than_was_reached(name: str) -> None:
    outcomes = OURS[name].judge(play(OURS[name]))

    assert [str(outcome) for outcome in outcomes if not outcome.holds] == []
