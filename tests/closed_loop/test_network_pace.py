"""The scenarios and random plants once more, at the pace of a network: the loop waits, is woken and is late as it is
where it really runs. Looked at once a second, while decisions come at any time."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from orchestrator.simulation.measuring.expectations import Expectation
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import longest_above_s
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.network_time import NetworkTime
from orchestrator.simulation.scenarios.scenario import SCENARIOS, Scenario, load_scenarios, moments
from tests.support.random_plants.random_scenarios import METER_FAULT_FROM_S, meter_fault_scenario, restless_scenario

SHORT_S = 700.0
QUICK, ALL = 6, 100

OTHERWISE: dict[str, str] = {
    "meter_mounted_reversed-failsafe_after_s-from_0": "it lasts for one decision, between two looks",
    "meter_mounted_reversed-seconds_naming-from_0": "it lasts for one decision, between two looks",
    "pv_feeds_battery-seconds_to_charging-from_0": "the first decision comes while the PV still starts",
    "pv_feeds_battery-direction_changes-from_0": "the battery helps out while the PV still starts",
    "pv_feeds_battery_silently-seconds_to_charging-from_0": "the first decision comes while the PV still starts",
    "pv_feeds_battery_silently-direction_changes-from_0": "the battery helps out while the PV still starts",
}
"""What does not hold at this pace, with the reason; strict, so that it cannot be forgotten."""

QUICK_S = 240.0
"""Longer scenarios are for the long tests."""

SCENARIO_OF = {name: each for name, each in load_scenarios(SCENARIOS).items() if each.duration_s <= SHORT_S}
SEEDS = [pytest.param(seed, marks=[pytest.mark.long] if seed >= QUICK else []) for seed in range(ALL)]

WITHIN_S = {MeterDefect.FROZEN: 7.0, MeterDefect.REVERSED: 12.0}
"""How long the export limit may be exceeded at most: as at one decision a second, and two looks."""


def play(scenario: Scenario) -> Run:
    config = scenario.site_config()
    return Run.of(config, tuple(moments(scenario, NetworkTime(config, keep_results=False))))


@cache
def run_of(name: str) -> Run:
    return play(SCENARIO_OF[name])


def cases() -> list[object]:
    found = []
    for name, scenario in SCENARIO_OF.items():
        for expectation in scenario.expect:
            ident = f"{name}-{expectation.measure}-from_{expectation.from_s:g}"
            reason = OTHERWISE.get(ident)
            marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason)]
            marks += [] if scenario.duration_s <= QUICK_S else [pytest.mark.long]
            found.append(pytest.param(name, expectation, id=ident, marks=marks))
    return found


@pytest.mark.parametrize(("name", "expectation"), cases())
def test_what_a_scenario_expects_holds_at_the_pace_of_a_network(name: str, expectation: Expectation) -> None:
    outcome = expectation.judge(run_of(name))

    assert outcome.holds, str(outcome)


@pytest.mark.parametrize(("seed", "fault"), list(itertools.product(range(QUICK), WITHIN_S)))
def test_a_meter_that_lies_does_not_make_the_export_exceed_its_limit_for_long(seed: int, fault: MeterDefect) -> None:
    run = play(meter_fault_scenario(seed, fault)).between(METER_FAULT_FROM_S)

    assert longest_above_s(run) <= WITHIN_S[fault]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_meter_is_believed_whatever_the_load_does(seed: int) -> None:
    run = play(restless_scenario(seed))

    assert {moment.mode for moment in run.moments} <= {"normal", "waiting", None}
