"""The loop of a site without threads: a test moves the time and plays the devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.loop.cadence import FIRST_SAMPLES_WAIT_S
from orchestrator.loop.messages import (
    Acknowledged,
    Event,
    HandedBack,
    Read,
    Report,
    SetpointReceived,
    SetpointWithdrawn,
    StopAsked,
    TimePassed,
)
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from tests.support.plants.loop_bench import Bench, site_config


@pytest.fixture
def bench() -> Bench:
    """A site whose devices have all been heard once, one second ago."""
    bench = Bench()
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)
    bench.advance(1.0)
    bench.round("east", "west", watts=101.0)
    bench.actions[:] = bench.of(Read)
    return bench


def reads(bench: Bench) -> int:
    return len(bench.of(Read))


def test_the_first_wake_up_begins_a_cycle() -> None:
    bench = Bench()
    bench.tell(TimePassed())

    assert reads(bench) == 1


def test_a_new_meter_value_begins_a_cycle_half_an_interval_after_the_last(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.5)
    bench.meter(2000.0)

    assert reads(bench) == before + 1


def test_a_new_meter_value_that_comes_too_early_waits_for_the_next_poll_and_no_longer(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.25)
    bench.meter(2000.0)
    bench.advance(0.29)
    assert reads(bench) == before

    bench.advance(0.02)
    assert reads(bench) == before + 1


def test_a_value_that_was_to_be_expected_begins_a_cycle_after_a_whole_interval(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.5)
    bench.meter(150.0)
    bench.advance(0.45)
    assert reads(bench) == before

    bench.advance(0.05)
    assert reads(bench) == before + 1


def test_what_the_plant_is_told_to_do_is_no_news_and_what_goes_beyond_is(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", "west", watts=3000.0)
    before = reads(bench)
    bench.advance(0.5)
    bench.meter(1000.0)
    bench.advance(0.1)
    assert reads(bench) == before

    bench.meter(-500.0)
    bench.advance(0.1)
    assert reads(bench) == before + 1


def test_while_the_meter_is_doubted_every_value_is_news(bench: Bench) -> None:
    bench.advance(1.25)
    for name in ("east", "west"):
        bench.report(name, ac_watts=3000.0)
    before = reads(bench)
    bench.advance(0.5)
    bench.meter(102.0)

    assert reads(bench) == before + 1


def test_a_cycle_begins_with_a_value_that_has_just_come(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.25)
    bench.meter(2000.0)
    bench.advance(0.26)
    bench.meter(3000.0)

    assert reads(bench) == before + 1


def test_an_unchanged_meter_value_begins_no_cycle(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.9)
    bench.meter()

    assert reads(bench) == before


def test_without_a_new_value_the_watchdog_begins_the_cycle_after_one_and_a_quarter_intervals(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(1.24)
    assert reads(bench) == before

    bench.advance(0.02)
    assert reads(bench) == before + 1


def test_a_value_that_stays_the_same_while_ac_power_moves_is_looked_at_once_an_interval(bench: Bench) -> None:
    bench.advance(1.25)
    for name in ("east", "west"):
        bench.report(name, ac_watts=3000.0)
    before = reads(bench)
    bench.advance(0.99)
    assert reads(bench) == before

    bench.advance(0.02)
    assert reads(bench) == before + 1


def test_it_is_decided_as_soon_as_all_have_reported(bench: Bench) -> None:
    bench.advance(1.0)
    bench.meter(2000.0)
    bench.report("east")
    assert bench.results == []

    bench.report("west")

    assert len(bench.results) == 1
    assert bench.results[0].mode == "normal"
    assert [len(bench.commands(name)) for name in ("east", "west")] == [1, 1]


def test_a_slow_inverter_delays_the_decision_by_a_third_of_a_second_at_most(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=2000.0)
    bench.advance(0.29)
    assert bench.results == []

    bench.advance(0.02)

    assert len(bench.results) == 1
    assert bench.results[0].snapshot.away == ()


def test_an_inverter_whose_reports_come_late_stays_in_with_its_newest_sample(bench: Bench) -> None:
    for watts in (2000.0, 3000.0, 4000.0, 5000.0):
        bench.advance(0.1)
        bench.report("west")
        bench.advance(0.5)
        bench.round("east", watts=watts)
        bench.advance(0.31)

    assert len(bench.results) == 4
    assert all(result.snapshot.away == () for result in bench.results)


def test_an_inverter_that_was_too_slow_is_not_waited_for_until_it_is_in_time_again(bench: Bench) -> None:
    def decided_at_once() -> bool:
        bench.advance(0.6)
        before = len(bench.results)
        bench.round("east", watts=1000.0 * (bench.now_s - 1000.0))
        return len(bench.results) == before + 1

    decisions = [decided_at_once()]
    bench.advance(0.4)
    bench.report("west")
    decisions.append(decided_at_once())
    bench.report("west", bench.cycle - 1)
    decisions.append(decided_at_once())
    bench.report("west")
    decisions.append(decided_at_once())

    assert decisions == [False, True, True, False]


def test_an_inverter_that_says_nothing_costs_one_wait_only(bench: Bench) -> None:
    bench.advance(0.6)
    bench.round("east", watts=2000.0)
    bench.advance(0.6)
    bench.round("east", watts=3000.0)

    assert len(bench.results) == 2
    assert bench.results[-1].snapshot.away == ()


def test_the_end_of_an_earlier_wait_does_not_end_that_of_the_present_cycle() -> None:
    bench = Bench(site_config(interval_s=0.2))
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)
    bench.advance(0.2)
    bench.round("east", watts=2000.0)
    assert len(bench.results) == 1

    bench.advance(0.15)

    assert len(bench.results) == 1


def test_a_failed_attempt_counts_as_an_answer_and_leaves_the_inverter_out(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=2000.0)
    bench.fault("west")

    assert bench.results[-1].snapshot.away == ("west",)
    assert [command.inverter for command in bench.results[-1].commands] == ["east"]


def test_why_a_device_does_not_answer_reaches_everybody_in_the_words_of_who_asked_it(bench: Bench) -> None:
    bench.advance(1.0)
    bench.meter(2000.0)
    bench.tell(Report("east", bench.cycle, fault="connection", why=because("no_way_to_host", where="10.0.0.9:502")))
    bench.tell(Report("meter", 0, fault="timeout", why=because("no_answer", where="10.0.0.9:502", unit_id=200)))
    bench.advance(6.0)

    troubles = bench.results[-1].snapshot.troubles
    assert troubles["east"] == because("no_way_to_host", where="10.0.0.9:502")
    assert troubles["meter"] == because("no_answer", where="10.0.0.9:502", unit_id=200)
    assert troubles["west"] == because("silent_for", seconds=2.0)


def test_an_inverter_that_is_away_is_still_asked_and_never_waited_for(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=2000.0)
    bench.fault("west")
    before = reads(bench)
    bench.advance(0.6)

    bench.round("east", watts=3000.0)

    assert len(bench.results) == 2
    assert reads(bench) == before + 1


def test_an_inverter_that_is_back_is_commanded_in_the_same_cycle(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=2000.0)
    bench.fault("west")
    bench.advance(0.6)
    bench.meter(3000.0)
    bench.report("west")
    bench.report("east")

    assert bench.results[-1].snapshot.away == ()


def test_two_intervals_without_a_word_make_an_inverter_away(bench: Bench) -> None:
    away = []
    for watts in (2000.0, 3000.0, 4000.0):
        bench.advance(0.5)
        bench.round("east", watts=watts)
        bench.advance(0.31)
        away.append(bench.results[-1].snapshot.away)

    assert away == [(), (), ("west",)]


def test_a_silent_meter_is_missing_from_the_snapshot_after_three_periods(bench: Bench) -> None:
    for _ in range(6):
        bench.advance(0.5)
        for name in ("east", "west"):
            bench.report(name)
    assert bench.results[-1].snapshot.meter is not None

    bench.advance(1.3)
    for name in ("east", "west"):
        bench.report(name)

    assert bench.results[-1].snapshot.meter is None
    assert bench.results[-1].mode == "failsafe"


def test_commands_carry_the_time_of_their_decision(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", "west", watts=2000.0)

    assert bench.commands("east")[-1].issued_at_s == bench.now_s


def test_shadow_mode_decides_and_tells_and_commands_nobody() -> None:
    bench = Bench(site_config(enabled=False))
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)

    assert len(bench.results[-1].commands) == 2
    assert bench.commands("east") == bench.commands("west") == []

    bench.tell(StopAsked())
    assert bench.released() == []
    assert bench.of(HandedBack)


def test_an_inverter_that_may_not_be_controlled_is_never_commanded() -> None:
    config = site_config()
    east = config.inverters[0].model_copy(update={"control": False})
    bench = Bench(config.model_copy(update={"inverters": (east, config.inverters[1])}))
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)

    assert bench.commands("east") == []
    assert len(bench.commands("west")) == 1


def test_nothing_is_commanded_before_every_device_has_been_heard_once() -> None:
    bench = Bench()
    bench.tell(TimePassed())
    bench.meter(100.0)
    bench.report("east")
    bench.advance(0.4)

    assert bench.results[-1].mode == "waiting"
    assert bench.commands("east") == []


def test_after_three_seconds_it_goes_on_with_what_is_there() -> None:
    bench = Bench()
    bench.tell(TimePassed())
    for watts in range(8):
        bench.meter(float(watts))
        bench.report("east")
        bench.advance(0.5)

    assert bench.results[-1].mode == "normal"
    assert bench.results[-1].snapshot.away == ("west",)
    assert bench.commands("east")


def limit(watts: float, expires_at_s: float | None = None) -> SetpointReceived:
    return SetpointReceived(Setpoint("mqtt", SetpointFields(export_limit_watts=watts), expires_at_s=expires_at_s))


def test_a_limit_that_falls_is_decided_on_at_once(bench: Bench) -> None:
    bench.advance(0.3)
    bench.tell(limit(0.0))

    assert len(bench.results) == 1
    assert bench.results[0].envelope.fields.export_limit_watts == 0.0


def test_falling_limits_are_decided_on_five_times_a_second_at_most_and_the_last_one_holds(bench: Bench) -> None:
    bench.advance(0.3)
    for watts in range(100, 0, -1):
        bench.tell(limit(float(watts)))
        bench.advance(0.001)
    bench.advance(0.12)

    assert len(bench.results) == 2
    assert bench.results[-1].envelope.fields.export_limit_watts == 1.0


@pytest.mark.parametrize(
    "message",
    [limit(9000.0), SetpointWithdrawn("mqtt"), SetpointReceived(Setpoint("mqtt", SetpointFields()))],
    ids=["a higher limit", "a withdrawal", "an empty setpoint"],
)
def test_what_limits_no_further_waits_for_the_next_cycle(bench: Bench, message: Any) -> None:
    bench.advance(0.3)
    bench.tell(message)
    bench.advance(0.3)

    assert bench.results == []


def test_a_withdrawn_setpoint_is_gone_with_the_next_cycle(bench: Bench) -> None:
    bench.tell(limit(0.0))
    bench.tell(SetpointWithdrawn("mqtt"))
    bench.advance(1.0)
    bench.round("east", "west", watts=2000.0)

    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0


def limit_until(watts: float, until_wall_s: float) -> SetpointReceived:
    return SetpointReceived(Setpoint("mqtt", SetpointFields(export_limit_watts=watts), until_wall_s=until_wall_s))


def test_a_setpoint_that_ended_hours_ago_ends_as_soon_as_the_clock_is_put_right(bench: Bench) -> None:
    """The machine woke up 6 h in the past: by its clock the setpoint has an hour left."""
    bench.wall_ahead_s = -6 * 3600.0
    bench.tell(limit_until(1000.0, bench.now_s - 5 * 3600.0))
    bench.advance(1.0)
    bench.round("east", "west", watts=2000.0)
    assert bench.results[-1].envelope.fields.export_limit_watts == 1000.0

    bench.wall_ahead_s = 0.0
    bench.advance(1.0)
    bench.round("east", "west", watts=201.0)

    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0


def test_a_setpoint_that_had_ended_by_a_wrong_clock_holds_at_once_when_it_is_put_right(bench: Bench) -> None:
    bench.wall_ahead_s = 6 * 3600.0
    bench.tell(limit_until(1000.0, bench.now_s + 3600.0))
    bench.advance(1.0)
    bench.round("east", "west", watts=2000.0)
    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0

    bench.advance(0.3)
    bench.wall_ahead_s = 0.0
    bench.tell(TimePassed())

    assert bench.results[-1].envelope.fields.export_limit_watts == 1000.0


def test_it_wakes_up_when_the_message_says_that_a_setpoint_ends(bench: Bench) -> None:
    bench.wall_ahead_s = 1e6
    bench.tell(TimePassed())
    bench.tell(limit_until(1000.0, bench.now_s + 1e6 + 0.2))

    assert bench.loop.next_wake_s == pytest.approx(bench.now_s + 0.2)


@pytest.mark.parametrize(
    ("by_s", "said"), [(2.5, "forward by 2 s"), (21600.0, "forward by 21600 s"), (-40, "back by 40 s")]
)
def test_a_jump_of_the_clock_is_an_event(bench: Bench, by_s: float, said: str) -> None:
    bench.wall_ahead_s += by_s
    bench.tell(TimePassed())
    bench.advance(5.0)

    jumps = [event for event in bench.of(Event) if event.name == "clock_jumped"]
    assert [event.subject for event in jumps] == ["site"]
    assert said in jumps[0].detail


def test_a_clock_that_is_slewed_has_not_jumped(bench: Bench) -> None:
    for _ in range(20):
        bench.advance(1.0)
        bench.wall_ahead_s += 0.5
        bench.tell(TimePassed())

    assert [event for event in bench.of(Event) if event.name == "clock_jumped"] == []


def test_a_default_that_is_stricter_comes_into_force_the_moment_a_setpoint_expires() -> None:
    config = site_config()
    source = config.setpoints.mqtt[0].model_copy(update={"default": limit_values(0.0)})
    setpoints = config.setpoints.model_copy(update={"mqtt": (source,)})
    bench = Bench(config.model_copy(update={"setpoints": setpoints}))
    bench.tell(TimePassed())
    for _ in range(2):
        bench.tell(limit(4000.0, expires_at_s=bench.now_s + 1.1))
        bench.round("east", "west", watts=bench.now_s)
        bench.advance(1.09)
        assert bench.results[-1].envelope.fields.export_limit_watts == 4000.0

        bench.advance(0.02)

        assert bench.results[-1].envelope.fields.export_limit_watts == 0.0


def limit_values(watts: float) -> Any:
    return replace(site_config().setpoints.fixed, export_limit_watts=watts)


def test_after_stop_nothing_is_decided_any_more(bench: Bench) -> None:
    bench.advance(0.5)
    bench.meter(2000.0)
    bench.tell(StopAsked())
    bench.report("east")
    bench.report("west")
    bench.tell(limit(0.0))
    bench.advance(10.0)
    bench.meter(3000.0)

    assert bench.results == []
    assert bench.commands("east") == []


def test_a_fault_of_the_meter_is_said_once_when_it_begins(bench: Bench) -> None:
    bench.advance(6.0)
    assert [e.name for e in bench.of(Event)] == ["meter_silent"]

    bench.meter(100.0)
    bench.advance(2.0)
    bench.advance(6.0)
    assert [e.name for e in bench.of(Event)] == ["meter_silent", "meter_silent"]


def test_stop_releases_every_inverter_and_is_over_when_all_have_answered(bench: Bench) -> None:
    bench.tell(StopAsked())
    assert bench.released() == ["east", "west"]
    bench.acknowledge("east")
    bench.tell(Acknowledged("west", 0.0, 0.0, 1))
    assert bench.of(HandedBack) == []

    bench.acknowledge("west")

    assert len(bench.of(HandedBack)) == 1
    assert bench.loop.next_wake_s == float("inf")


def without(config: SiteConfig, name: str) -> SiteConfig:
    return config.model_copy(update={"inverters": tuple(each for each in config.inverters if each.name != name)})


def test_an_inverter_that_is_taken_out_is_handed_back_and_the_others_go_on(bench: Bench) -> None:
    bench.reconfigure(without(bench.config, "west"))
    assert bench.released() == ["west"]
    assert bench.of(HandedBack) == []
    bench.acknowledge("west")
    assert len(bench.of(HandedBack)) == 1

    bench.advance(1.0)
    bench.round("east", watts=2000.0)

    assert [command.inverter for command in bench.results[-1].commands] == ["east"]
    assert bench.results[-1].snapshot.away == ()


def test_a_configuration_that_is_told_twice_hands_back_once_and_still_waits_for_the_answer(bench: Bench) -> None:
    new = without(bench.config, "west")
    bench.reconfigure(new)
    bench.reconfigure(new)
    assert bench.released() == ["west"]
    assert bench.of(HandedBack) == []

    bench.acknowledge("west")

    assert bench.of(HandedBack)


def test_a_configuration_that_asks_for_less_is_obeyed_at_once(bench: Bench) -> None:
    bench.advance(0.3)
    fixed = bench.config.setpoints.model_copy(update={"fixed": limit_values(0.0)})
    bench.reconfigure(bench.config.model_copy(update={"setpoints": fixed}))

    assert [result.envelope.fields.export_limit_watts for result in bench.results] == [0.0]


def test_a_configuration_after_the_stop_changes_nothing(bench: Bench) -> None:
    bench.tell(StopAsked())
    bench.actions.clear()
    bench.reconfigure(without(bench.config, "west"))

    assert bench.actions == []


def test_all_that_is_reported_at_the_very_end_of_the_wait_counts() -> None:
    """An inverter that was away is not waited for; at the moment when the time is up it is in all the same."""
    bench = Bench()
    bench.tell(TimePassed())
    bench.round("east", watts=100.0)
    bench.fault("west")
    bench.advance(0.6)
    bench.meter(2000.0)
    bench.now_s = bench.loop.next_wake_s
    before = len(bench.results)
    bench.report("east")
    bench.report("west")
    assert len(bench.results) == before
    bench.tell(TimePassed())

    assert bench.results[-1].snapshot.away == ()


def test_a_source_without_default_is_unheard_until_it_speaks_or_withdraws() -> None:
    def unheard(bench: Bench) -> tuple[str, ...]:
        bench.tell(TimePassed())
        bench.round("east", "west", watts=100.0)
        return bench.results[-1].envelope.unheard

    silent, heard, withdrew = Bench(), Bench(), Bench()
    heard.tell(SetpointReceived(Setpoint("mqtt", SetpointFields())))
    withdrew.tell(SetpointWithdrawn("mqtt"))

    assert unheard(silent) == ("mqtt",)
    assert unheard(heard) == unheard(withdrew) == ()
    assert unheard(Bench(kept=heard.kept)) == ()


def test_a_meter_that_never_spoke_is_silent_counted_from_the_start_and_not_from_the_first_decision() -> None:
    bench = Bench()

    bench.advance(FIRST_SAMPLES_WAIT_S)
    bench.advance(2 * bench.config.control.interval_s)

    assert bench.results[-1].mode == "failsafe"
    assert bench.now_s - 1000.0 <= 5.0
