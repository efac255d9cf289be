"""How far PV at its limit is let at the cost of hybrids: what it grew by says whether its limit holds it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.decide.ac.tries import tried_watts
from orchestrator.decide.memory import InverterMemory, LimitMemory, Output
from orchestrator.decide.plant.units import Unit
from tests.orchestrator.decide.ac.test_room import RATING, make_plant

HYBRIDS = make_plant([(1000.0, 1000.0, 0.0)]).units


def grown(by_watts: float, *, to_watts: float, limit_watts: float) -> Unit:
    """PV of 5 kW that makes `by_watts` more than at the last look."""
    seen = make_plant([(to_watts, limit_watts, None)]).units[0]
    before = Output(to_watts - by_watts, seen.sample.at_s - 1.0, throttled=True)
    return replace(seen, memory=InverterMemory(LimitMemory(limit_watts), output=before))


def test_pv_on_its_way_to_its_limit_is_let_three_times_what_it_grew_by() -> None:
    assert tried_watts(grown(60.0, to_watts=2000.0, limit_watts=2200.0), RATING, HYBRIDS, 0.0) == pytest.approx(180.0)


def test_what_is_imported_meanwhile_is_not_left_to_it_but_to_others_that_can_use_it() -> None:
    on_its_way = grown(60.0, to_watts=2000.0, limit_watts=2200.0)

    assert tried_watts(on_its_way, RATING, HYBRIDS, 100.0) == pytest.approx(80.0)
    assert tried_watts(on_its_way, RATING, HYBRIDS, 1000.0) == pytest.approx(60.0)
    assert tried_watts(on_its_way, RATING, HYBRIDS, -100.0) == pytest.approx(180.0)


def test_pv_right_at_its_limit_is_let_further_whatever_is_imported() -> None:
    at_its_limit = grown(60.0, to_watts=2000.0, limit_watts=2000.0)

    assert tried_watts(at_its_limit, RATING, HYBRIDS, 1000.0) == pytest.approx(180.0)
