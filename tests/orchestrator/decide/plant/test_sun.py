"""How much PV an AC limit may hide: from what was seen without it, and how fast that grew."""

from __future__ import annotations

from math import inf

import pytest
from msgspec.structs import force_setattr, replace

from orchestrator.decide.memory import InverterMemory, LimitMemory, Sun
from orchestrator.decide.plant.sun import may_hide_watts, remember_sun
from orchestrator.decide.plant.units import Unit
from orchestrator.samples import OperatingState
from tests.orchestrator.decide.ac.test_room import RATING, make_plant


def unit(pv_watts: float, at_s: float, *, limit_watts: float | None = None, sun: Sun | None = None) -> Unit:
    """An inverter of 5 kW without a battery, `pv_watts` at `at_s`."""
    seen = make_plant([(pv_watts, limit_watts, None)]).units[0]
    sample = replace(seen.sample, at_s=at_s)
    return replace(seen, sample=sample, memory=InverterMemory(LimitMemory(limit_watts), sun=sun))


def test_what_is_below_its_limit_shows_the_sun_and_how_fast_it_rises() -> None:
    before = Sun(1000.0, 10.0)

    assert remember_sun(unit(1100.0, 12.0, limit_watts=2000.0, sun=before), 12.0) == Sun(1100.0, 12.0, 50.0)
    assert remember_sun(unit(900.0, 12.0, sun=before), 12.0) == Sun(900.0, 12.0, 0.0)


def test_one_look_alone_says_nothing_of_how_fast_the_sun_rises() -> None:
    first = remember_sun(unit(1000.0, 10.0), 10.0)

    assert first == Sun(1000.0, 10.0, inf)
    assert may_hide_watts(unit(1000.0, 11.0, limit_watts=1000.0, sun=first), 11.0) == inf
    assert remember_sun(unit(1200.0, 12.0, sun=first), 12.0) == Sun(1200.0, 12.0, 100.0)


def test_what_stands_at_its_limit_shows_nothing_new_and_neither_does_an_old_reading() -> None:
    before = Sun(2000.0, 10.0, 40.0)

    assert remember_sun(unit(1500.0, 11.0, limit_watts=1500.0, sun=before), 11.0) is before
    assert remember_sun(unit(1500.0, 10.0, sun=before), 11.0) is before


def test_what_says_that_it_is_throttled_shows_nothing_new_on_its_way_to_a_higher_limit() -> None:
    before = Sun(2000.0, 10.0, 40.0)
    rising = unit(1200.0, 11.0, limit_watts=1900.0, sun=before)
    held = replace(rising, sample=replace(rising.sample, state=OperatingState.THROTTLED))

    assert remember_sun(held, 11.0) is before
    assert remember_sun(rising, 11.0) == Sun(1200.0, 11.0, 0.0)


def test_what_comes_back_behind_a_limit_that_has_risen_does_not_show_less_sun() -> None:
    before = Sun(2000.0, 10.0)
    coming = unit(1400.0, 12.0, limit_watts=2000.0, sun=before)
    force_setattr(coming, "throttled", True)

    assert remember_sun(coming, 12.0) is before


def test_more_than_it_should_be_able_to_make_behind_its_limit_shows_that_the_sun_is_another() -> None:
    assert remember_sun(unit(900.0, 15.0, limit_watts=900.0, sun=Sun(0.0, 10.0)), 15.0) == Sun(900.0, 15.0, 180.0)
    expected = Sun(0.0, 10.0, 120.0)
    assert remember_sun(unit(900.0, 15.0, limit_watts=900.0, sun=expected), 15.0) is expected


def test_a_limit_hides_what_was_seen_before_it_and_what_has_come_since() -> None:
    calm = unit(1500.0, 11.0, limit_watts=1500.0, sun=Sun(1800.0, 10.0))
    rising = unit(1500.0, 11.0, limit_watts=1500.0, sun=Sun(1800.0, 10.0, 200.0))

    assert may_hide_watts(calm, 10.0) == pytest.approx(300.0)
    assert may_hide_watts(calm, 12.0) == pytest.approx(300.0 + 2 * 0.006 * RATING)
    assert may_hide_watts(rising, 12.0) == pytest.approx(300.0 + 2 * 1.5 * 200.0)


def test_what_it_has_risen_by_behind_its_limit_is_not_hidden_any_more() -> None:
    rising = unit(2200.0, 13.0, limit_watts=2200.0, sun=Sun(1800.0, 10.0, 150.0))

    assert may_hide_watts(rising, 13.0) == pytest.approx(1800.0 + 3 * 1.5 * 150.0 - 2200.0)
    assert may_hide_watts(rising, 11.0) == 0.0


def test_of_pv_that_was_never_seen_without_a_limit_nothing_is_known() -> None:
    assert may_hide_watts(unit(0.0, 10.0, limit_watts=0.0), 10.0) == inf
