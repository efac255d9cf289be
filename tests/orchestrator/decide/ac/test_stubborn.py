"""An inverter that says that it makes more than its AC limit, and goes on saying so: it is stuck, or does not obey."""

from __future__ import annotations

import pytest
from msgspec import structs

from orchestrator.decide.ac.limit import (
    STUBBORN_AFTER_S,
    above_limit_since_s,
    insistence,
    limits_of_stubborn,
    stubborn_units,
    unmoved_since_s,
)
from orchestrator.decide.memory import InverterMemory, Output
from orchestrator.decide.plant.units import Unit
from orchestrator.samples import Nameplate
from orchestrator.simulation.measuring.measures import seconds_above
from orchestrator.simulation.scenarios.scenario import parse_scenario, play
from tests.support.plants.example_site import plant
from tests.support.records.cycles import inverter_sample, site_config

RATING_WATTS = 8000.0

FROZEN = """
title: one of two inverters says for ever what it made when the export limit fell
duration_s: 60
inverters:
  frozen: {pv_peak_watts: 8000, ac_rating_watts: 8000}
  honest: {pv_peak_watts: 8000, ac_rating_watts: 8000}
timeline:
  - {at_s: 0, load_watts: 1000, pv_watts: {frozen: 5000, honest: 5000}, setpoint: {export_limit_watts: 9000}}
  - {at_s: 10, inverters: {frozen: frozen}}
  - {at_s: 15, setpoint: {export_limit_watts: 3000}}
expect:
  - {measure: energy_gap_wh, at_most: 0.001}
"""


def unit(ac_watts: float, *, since_s: float | None = None, limit_watts: float = 2000.0) -> Unit:
    sample = inverter_sample("east", ac_watts=ac_watts, battery=None, nameplate=Nameplate(ac_max_watts=RATING_WATTS))
    memory = InverterMemory(above_limit_since_s=since_s)
    return Unit("east", site_config().inverters[0], sample, memory, RATING_WATTS, limit_watts, None)


@pytest.mark.parametrize(("ac_watts", "since_s"), [(2100.0, None), (2200.0, 50.0), (1000.0, None)])
def test_a_little_more_than_its_limit_is_what_it_was_told(ac_watts: float, since_s: float | None) -> None:
    assert above_limit_since_s(unit(ac_watts), 50.0) == since_s


def test_one_is_stubborn_when_it_has_been_above_for_five_seconds() -> None:
    assert above_limit_since_s(unit(5000.0, since_s=50.0), 54.0) == 50.0
    assert stubborn_units([unit(5000.0, since_s=50.0)], 50.0 + STUBBORN_AFTER_S - 0.1) == []
    stubborn = unit(5000.0, since_s=50.0)
    assert stubborn_units([stubborn, unit(1000.0)], 50.0 + STUBBORN_AFTER_S) == [stubborn]


def looks(ac_watts: list[float], *, same_reading: bool = False) -> list[bool]:
    """Whether it is stubborn at each of these looks, one a second, under a limit of 2000 W from 50 s on."""
    found, memory = [], InverterMemory()
    for second, watts in enumerate(ac_watts):
        now_s = 50.0 + second
        each = structs.replace(unit(watts), memory=memory)
        each = structs.replace(each, sample=structs.replace(each.sample, at_s=50.0 if same_reading else now_s))
        found.append(bool(stubborn_units([each], now_s)))
        memory = InverterMemory(
            above_limit_since_s=above_limit_since_s(each, now_s),
            unmoved_since_s=unmoved_since_s(each, now_s),
            output=Output(each.ac_watts, each.sample.at_s, throttled=False),
        )
    return found


def test_one_that_does_not_move_towards_its_limit_is_stubborn_after_two_seconds() -> None:
    assert looks([5000.0, 5000.0, 4990.0, 4990.0]) == [False, False, True, True]
    assert looks([5000.0, 4000.0, 3000.0], same_reading=True) == [False, False, True]


def test_one_that_comes_down_is_given_five_seconds() -> None:
    assert looks([5000.0, 4800.0, 4600.0, 4400.0, 4200.0, 4000.0]) == [False] * 5 + [True]


def test_one_that_stops_coming_down_is_stubborn_two_seconds_later() -> None:
    assert looks([5000.0, 4000.0, 4000.0, 4000.0]) == [False, False, False, True]


def told_anew_at_s(ac_watts: list[float]) -> list[int]:
    """At which of these looks, one a second, it is told anew under a limit of 0 W."""
    found, memory = [], InverterMemory()
    for second, watts in enumerate(ac_watts):
        now_s = 50.0 + second
        each = structs.replace(unit(watts, limit_watts=0.0), memory=memory)
        each = structs.replace(each, sample=structs.replace(each.sample, at_s=now_s))
        after = insistence(each, now_s)
        found += [second] if after.times > memory.insistence.times else []
        memory = InverterMemory(
            above_limit_since_s=above_limit_since_s(each, now_s),
            unmoved_since_s=unmoved_since_s(each, now_s),
            output=Output(each.ac_watts, each.sample.at_s, throttled=False),
            insistence=after,
        )
    return found


def test_one_that_does_not_obey_is_told_anew_within_five_seconds_then_more_rarely_and_for_ever() -> None:
    assert told_anew_at_s([5000.0] * 140) == [2, 6, 14, 30, 60, 90, 120]


def test_one_that_obeys_again_and_then_forgets_again_is_told_anew_as_soon_as_the_first_time() -> None:
    assert told_anew_at_s([*[5000.0] * 10, 0.0, *[5000.0] * 5]) == [2, 6, 13]
    assert told_anew_at_s([0.0] * 60) == []


def test_people_and_the_device_are_told_that_it_makes_more_than_its_limit() -> None:
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 5000.0}, load_watts=0.0)
    for name in ("east", "west"):
        loop.site.set_soc(name, 100.0)
    loop.ask(export_limit_watts=4000.0)
    loop.run(20)
    loop.site.in_time["roof"].receiver.ignores_commands = True
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    result = loop.history[-1].result

    assert result.commands[2].insists >= 2
    assert "above_its_limit" in [reason.code for reason in result.commands[2].reasons]
    assert result.above_limit["roof"].code == "above_its_limit"


@pytest.mark.parametrize(
    ("room_watts", "limit_watts"), [(9000.0, 2000.0), (5000.0, 2000.0), (4500.0, 1500.0), (0.0, 0.0)]
)
def test_its_limit_does_not_rise_and_falls_by_what_it_makes_beyond_the_room(
    room_watts: float, limit_watts: float
) -> None:
    assert limits_of_stubborn([unit(5000.0)], room_watts) == {"east": pytest.approx(limit_watts)}


def test_several_share_what_they_make_beyond_the_room() -> None:
    both = [unit(5000.0), structs.replace(unit(5000.0, limit_watts=6000.0), name="west")]

    assert limits_of_stubborn(both, 6000.0) == {"east": pytest.approx(1000), "west": pytest.approx(3000)}


def test_an_inverter_that_obeys_makes_room_at_once_for_one_that_is_found_not_to() -> None:
    loop = plant(pv_watts={"east": 5000.0, "west": 0.0, "roof": 5000.0})
    for name in ("east", "west"):
        loop.site.set_soc(name, 100.0)
    loop.ask(export_limit_watts=7000.0)
    loop.run(20)
    loop.site.in_time["east"].receiver.ignores_commands = True
    loop.ask(export_limit_watts=4000.0)
    moments = loop.run(40)

    noise_watts = 0.02 * 17000.0
    assert [moment.at_s - 20.0 for moment in moments if -moment.site_watts > 4000.0 + noise_watts][-1] <= 5.0


def test_the_export_limit_holds_though_one_inverter_is_stuck_at_an_old_reading() -> None:
    scenario = parse_scenario(FROZEN)

    run = play(scenario).between(25.0)

    assert seconds_above(run) == 0
    assert sum(-moment.site_watts for moment in run.moments) / len(run.moments) == pytest.approx(3000, rel=0.05)
