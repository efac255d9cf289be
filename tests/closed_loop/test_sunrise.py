"""The sun rises while batteries cover the load and nothing may be exported: words, headroom and import are right."""

from __future__ import annotations

from itertools import pairwise
from math import fsum

import pytest

from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.example_site import DARK, plant

NOON = {"east": 3000.0, "west": 2000.0, "roof": 4000.0}


def sunrise(load_watts: float, rises_in_s: int) -> list[Moment]:
    loop = plant(pv_watts=DARK, load_watts=load_watts)
    loop.ask(export_limit_watts=0.0)
    loop.run(60)
    moments = []
    for second in range(rises_in_s):
        for name, watts in NOON.items():
            loop.site.set_pv_available(name, watts * second / rises_in_s)
        moments += loop.run(1)
    return moments


def imported_wh(moments: list[Moment]) -> float:
    return fsum(max(moment.site_watts, 0.0) for moment in moments) / 3600


def held_back_wh(moments: list[Moment]) -> float:
    """What AC limits keep PV from making."""
    return fsum(p.pv_available_watts - p.pv_watts for m in moments for p in m.powers) / 3600


def all_codes(moments: list[Moment]) -> set[str]:
    """Every code that is said of an inverter, with what is within it."""
    found = set()
    for reason in (r for m in moments for c in m.commands for r in c.reasons):
        inner = [reason]
        while inner:
            each = inner.pop()
            found.add(each.code)
            for fact in each.values.values():
                inner += [f for f in (fact if isinstance(fact, tuple) else (fact,)) if hasattr(f, "code")]
    return found


@pytest.mark.parametrize(("load_watts", "rises_in_s"), [(1500.0, 30), (4000.0, 60)])
def test_a_battery_that_its_ac_limit_holds_back_is_not_said_to_give_all_it_can(
    load_watts: float, rises_in_s: int
) -> None:
    assert "gives_no_more" not in all_codes(sunrise(load_watts, rises_in_s))


def test_what_holds_a_battery_back_at_sunrise_is_said_to_be_its_ac_limit() -> None:
    assert "ac_limit_holds_discharge" in all_codes(sunrise(4000.0, 30))


@pytest.mark.parametrize(("load_watts", "rises_in_s"), [(1500.0, 30), (4000.0, 60)])
def test_head_room_says_what_could_be_had_and_does_not_jump(load_watts: float, rises_in_s: int) -> None:
    moments = sunrise(load_watts, rises_in_s)
    found = [m.result.live.headroom_up_watts for m in moments if m.result is not None]

    for before, after in pairwise(found):
        assert before is not None
        assert after is not None
        assert abs(after - before) <= 0.1 * 17000.0


@pytest.mark.parametrize(("load_watts", "rises_in_s"), [(1500.0, 30), (1500.0, 120), (4000.0, 60)])
def test_room_does_not_go_from_hybrids_that_use_it_to_an_inverter_that_cannot(
    load_watts: float, rises_in_s: int
) -> None:
    moments = sunrise(load_watts, rises_in_s)

    assert max(moment.site_watts for moment in moments) < 280.0


@pytest.mark.parametrize(("load_watts", "rises_in_s"), [(1500.0, 30), (1500.0, 60), (1500.0, 120), (4000.0, 60)])
def test_what_is_tried_beyond_what_is_seen_is_hardly_imported(load_watts: float, rises_in_s: int) -> None:
    """No more is tried than the sun has risen by since it was seen last: else up to 1.1 kW would come from the grid."""
    assert imported_wh(sunrise(load_watts, rises_in_s)) < 0.55


@pytest.mark.parametrize(
    ("load_watts", "rises_in_s", "most_wh"),
    [(1500.0, 30, 4.0), (1500.0, 60, 3.2), (4000.0, 30, 2.0), (4000.0, 60, 2.0)],
)
def test_hardly_any_sun_is_held_back_while_it_rises(load_watts: float, rises_in_s: int, most_wh: float) -> None:
    assert held_back_wh(sunrise(load_watts, rises_in_s)) < most_wh


@pytest.mark.long
def test_over_eight_sunrises_little_more_is_imported_than_is_left_free_below_the_limit() -> None:
    """17 W are left free, 4.8 Wh in all."""
    moments = [sunrise(load_watts, rises_in_s) for load_watts in (1500.0, 4000.0) for rises_in_s in (30, 60, 120, 300)]

    assert fsum(map(imported_wh, moments)) < 5.0
    assert fsum(map(held_back_wh, moments)) < 17.0
    assert max(moment.site_watts for each in moments for moment in each) < 280.0
