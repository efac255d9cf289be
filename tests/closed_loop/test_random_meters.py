"""A meter that lies, and one that does not, on random plants in virtual time."""

from __future__ import annotations

import pytest

from orchestrator.explain.limit import FAULTS
from orchestrator.reason import because
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import longest_above_s
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.scenarios.scenario import Scenario, play
from tests.support.random_plants.random_scenarios import METER_FAULT_FROM_S, meter_fault_scenario, restless_scenario

QUICK, ALL = 5, 200

SEEDS = [pytest.param(seed, marks=[pytest.mark.long] if seed >= QUICK else []) for seed in range(ALL)]

WITHIN_S = {MeterDefect.FROZEN: 5.0, MeterDefect.REVERSED: 10.0}
"""How long the export limit may be exceeded at most. A loop with the wrong sign runs away until three of its moves
have shown it, and each move takes a second or two."""


def run_of(scenario: Scenario, fault: MeterDefect) -> Run:
    """The time since the fault. Nothing was wrong with the meter before."""
    run = play(scenario)
    assert not is_named(run.between(0.0, METER_FAULT_FROM_S), fault)
    return run.between(METER_FAULT_FROM_S)


def is_named(run: Run, fault: MeterDefect) -> bool:
    named = because("failsafe", why=FAULTS[fault.value])
    return any(moment.mode == "failsafe" and named in moment.reasons for moment in run.moments)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_frozen_meter_is_named_and_the_export_limit_kept(seed: int) -> None:
    run = run_of(meter_fault_scenario(seed, MeterDefect.FROZEN), MeterDefect.FROZEN)

    assert is_named(run, MeterDefect.FROZEN)
    assert longest_above_s(run) <= WITHIN_S[MeterDefect.FROZEN]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reversed_meter_is_named_before_it_does_harm_for_long(seed: int) -> None:
    run = run_of(meter_fault_scenario(seed, MeterDefect.REVERSED), MeterDefect.REVERSED)

    assert is_named(run, MeterDefect.REVERSED) or longest_above_s(run) == 0
    assert longest_above_s(run) <= WITHIN_S[MeterDefect.REVERSED]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_meter_is_believed_whatever_the_load_does(seed: int) -> None:
    run = play(restless_scenario(seed))

    assert {moment.mode for moment in run.moments} <= {"normal", "waiting"}
