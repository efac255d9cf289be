"""A plant at rest asks its meter by making a little less; it never makes more for that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from orchestrator.config.sections import FailsafeConfig, SiteConfig
from orchestrator.decide.memory import ControlState, MeterTrust, Question, SignVotes
from orchestrator.decide.meter.question import AGAIN_AFTER_S, PATIENCE_S, QUIET_S, ask_meter, lowered
from orchestrator.decide.plant.units import Plant, see_plant
from orchestrator.samples import InverterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.example_site import plant as example_plant
from tests.support.plants.virtual_site import site_config

CONFIG: SiteConfig = site_config()
LIMITED = SetpointFields(export_limit_watts=0.0)
PROVEN = MeterTrust(changed_at_s=0.0, sign=SignVotes(count=1))
SUSPECT = MeterTrust(changed_at_s=0.0, sign=SignVotes(count=-1, rests=2))


def plant(ac_watts: float = 4000.0) -> Plant:
    samples = tuple(
        InverterSample(n, 0.0, ac_watts=ac_watts / 2, nameplate=Nameplate(ac_max_watts=5000.0))
        for n in ("east", "west")
    )
    return see_plant(CONFIG, ControlState(), SiteSnapshot(0.0, None, samples), SetpointFields())


def ask(trust: MeterTrust, now_s: float, wanted: SetpointFields = LIMITED, made_watts: float = 4000.0) -> MeterTrust:
    return ask_meter(trust, plant(made_watts), wanted, after_s=QUIET_S, running_s=now_s, now_s=now_s)


def test_a_meter_that_shows_one_value_for_ten_seconds_is_asked() -> None:
    assert not ask(PROVEN, QUIET_S - 1).question.is_open
    assert ask(PROVEN, QUIET_S).question.is_open


def test_a_meter_that_has_always_fluttered_is_asked_after_a_few_seconds_of_rest() -> None:
    fluttering = structs.replace(PROVEN, longest_gap_s=1.0)
    slower = structs.replace(PROVEN, longest_gap_s=3.0)

    def asks(trust: MeterTrust, quiet_s: float) -> bool:
        now_s = 1000.0
        seen = structs.replace(trust, changed_at_s=now_s - quiet_s)
        return ask_meter(seen, plant(), LIMITED, after_s=300.0, running_s=now_s, now_s=now_s).question.is_open

    assert not asks(fluttering, 4.9)
    assert asks(fluttering, 5.0)
    assert not asks(slower, 8.9)
    assert asks(slower, 9.0)
    assert not asks(PROVEN, 299.0)
    assert asks(PROVEN, 300.0)


def test_a_meter_with_a_vote_against_it_is_asked_as_soon_as_the_plant_rests() -> None:
    young = structs.replace(SUSPECT, changed_at_s=QUIET_S)
    moving = structs.replace(young, sign=SignVotes(count=-1))

    assert ask(young, QUIET_S).question.is_open
    assert not ask(moving, QUIET_S).question.is_open


def test_a_meter_that_proved_nothing_since_the_start_is_asked_once_the_plant_has_settled() -> None:
    unknown = MeterTrust(changed_at_s=QUIET_S)

    assert not ask(structs.replace(unknown, changed_at_s=1.0), 2.0).question.is_open
    assert ask(unknown, QUIET_S).question.is_open


@pytest.mark.parametrize(
    ("wanted", "made_watts"),
    [
        (SetpointFields(), 4000.0),
        (SetpointFields(export_limit_watts=5000.0), 4000.0),
        (LIMITED, 0.0),
        (SetpointFields(export_limit_watts=0.0, import_limit_watts=100.0), 4000.0),
    ],
)
def test_nothing_is_asked_where_no_export_limit_can_be_exceeded_or_no_import_is_left(
    wanted: SetpointFields, made_watts: float
) -> None:
    assert not ask(PROVEN, QUIET_S, wanted, made_watts).question.is_open


def test_an_answer_ends_the_question_and_the_next_one_waits() -> None:
    asked = ask(PROVEN, QUIET_S)
    answered = ask(structs.replace(asked, changed_at_s=QUIET_S + 1), QUIET_S + 1)
    quiet_again = structs.replace(answered, changed_at_s=QUIET_S + 1)

    assert not answered.question.is_open
    assert answered.question.disturbs(QUIET_S + 2)
    assert not answered.question.disturbs(QUIET_S + 5)
    assert not ask(quiet_again, QUIET_S + AGAIN_AFTER_S - 1).question.is_open
    assert ask(quiet_again, QUIET_S + AGAIN_AFTER_S).question.is_open


def test_a_question_that_nobody_answers_ends_too() -> None:
    asked = ask(PROVEN, QUIET_S)

    assert ask(asked, QUIET_S + PATIENCE_S).question.is_open
    assert not ask(asked, QUIET_S + PATIENCE_S + 1).question.is_open


def test_each_vote_against_the_meter_asks_for_twice_as_much() -> None:
    asked = ask(structs.replace(SUSPECT, changed_at_s=QUIET_S), QUIET_S)
    once_more = ask(structs.replace(asked, sign=SignVotes(count=-2)), QUIET_S + 1)

    assert asked.question.step_watts == pytest.approx(400)
    assert once_more.question.step_watts == pytest.approx(800)


def test_while_it_is_asked_each_makes_a_little_less_than_it_makes() -> None:
    question = Question(True, 10.0, step_watts=400.0)

    assert lowered(question, {"east": 5000.0, "west": 100.0}, plant(), 10.0) == {"east": 1800.0, "west": 100.0}


def test_the_limits_do_not_rise_until_the_question_is_over() -> None:
    question = Question(True, 10.0, step_watts=400.0)
    samples = tuple(InverterSample(n, 0.0, 1800.0, nameplate=Nameplate(ac_max_watts=5000.0)) for n in ("east", "west"))
    limited = see_plant(CONFIG, ControlState(), SiteSnapshot(0.0, None, samples), LIMITED)
    held = Plant(tuple(structs.replace(u, limit_watts=1800.0) for u in limited.units))

    assert lowered(question, {"east": 5000.0, "west": 1700.0}, held, 11.0) == {"east": 1800.0, "west": 1700.0}
    assert lowered(Question(), {"east": 5000.0}, held, 11.0) == {"east": 5000.0}


def test_an_inverter_whose_flash_a_limit_wears_takes_no_part() -> None:
    question = Question(True, 10.0, step_watts=400.0)
    units = plant().units
    worn = structs.replace(units[0], sample=structs.replace(units[0].sample, ac_limit_wears=True))

    left = lowered(question, {"east": 5000.0, "west": 5000.0}, Plant((worn, units[1])), 10.0)

    assert left == {"east": 5000.0, "west": 1600.0}


def test_a_question_ends_when_more_is_imported_than_may_be() -> None:
    limited = replace(LIMITED, import_limit_watts=3000.0)
    asked = ask(PROVEN, QUIET_S, wanted=limited)
    importing = structs.replace(asked, site_watts=4000.0)

    assert asked.question.is_open
    assert not ask(importing, QUIET_S + 1, wanted=limited).question.is_open
    assert ask(importing, QUIET_S + 1).question.is_open


def test_nothing_is_asked_while_too_little_is_made_for_a_step() -> None:
    assert not ask(PROVEN, QUIET_S, made_watts=150.0).question.is_open


def test_charging_gives_way_to_a_load_that_rises_while_the_meter_is_asked() -> None:
    loop = example_plant(failsafe=FailsafeConfig(ask_meter_after_s=10.0))
    loop.ask(export_limit_watts=0.0)
    while not loop.state.trust.question.is_open:
        loop.run(1)
    loop.site.set_load(6000.0)
    loop.run(2)

    assert loop.state.trust.question.disturbs(loop.now_s)
    assert sum(command.battery.watts for command in loop.history[-1].commands if command.battery) < 5500
