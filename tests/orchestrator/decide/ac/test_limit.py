"""From the room to the AC limit that is commanded: what is too small to be written, and what is not."""

from __future__ import annotations

import pytest

from orchestrator.decide.ac.limit import command_limit
from orchestrator.decide.memory import InverterMemory, LimitMemory
from orchestrator.decide.plant.units import Unit
from orchestrator.samples import Nameplate
from tests.support.records.cycles import inverter_sample, site_config

RATING_WATTS = 8000.0
LIMIT_WATTS = 4000.0


def commanded_watts(
    wanted_watts: float, *, ac_watts: float = 3900.0, needed_now: bool = False, tries_more: bool = False
) -> float | None:
    sample = inverter_sample("east", ac_watts=ac_watts, battery=None, nameplate=Nameplate(ac_max_watts=RATING_WATTS))
    memory = InverterMemory(limit=LimitMemory(LIMIT_WATTS))
    unit = Unit("east", site_config().inverters[0], sample, memory, RATING_WATTS, LIMIT_WATTS, None)
    limit_watts, _ = command_limit(
        unit,
        wanted_watts,
        known_watts=0.0,
        needed_now=needed_now,
        tries_more=tries_more,
        rate_watts_per_s=1600.0,
        dt_s=1.0,
        now_s=100.0,
    )
    return limit_watts


@pytest.mark.parametrize("wanted_watts", [3930.0, 4070.0])
def test_a_change_of_less_than_one_percent_waits(wanted_watts: float) -> None:
    assert commanded_watts(wanted_watts) == LIMIT_WATTS


def test_a_small_reduction_does_not_wait_while_a_limit_is_exceeded() -> None:
    assert commanded_watts(3990.0, needed_now=True) == 3990.0


def test_a_small_rise_does_not_wait_while_a_step_is_tried_that_would_fail_without_it() -> None:
    assert commanded_watts(4070.0, tries_more=True) == 4070.0
    assert commanded_watts(4010.0, tries_more=True) == LIMIT_WATTS
    assert commanded_watts(3930.0, tries_more=True) == LIMIT_WATTS


def test_one_that_says_that_it_makes_more_than_its_limit_gets_no_higher_one_while_a_limit_is_exceeded() -> None:
    assert commanded_watts(5000.0, ac_watts=6000.0, needed_now=True) == LIMIT_WATTS
    assert commanded_watts(3000.0, ac_watts=6000.0, needed_now=True) == 3000.0
    assert commanded_watts(5000.0, ac_watts=6000.0) == 5000.0
    assert commanded_watts(5000.0, needed_now=True) == 5000.0
