"""Paused, released and resumed by hand: no limit is lifted by it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.commands import BatteryMode, InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import hands_off_commands
from orchestrator.explain.codes import code_paths
from orchestrator.explain.words import say_all
from orchestrator.loop.in_force import MANUAL, PAUSE, in_force, stands_against_pause
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import (
    Acknowledged,
    Command,
    HandedBack,
    Release,
    ReleaseAsked,
    ResumeAsked,
    SetpointReceived,
    SetpointWithdrawn,
    StopAsked,
    TimePassed,
)
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from tests.support.plants.loop_bench import Bench, sample, site_config

BOTH = ("east", "west")
PAUSED = Setpoint(PAUSE, SetpointFields(battery_storage_mode=0))


def started(kept: Kept | None = None, config: SiteConfig | None = None) -> Bench:
    bench = Bench(config, kept)
    bench.tell(TimePassed())
    bench.round(*BOTH, watts=100.0)
    bench.advance(1.0)
    bench.round(*BOTH, watts=101.0)
    return bench


def last_words(bench: Bench, name: str) -> list[InverterCommand]:
    return [each.command for each in bench.of(Release) if each.command.inverter == name]


def cycles(bench: Bench, count: int, *names: str) -> None:
    """So many cycles, with reports of `names` (both where none are given)."""
    for number in range(count):
        bench.advance(1.0)
        bench.round(*(names or BOTH), watts=200.0 + number + bench.now_s)


# Pause


def test_a_paused_battery_is_released_and_the_export_limit_is_kept() -> None:
    bench = started()
    bench.tell(SetpointReceived(PAUSED))
    cycles(bench, 2)
    command = bench.commands("east")[-1].command

    assert command.battery is not None
    assert command.battery.mode is BatteryMode.RELEASE
    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0


@pytest.mark.parametrize(
    "limit",
    [
        {"import_limit_watts": 3000.0},
        {"load_limit_watts": 3000.0},
        {"battery_charge_rate_percent": 10.0},
        {"battery_discharge_rate_percent": 0.0},
        {"battery_charge_max_watts": 100.0},
        {"battery_discharge_max_watts": 0.0},
        {"battery_soc_min_percent": 50.0},
        {"battery_soc_max_percent": 50.0},
        {"battery_grid_charging_enabled": False},
    ],
)
def test_a_limit_that_only_batteries_keep_wins_over_a_pause_at_once(limit: dict[str, Any]) -> None:
    bench = started()
    bench.tell(SetpointReceived(PAUSED))
    cycles(bench, 2)
    before = len(bench.results)
    bench.advance(0.3)
    bench.tell(SetpointReceived(Setpoint("mqtt", SetpointFields(**limit))))
    bench.advance(0.2)
    command = bench.commands("east")[-1].command

    assert len(bench.results) > before
    assert bench.results[-1].envelope.fields.battery_storage_mode is None
    assert command.battery is not None
    assert command.battery.mode is not BatteryMode.RELEASE

    bench.tell(SetpointWithdrawn("mqtt"))
    cycles(bench, 2)
    assert bench.results[-1].envelope.source("battery_storage_mode") == PAUSE


def test_what_site_yaml_says_of_the_state_of_charge_stands_against_no_pause() -> None:
    own = Setpoint("fixed", SetpointFields(battery_soc_min_percent=10.0, battery_grid_charging_enabled=False))
    other = Setpoint("mqtt", SetpointFields(battery_soc_min_percent=20.0))

    assert stands_against_pause(merge((own,))) == ()
    assert say_all(stands_against_pause(merge((own, other)))) == ("battery_soc_min_percent (mqtt)",)


def test_the_later_wish_by_hand_for_commanded_batteries_stands_against_a_pause() -> None:
    wish = Setpoint(MANUAL, SetpointFields(battery_storage_mode=3))
    config = site_config()

    assert PAUSE not in [each.source for each in in_force(config, {PAUSE: PAUSED, MANUAL: wish}, 0.0)]
    assert PAUSE in [each.source for each in in_force(config, {PAUSE: PAUSED}, 0.0)]


# Release


def test_a_release_hands_back_each_inverter_once_with_a_limit_that_is_safe_and_commands_no_more() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 1)
    before = len(bench.of(Command))
    cycles(bench, 5)

    for name in BOTH:
        assert [command.ac_limit_watts for command in last_words(bench, name)] == [0.0]
        assert not last_words(bench, name)[0].ac_limit_reverts
        battery = last_words(bench, name)[0].battery
        assert battery is not None
        assert battery.mode is BatteryMode.RELEASE
    assert len(bench.of(Command)) == before
    assert code_paths(bench.results[-1].reasons)[0] == "released_by_hand"


def test_cycles_go_on_while_it_is_released() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    before = len(bench.results)
    cycles(bench, 5)

    assert len(bench.results) >= before + 5
    assert not bench.of(HandedBack)


def test_when_lost_release_does_not_lift_a_limit_by_a_release_by_hand() -> None:
    bench = started(config=site_config(failsafe={"when_lost": "release", "export_limit_watts": 1000.0}))
    bench.tell(ReleaseAsked())
    cycles(bench, 1)

    assert last_words(bench, "east")[0].ac_limit_watts == 500.0


def test_a_stricter_limit_that_comes_meanwhile_is_handed_to_the_devices() -> None:
    bench = started(config=site_config(failsafe={"export_limit_watts": 4000.0}))
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    bench.tell(SetpointReceived(Setpoint("mqtt", SetpointFields(export_limit_watts=1000.0))))
    bench.advance(0.5)
    stricter = last_words(bench, "east")[-1].ac_limit_watts
    bench.tell(SetpointWithdrawn("mqtt"))
    cycles(bench, 3)

    assert [command.ac_limit_watts for command in last_words(bench, "east")] == [2000.0, 500.0]
    assert stricter == 500.0


@pytest.mark.parametrize("switch", ["energize", "connect"])
def test_a_site_that_is_switched_off_meanwhile_makes_nothing(switch: str) -> None:
    bench = started(config=site_config(failsafe={"export_limit_watts": 4000.0}))
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    bench.tell(SetpointReceived(Setpoint("mqtt", SetpointFields(**{switch: False}))))  # type: ignore[arg-type]
    bench.advance(0.5)

    assert last_words(bench, "west")[-1].ac_limit_watts == 0.0


def test_a_limit_that_only_batteries_keep_ends_a_release_for_as_long_as_it_is_asked_for() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    before = len(bench.of(Command))
    bench.tell(SetpointReceived(Setpoint("mqtt", SetpointFields(import_limit_watts=2000.0))))
    cycles(bench, 1)
    assert len(bench.of(Command)) > before

    bench.tell(SetpointWithdrawn("mqtt"))
    cycles(bench, 1)
    after = len(bench.of(Command))
    cycles(bench, 2)
    assert len(bench.of(Command)) == after
    assert len(last_words(bench, "east")) == 2


def test_an_inverter_that_was_away_is_handed_back_when_it_answers() -> None:
    bench = started()
    for _ in range(8):
        bench.advance(1.0)
        bench.meter(bench.now_s)
        bench.report("east")
        bench.fault("west")
    bench.tell(ReleaseAsked())
    cycles(bench, 1, "east")
    assert last_words(bench, "west") == []

    cycles(bench, 2)
    assert len(last_words(bench, "west")) == 1


def test_one_that_goes_away_and_comes_back_is_handed_back_again() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    for _ in range(8):
        bench.advance(1.0)
        bench.meter(bench.now_s)
        bench.report("east")
        bench.fault("west")
    cycles(bench, 2)

    assert len(last_words(bench, "west")) == 2
    assert len(last_words(bench, "east")) == 1


def test_one_that_has_not_taken_it_is_told_again() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 1)
    bench.tell(Acknowledged("east", bench.now_s, bench.now_s, 0, fault="timeout", released=True))
    cycles(bench, 1)

    assert len(last_words(bench, "east")) == 2
    assert len(last_words(bench, "west")) == 1


def test_after_a_resume_the_plant_is_commanded_again_from_what_is_found() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 3)
    before = len(bench.of(Command))
    resumed_s = bench.now_s
    bench.tell(ResumeAsked())
    cycles(bench, 1)

    assert len(bench.of(Command)) > before
    assert bench.loop.state.started_at_s >= resumed_s
    assert code_paths(bench.results[-1].reasons)[:1] != ("released_by_hand",)


def test_a_release_outlives_a_restart_of_the_loop() -> None:
    kept = Kept(released=True)
    bench = started(kept)
    cycles(bench, 2)

    assert bench.of(Command) == []
    assert set(bench.released()) == set(BOTH)


def test_told_twice_it_is_done_once() -> None:
    bench = started()
    for _ in range(3):
        bench.tell(ReleaseAsked())
        cycles(bench, 1)

    assert len(last_words(bench, "east")) == 1


def test_a_stop_while_it_is_released_is_an_ordinary_stop() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    bench.tell(StopAsked())
    for name in BOTH:
        bench.acknowledge(name)

    assert len(bench.of(HandedBack)) == 1
    assert len(last_words(bench, "east")) == 2


def test_a_battery_that_is_taken_out_of_control_meanwhile_gets_no_other_limit() -> None:
    bench = started()
    bench.tell(ReleaseAsked())
    cycles(bench, 2)
    bench.reconfigure(site_config({"battery": {"control": False}}))
    cycles(bench, 2)

    assert {command.ac_limit_watts for command in last_words(bench, "east")} == {0.0}


def test_in_shadow_mode_a_release_writes_nothing() -> None:
    bench = started(config=site_config(enabled=False))
    bench.tell(ReleaseAsked())
    cycles(bench, 2)

    assert bench.of(Release) == []


def test_where_a_source_was_never_heard_what_a_device_shows_stays() -> None:
    shown = [replace(sample(name, 0.0), ac_limit_watts=700.0) for name in BOTH]
    snapshot = SiteSnapshot(0.0, None, tuple(shown))
    config = site_config()
    unheard = hands_off_commands(config, OperatingEnvelope(unheard=("mqtt",)), snapshot)
    heard = hands_off_commands(config, OperatingEnvelope(), snapshot)

    assert {command.ac_limit_watts for command in heard} == {None}
    assert {command.ac_limit_watts for command in unheard} == {700.0}
