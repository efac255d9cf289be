"""The thread and the inbox around the loop: who is told what, and when it is woken. The rest is the loop's own."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import ManualClock
from actors.files.sign_store import SignStore
from actors.messages import (
    Acknowledged,
    Command,
    Event,
    Read,
    Reconfigure,
    Release,
    Report,
    SetpointReceived,
    SetpointRefused,
    SetpointWithdrawn,
    Stop,
    Tick,
)
from actors.observer import NoObserver
from actors.site import Hurry, SiteActor
from orchestrator.config.changes import changes_between
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.loop.kept import Kept
from orchestrator.samples import MeterSample
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from tests.support.inboxes import Inbox
from tests.support.plants.loop_bench import sample, site_config


class Handled(NoObserver):
    """Counts the messages that the site has handled."""

    def __init__(self) -> None:
        self.count = 0

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        self.count += 1


class Bench:
    """A site actor without a thread, between inboxes; the test moves the clock and plays the devices."""

    def __init__(self, kept: Kept | None = None, sign_store: SignStore | None = None) -> None:
        self.clock = ManualClock()
        self.config = site_config()
        self.inverters = {inverter.name: Inbox() for inverter in self.config.inverters}
        self.listener = Inbox()
        self.handled = Handled()
        surroundings = Surroundings(self.clock, self.handled, Inbox())
        given = (surroundings, self.config, self.inverters, (self.listener,), kept or Kept())
        self.site = SiteActor(*given, sign_store=sign_store)
        self.tell(Tick())

    def tell(self, message: Any) -> None:
        """Have the site handle `message`, and whatever it told itself meanwhile."""
        self.site.actor_ref.tell(message)
        self._drain()

    def _drain(self) -> None:
        while not self.site.actor_inbox.empty():
            self.site.on_receive(self.site.actor_inbox.get().message)

    def advance(self, seconds: float) -> None:
        """Let time pass; every timer is handled at its own time."""
        end_s = self.clock.now_s() + seconds
        while (due_s := self.clock.next_due_s()) is not None and due_s <= end_s:
            self.clock.advance(due_s - self.clock.now_s())
            self._drain()
        self.clock.advance(end_s - self.clock.now_s())

    def meter(self, watts: float) -> None:
        now_s = self.clock.now_s()
        self.tell(Report("meter", 0, MeterSample(now_s, watts, changed_at_s=now_s)))

    def round(self, watts: float) -> None:
        """One cycle: a new meter value, then a report of every inverter."""
        self.meter(watts)
        for name, inbox in self.inverters.items():
            self.tell(Report(name, inbox.of(Read)[-1].cycle, sample(name, self.clock.now_s())))

    def reads(self) -> list[int]:
        return [len(inbox.of(Read)) for inbox in self.inverters.values()]

    @property
    def results(self) -> list[CycleResult]:
        return self.listener.of(CycleResult)

    def acknowledge(self, name: str) -> None:
        self.tell(Acknowledged(name, self.clock.now_s(), self.clock.now_s(), 1, released=True))

    def reconfigure(self, config: SiteConfig, inverters: dict[str, Inbox]) -> threading.Event:
        done = threading.Event()
        self.tell(Reconfigure(config, changes_between(self.config, config), inverters, done))
        return done


@pytest.fixture
def bench() -> Bench:
    """A site that has decided once."""
    bench = Bench()
    bench.round(100.0)
    return bench


def limit(watts: float, expires_at_s: float | None = None) -> SetpointReceived:
    return SetpointReceived(Setpoint("mqtt", SetpointFields(export_limit_watts=watts), expires_at_s=expires_at_s))


def test_the_first_tick_asks_every_inverter_to_read() -> None:
    assert Bench().reads() == [1, 1]


def test_each_inverter_gets_its_own_command_with_the_time_of_the_decision(bench: Bench) -> None:
    commands = {name: inbox.of(Command) for name, inbox in bench.inverters.items()}

    assert {name: [c.command.inverter for c in told] for name, told in commands.items()} == {
        "east": ["east"],
        "west": ["west"],
    }
    assert commands["east"][0].issued_at_s == bench.clock.now_s()


def test_it_is_woken_when_the_loop_wants_it(bench: Bench) -> None:
    """The watchdog of the cycle, again and again, and the end of the wait for inverters that say nothing."""
    before = len(bench.results)
    bench.advance(1.26)
    assert bench.reads() == [2, 2]
    assert len(bench.results) == before
    bench.advance(0.3)
    assert len(bench.results) == before + 1
    bench.advance(1.0)
    assert bench.reads() == [3, 3]


def test_it_is_woken_no_more_often_however_long_it_runs(bench: Bench) -> None:
    """A timer that an earlier one has replaced must not set another one when it runs out."""

    def handled_in_ten_cycles() -> int:
        before = bench.handled.count
        for quarter in range(40):
            bench.advance(0.25)
            bench.meter(100.0 + quarter)  # it is asked four times a second
            if quarter % 4 == 3:
                for name, inbox in bench.inverters.items():
                    bench.tell(Report(name, inbox.of(Read)[-1].cycle, sample(name, bench.clock.now_s())))
        return bench.handled.count - before

    at_first = handled_in_ten_cycles()
    for _ in range(5):
        handled_in_ten_cycles()

    assert handled_in_ten_cycles() < 2 * at_first


def test_a_cycle_that_becomes_due_earlier_than_the_timer_it_has_begins_in_time(bench: Bench) -> None:
    bench.advance(0.1)
    bench.meter(2000.0)
    bench.advance(0.41)

    assert bench.reads() == [2, 2]


def test_setpoints_come_and_go(bench: Bench) -> None:
    bench.advance(0.3)
    bench.tell(limit(0.0))
    assert bench.results[-1].envelope.fields.export_limit_watts == 0.0

    bench.tell(SetpointWithdrawn("mqtt"))
    bench.advance(1.0)
    bench.round(200.0)
    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0


def test_setpoints_outlive_a_restart_of_the_site() -> None:
    kept = Kept()
    Bench(kept).tell(limit(0.0))
    bench = Bench(kept)
    bench.round(100.0)

    assert bench.results[-1].envelope.fields.export_limit_watts == 0.0


def test_events_and_acknowledgements_go_on_to_the_listeners(bench: Bench) -> None:
    bench.listener.messages.clear()
    messages = [Event("command_ignored", "east", "x"), Acknowledged("east", 1.0, 2.0, 3), SetpointRefused("mqtt", "x")]
    for message in messages:
        bench.tell(message)

    assert bench.listener.messages == messages


def test_what_the_loop_says_once_goes_to_the_listeners(bench: Bench) -> None:
    bench.advance(6.0)

    assert [event.name for event in bench.listener.of(Event)] == ["meter_silent"]


def test_stop_releases_every_inverter_and_is_done_when_all_have_answered(bench: Bench) -> None:
    done = threading.Event()
    bench.tell(Stop(done))
    assert [len(inbox.of(Release)) for inbox in bench.inverters.values()] == [1, 1]
    bench.acknowledge("east")
    assert not done.is_set()

    bench.acknowledge("west")

    assert done.is_set()


def test_a_device_that_is_replaced_is_released_at_its_former_address_and_commanded_at_the_new_one(bench: Bench) -> None:
    east, west = bench.config.inverters
    other = west.model_copy(update={"host": "127.0.0.2"})
    new = Inbox()
    former = bench.inverters["west"]
    commands = len(former.of(Command))
    config = bench.config.model_copy(update={"inverters": (east, other)})
    done = bench.reconfigure(config, {"east": bench.inverters["east"], "west": new})
    assert len(former.of(Release)) == 1
    assert not done.is_set()
    bench.acknowledge("west")
    assert done.is_set()

    bench.inverters["west"] = new
    for watts in (200.0, 300.0):  # the first decision does not wait for a device that has just been started
        bench.advance(1.3)
        bench.round(watts)

    assert new.of(Release) == []
    assert new.of(Command)
    assert len(former.of(Command)) == commands


def test_a_configuration_that_hands_nothing_back_is_done_at_once(bench: Bench) -> None:
    control = bench.config.control.model_copy(update={"interval_s": 2.0})

    assert bench.reconfigure(bench.config.model_copy(update={"control": control}), bench.inverters).is_set()


def test_a_configuration_after_the_stop_does_not_take_its_answer_away(bench: Bench) -> None:
    done = threading.Event()
    bench.tell(Stop(done))
    bench.reconfigure(bench.config, bench.inverters)
    for name in bench.inverters:
        bench.acknowledge(name)

    assert done.is_set()


def test_a_setpoint_ends_by_the_wall_clock_of_now() -> None:
    bench = Bench()
    in_an_hour_s = bench.clock.wall().timestamp() + 3600.0
    asked = Setpoint("mqtt", SetpointFields(export_limit_watts=123.0), until_wall_s=in_an_hour_s)
    bench.tell(SetpointReceived(asked))
    bench.round(200.0)
    before = bench.results[-1].envelope.fields.export_limit_watts

    bench.clock.set_wall(bench.clock.wall() + timedelta(hours=6))
    bench.advance(1.0)
    bench.round(201.0)

    assert before == 123.0
    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0
    assert [event.name for event in bench.listener.of(Event)] == ["clock_jumped"]


def test_what_the_counters_prove_of_the_meter_is_kept_for_the_next_start_and_forgotten_with_the_meter(
    tmp_path: Path,
) -> None:
    config = site_config()
    store = SignStore(tmp_path, config.meter)
    bench = Bench(sign_store=store)
    for step in range(6):
        bench.advance(1.0)
        now_s = bench.clock.now_s()
        shown = MeterSample(now_s, 500.0 + step, changed_at_s=now_s, import_wh=10.0, export_wh=100.0 + step)
        bench.tell(Report("meter", 0, shown))
    store.close()
    kept = SignStore(tmp_path, config.meter)

    assert kept.sign is not None
    assert kept.sign.export_positive
    another = config.model_copy(update={"meter": config.meter.model_copy(update={"host": "127.0.0.2"})})
    again = Bench(Kept(sign=kept.sign), sign_store=kept)
    again.reconfigure(another, again.inverters)
    kept.close()
    assert SignStore(tmp_path, config.meter).sign is None
    assert SignStore(tmp_path, another.meter).sign is None


def test_the_site_is_woken_by_the_last_report_that_is_waited_for_and_not_by_what_only_counts() -> None:
    hurry = Hurry()
    hurry.wait_for(["east", "west"])

    assert not hurry(Report("east", 2, fault="timeout"))
    assert hurry(Report("meter", 0, fault="timeout"))
    assert not hurry(Acknowledged("east", 1.0, 2.0, 3))
    assert hurry(Acknowledged("east", 1.0, 2.0, 0, fault="timeout"))
    assert hurry(Acknowledged("east", 1.0, 2.0, 1, released=True))
    assert not hurry(Report("one that nobody waits for", 2, fault="timeout"))
    assert hurry(Report("west", 2, fault="timeout"))
    assert hurry(Report("east", 2, fault="timeout")), "nobody is waited for any more"
    assert hurry(SetpointWithdrawn("mqtt"))
