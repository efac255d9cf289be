"""Which AC limit a command leaves for the time after it, for devices that can be told what to revert to."""

from __future__ import annotations

import pytest

from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import plant

RATINGS = {"east": 5000, "west": 4000, "roof": 8000}


def limits_after(loop: ClosedLoop) -> dict[str, float | None]:
    return {c.inverter: c.ac_limit_after_watts for c in loop.history[-1].result.commands}


def settled(when_lost: str, failsafe_watts: float = 0.0, **asked: float) -> ClosedLoop:
    loop = plant(failsafe={"when_lost": when_lost, "export_limit_watts": failsafe_watts})
    loop.ask(**asked)
    loop.run(5)
    return loop


def test_where_limits_are_to_stay_it_is_the_one_that_is_safe_at_zero_load() -> None:
    assert limits_after(settled("stay", export_limit_watts=3000.0)) == {"east": 0, "west": 0, "roof": 0}


def test_what_the_failsafe_allows_is_shared_by_rating() -> None:
    after = limits_after(settled("stay", 1700.0, export_limit_watts=3000.0))

    assert after == pytest.approx({name: watts / 10 for name, watts in RATINGS.items()})


@pytest.mark.parametrize("loop", [settled("release", export_limit_watts=3000.0), settled("stay")])
def test_where_they_end_with_their_time_or_nothing_limits_there_is_none(loop: ClosedLoop) -> None:
    assert set(limits_after(loop).values()) == {None}
