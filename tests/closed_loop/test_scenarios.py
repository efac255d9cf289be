"""Every scenario of the folder in virtual time, each expectation a test of its own: the numbers of issue 4."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from orchestrator.simulation.measuring.expectations import MEASURES, Expectation
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.scenarios.scenario import SCENARIOS, Scenario, load_scenarios, play
from orchestrator.simulation.scenarios.timeline import Event

LONG_FROM_S = 7200.0

NOT_YET: dict[str, str] = {}
"""What does not hold yet, by the id of the test, with the reason; strict, so that it cannot be forgotten."""


SCENARIO_OF = load_scenarios(SCENARIOS)


def identify(name: str, expectation: Expectation) -> str:
    of = f"-{expectation.inverter}" if expectation.inverter else ""
    return f"{name}-{expectation.measure}{of}-from_{expectation.from_s:g}"


def cases() -> list[object]:
    found = []
    for name, scenario in SCENARIO_OF.items():
        for expectation in scenario.expect:
            ident = identify(name, expectation)
            marks = [pytest.mark.long, pytest.mark.timeout(900)] if scenario.duration_s >= LONG_FROM_S else []
            if ident in NOT_YET:
                marks.append(pytest.mark.xfail(strict=True, reason=NOT_YET[ident]))
            found.append(pytest.param(name, expectation, id=ident, marks=marks))
    return found


@cache
def run_of(name: str) -> Run:
    return play(SCENARIO_OF[name])


@pytest.mark.parametrize(("name", "expectation"), cases())
def test_what_a_scenario_expects_holds(name: str, expectation: Expectation) -> None:
    outcome = expectation.judge(run_of(name))

    assert outcome.holds, str(outcome)


def test_every_exception_is_one_of_an_expectation() -> None:
    known = {identify(name, e) for name, scenario in SCENARIO_OF.items() for e in scenario.expect}

    assert set(NOT_YET) <= known


def test_every_key_and_measure_of_a_scenario_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    keys = {*Scenario.model_fields, *Event.model_fields, *Expectation.model_fields, *MEASURES}

    assert sorted(key for key in keys if f"`{key}`" not in page) == []


def test_the_same_scenario_gives_the_same_run() -> None:
    first, second = play(SCENARIO_OF["nine_inverters"]), play(SCENARIO_OF["nine_inverters"])

    assert first.moments == second.moments
