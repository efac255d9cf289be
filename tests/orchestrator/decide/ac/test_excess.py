"""An excess counts in steps, and a step without one takes back no more than one."""

from __future__ import annotations

import pytest

from orchestrator.decide.ac.excess import Excess, watch_excess
from orchestrator.decide.memory import SiteMemory
from tests.orchestrator.decide.ac.test_room import make_plant

PLANT = make_plant([(5000.0, None, None), (5000.0, None, None)])
"""Nameplate 10 kW, all of it made."""


def watched(before: Excess, excess_watts: float) -> Excess:
    memory = SiteMemory(excess_steps=before.steps)
    limit_watts = 10000.0 - excess_watts
    return watch_excess(PLANT, memory, load_watts=0.0, export_limit_watts=limit_watts, generation_limit_watts=None)


def after(*excesses_watts: float) -> Excess:
    excess = Excess(False)
    for watts in excesses_watts:
        excess = watched(excess, watts)
    return excess


def test_noise_is_no_excess() -> None:
    assert after(30.0, 30.0, 30.0) == Excess(False)


def test_after_two_steps_nothing_is_expected_any_more() -> None:
    assert not after(500.0, 500.0).lasts
    assert after(500.0, 500.0, 500.0).lasts


def test_a_step_without_an_excess_takes_back_one_step() -> None:
    assert after(500.0, 500.0, 0.0, 500.0, 500.0).lasts
    assert after(500.0, 500.0, 0.0, 0.0) == Excess(False)


@pytest.mark.parametrize("limit_watts", [None, 9000.0])
def test_a_generation_limit_counts_as_an_export_limit_does(limit_watts: float | None) -> None:
    excess = watch_excess(
        PLANT, SiteMemory(), load_watts=20000.0, export_limit_watts=0.0, generation_limit_watts=limit_watts
    )

    assert excess.is_exceeded is (limit_watts is not None)
