"""An excess counts in steps, and not while charging that was expected comes."""

from __future__ import annotations

import pytest

from orchestrator.decide.ac.excess import Excess, watch_excess
from orchestrator.decide.memory import SiteMemory
from tests.orchestrator.decide.ac.test_room import make_plant

PLANT = make_plant([(5000.0, None, None), (5000.0, None, None)])
"""Nameplate 10 kW, all of it made."""


def watched(before: Excess, excess_watts: float) -> Excess:
    memory = SiteMemory(excess_steps=before.steps, excess_watts=before.watts)
    limit_watts = 10000.0 - excess_watts
    return watch_excess(PLANT, memory, load_watts=0.0, export_limit_watts=limit_watts, generation_limit_watts=None)


def after(*excesses_watts: float) -> Excess:
    excess = Excess(False)
    for watts in excesses_watts:
        excess = watched(excess, watts)
    return excess


def test_what_headroom_explains_is_exceeded_and_counts_for_nothing() -> None:
    assert after(30.0, 30.0, 30.0) == Excess(False)
    assert after(100.0, 100.0, 100.0) == Excess(True)


def test_after_two_steps_nothing_is_expected_any_more() -> None:
    assert not after(500.0, 500.0).lasts
    assert after(500.0, 500.0, 500.0).lasts


def test_a_small_excess_that_halves_is_waited_for() -> None:
    assert not after(3000.0, 900.0, 400.0, 190.0).lasts
    assert after(3000.0, 900.0, 700.0, 600.0).lasts


def test_a_large_excess_is_not_waited_for() -> None:
    assert after(9000.0, 4000.0, 1900.0).lasts


def test_what_has_ended_is_forgotten() -> None:
    assert after(500.0, 500.0, 500.0, 0.0).steps == 0


@pytest.mark.parametrize("limit_watts", [None, 9000.0])
def test_a_generation_limit_counts_as_an_export_limit_does(limit_watts: float | None) -> None:
    excess = watch_excess(
        PLANT, SiteMemory(), load_watts=20000.0, export_limit_watts=0.0, generation_limit_watts=limit_watts
    )

    assert excess.is_exceeded is (limit_watts is not None)
