from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.files.state_store import StateStore
from actors.inverter import InverterActor
from actors.link import ModbusLink
from actors.messages import Acknowledged, Command, Event, Obeyed, Read, Release, Report
from actors.observer import NoObserver
from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.as_found import Found
from orchestrator.samples import InverterSample
from tests.support.devices.fake_driver import (
    AC_AT,
    CONNECTED_AT,
    GRID_AT,
    LIMIT_AT,
    MAGIC_AT,
    MODE_AT,
    NEW_DEVICE,
    NONE,
    SOC_AT,
    TARGET_AT,
    FakeDriver,
)
from tests.support.inboxes import Inbox, answer_to_a_command
from tests.support.plants.plant import ServerThread

CHARGE = BatteryCommand(BatteryMode.CHARGE, 2000.0, 2000.0, 2000.0)
CHARGE_FROM_AC = BatteryCommand(BatteryMode.CHARGE, 2000.0, 2000.0, 2000.0, grid_charging=True)
TIMEOUT_S = 2.0
"""Only the silent wait for it; on a busy machine a reply may take a while."""


class Counts(NoObserver):
    def __init__(self) -> None:
        self.registers: list[str] = []
        self.requests = 0

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.requests += 1

    def register_written(self, inverter: str, register: str) -> None:
        self.registers.append(register)


class Bench:
    """An inverter actor without a thread, over a real connection to a real server; the test moves the clock."""

    def __init__(self, servers: ServerThread, state_dir: Path) -> None:
        self.box = servers.box(dict(NEW_DEVICE))
        self.clock = ManualClock()
        self.site = Inbox()
        self.observer = Counts()
        self.state_dir = state_dir
        self.link = ModbusLink("127.0.0.1", self.box.port, TIMEOUT_S, RealClock(), self.observer)
        self.actor = self.start()

    def start(self, driver: FakeDriver | None = None, **config: Any) -> InverterActor:
        """A new actor for the same device, as after a restart."""
        settings = InverterConfig.model_validate({"name": "east", "host": "127.0.0.1", **config})
        surroundings = Surroundings(self.clock, self.observer, Inbox())
        self.actor = InverterActor(
            surroundings,
            config=settings,
            driver=driver or FakeDriver(),
            link=self.link,
            store=StateStore(self.state_dir),
            site=self.site,
        )
        return self.actor

    def read(self) -> Report:
        """One cycle's reading."""
        self.tell(Read(1, self.clock.now_s() + 1))
        return self.site.of(Report)[-1]

    def sample(self) -> InverterSample:
        report = self.read()
        assert isinstance(report.sample, InverterSample), report
        return report.sample

    def command(self, limit_watts: float | None = None, **options: Any) -> Acknowledged:
        before = len(self.site.of(Acknowledged))
        self.tell(Command(make_command(limit_watts, **options), self.clock.now_s()))
        return answer_to_a_command(self.site.of(Acknowledged)[before:], self.clock.now_s())

    def release(self, limit_watts: float | None = None, **options: Any) -> Acknowledged:
        self.tell(Release(make_command(limit_watts, **options), self.clock.now_s()))
        return self.site.of(Acknowledged)[-1]

    def tell(self, *messages: Any) -> None:
        """Have the actor handle all of `messages`, which wait in its inbox together."""
        for message in messages:
            self.actor.actor_ref.tell(message)
        while not self.actor.actor_inbox.empty():
            self.actor.on_receive(self.actor.actor_inbox.get().message)

    @property
    def events(self) -> list[str]:
        return [event.name for event in self.site.of(Event)]


def make_command(limit_watts: float | None = None, **options: Any) -> InverterCommand:
    return InverterCommand("east", valid_for_s=60, ac_limit_watts=limit_watts, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ServerThread() as servers:
        bench = Bench(servers, tmp_path / "state")
        yield bench
        bench.link.close()


# Reading


def test_one_that_was_away_for_long_is_found_within_two_seconds_of_its_return(bench: Bench) -> None:
    bench.box.stop()
    for _ in range(60):
        assert bench.read().fault is not None
        bench.clock.advance(1.0)
    bench.box.start()

    reports = []
    for _ in range(3):
        reports.append(bench.read())
        bench.clock.advance(1.0)

    assert isinstance(reports[-1].sample, InverterSample)


def test_the_first_read_finds_the_device_and_reports_a_sample(bench: Bench) -> None:
    sample = bench.sample()

    assert (sample.name, sample.ac_watts, sample.nameplate.serial) == ("east", 1000.0, "7")
    assert sample.at_s == bench.clock.now_s()


def test_later_reads_ask_for_the_plan_only(bench: Bench) -> None:
    bench.read()
    bench.box.requests.clear()
    bench.read()

    assert bench.box.reads == [(AC_AT, 6)]


def test_a_stale_read_is_dropped(bench: Bench) -> None:
    bench.tell(Read(1, bench.clock.now_s() - 0.1))

    assert bench.site.messages == []
    assert bench.box.requests == []


def test_a_refused_block_is_read_in_parts_until_it_is_tried_as_a_whole_again(bench: Bench) -> None:
    bench.box.refused[SOC_AT] = 2
    sample = bench.sample()
    assert sample.ac_watts == 1000.0
    assert sample.battery is not None
    assert sample.battery.soc_percent is None

    bench.box.requests.clear()
    bench.box.refused.clear()
    bench.read()
    assert (AC_AT, 6) not in bench.box.reads

    bench.clock.advance(301.0)
    bench.box.requests.clear()
    assert bench.read().fault is None
    assert (AC_AT, 6) in bench.box.reads


def test_a_device_that_is_busy_is_a_fault_and_is_not_split(bench: Bench) -> None:
    bench.read()
    bench.box.refused[SOC_AT] = 6

    assert bench.read().fault == "refused"

    bench.box.refused.clear()
    bench.box.requests.clear()
    assert bench.read().fault is None
    assert (AC_AT, 6) in bench.box.reads


def test_a_device_that_refuses_every_part_is_a_fault(bench: Bench) -> None:
    bench.box.refused = dict.fromkeys(range(AC_AT, AC_AT + 6), 2)

    assert bench.read().fault == "refused"


def test_nonsense_is_a_fault_and_the_next_read_is_taken(bench: Bench) -> None:
    bench.read()
    bench.box.words[AC_AT] = NONE
    assert bench.read().fault == "nonsense"

    bench.box.words[AC_AT] = 900
    assert bench.sample().ac_watts == 900.0


def test_a_silent_device_is_a_fault_and_is_found_anew_after_half_a_second(bench: Bench) -> None:
    bench.read()
    bench.box.silent = True
    assert bench.read().fault == "timeout"
    bench.box.silent = False
    bench.box.requests.clear()

    assert bench.read().fault == "timeout"
    assert bench.box.requests == []
    bench.clock.advance(0.5)

    assert bench.read().fault is None
    assert bench.box.reads[0] == (MAGIC_AT, 2)


def test_a_success_makes_the_next_wait_short_again(bench: Bench) -> None:
    for _ in range(2):
        bench.box.stop()
        bench.read()
        bench.box.start()
        bench.clock.advance(0.5)

        assert bench.read().fault is None


def test_attempts_at_a_device_that_is_down_are_at_most_two_seconds_apart(bench: Bench) -> None:
    bench.box.stop()
    attempts_s = []
    for _ in range(100):
        bench.observer.requests = 0
        bench.read()
        if bench.observer.requests:
            attempts_s.append(bench.clock.now_s())
        bench.clock.advance(0.1)
    gaps_s = [later - earlier for earlier, later in pairwise(attempts_s)]

    assert gaps_s[:4] == pytest.approx([0.5, 1.0, 2.0, 2.0], abs=0.11)
    assert gaps_s[4:] == pytest.approx([2.0] * len(gaps_s[4:]), abs=0.11)


def test_another_serial_number_is_a_wrong_device_and_is_never_written_to(bench: Bench) -> None:
    bench.start(serial="8")

    assert bench.read().fault == "wrong_device"
    assert bench.command(100.0).fault == "away"
    assert bench.release(100.0).fault == "wrong_device"
    assert bench.box.writes == []


def test_the_sample_is_what_the_device_says_whatever_site_yaml_says_of_it(bench: Bench) -> None:
    bench.start(ac_max_watts=3000.0, battery={"capacity_wh": 9000.0, "charge_max_watts": 2500.0})
    sample = bench.sample()

    assert sample.nameplate.ac_max_watts == 5000.0
    assert sample.battery is not None
    assert sample.battery.charge_max_watts != 2500.0


def test_a_device_that_must_not_be_read_so_often_answers_with_its_last_sample(bench: Bench) -> None:
    bench.start(interval_s=2.0)
    first = bench.sample()
    bench.clock.advance(1.0)
    assert bench.sample() == first

    bench.clock.advance(1.1)

    assert bench.sample().at_s == bench.clock.now_s()


# Commanding


def test_a_command_is_written_and_acknowledged(bench: Bench) -> None:
    bench.read()
    done = bench.command(3000.0, battery=CHARGE)

    assert (bench.box.words[LIMIT_AT], bench.box.words[TARGET_AT], bench.box.words[MODE_AT]) == (3000, 2000, 1)
    assert (done.fault, done.writes, done.issued_at_s) == (None, 3, bench.clock.now_s())
    assert bench.observer.registers == ["limit", "target", "mode"]


def test_the_same_command_is_not_written_again_until_it_has_to_be_refreshed(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0)
    bench.clock.advance(23.0)
    bench.read()
    assert bench.command(3000.0).writes == 0

    bench.clock.advance(1.1)

    assert bench.command(3000.0).writes == 1


def test_what_was_written_counts_as_done_until_the_next_read(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0, connect=False)
    assert bench.command(3000.0, connect=False).writes == 0

    bench.command(3000.0, connect=True)

    assert bench.box.words[CONNECTED_AT] == 1


def test_only_the_newest_of_the_commands_that_wait_is_carried_out(bench: Bench) -> None:
    bench.read()
    now_s = bench.clock.now_s()
    bench.tell(*(Command(make_command(limit), now_s) for limit in (3000.0, 2000.0, 1000.0)))

    assert bench.box.writes == [(LIMIT_AT, 1)]
    assert bench.box.words[LIMIT_AT] == 1000
    assert len(bench.site.of(Acknowledged)) == 1


def test_a_command_that_is_too_old_is_dropped(bench: Bench) -> None:
    bench.read()
    bench.tell(Command(make_command(100.0), bench.clock.now_s() - 60.1))

    assert bench.site.of(Acknowledged)[-1].fault == "stale"
    assert bench.box.writes == []


def test_a_command_for_a_device_that_is_away_is_dropped(bench: Bench) -> None:
    assert bench.command(100.0).fault == "away"


def test_a_device_that_was_away_is_written_to_anew(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0)
    bench.box.stop()
    bench.read()
    bench.box.start()
    bench.clock.advance(1.0)
    bench.read()

    assert bench.command(3000.0).writes == 1


def test_a_connection_lost_while_writing_is_acknowledged_as_such(bench: Bench) -> None:
    bench.read()
    bench.box.stop()

    assert bench.command(3000.0).fault == "connection"
    assert bench.read().fault == "connection"


def test_a_refused_register_is_said_once_and_does_not_hold_up_the_other_groups(bench: Bench) -> None:
    bench.read()
    bench.box.refused_writes[LIMIT_AT] = 3
    done = bench.command(3000.0, battery=CHARGE)
    bench.command(3000.0, battery=CHARGE)

    assert (done.fault, done.detail, done.writes) == ("refused", "limit", 2)
    assert bench.box.words[TARGET_AT] == 2000
    assert bench.events == ["command_refused"]


def test_a_refused_register_is_tried_again_with_the_next_command(bench: Bench) -> None:
    bench.read()
    bench.box.refused_writes[LIMIT_AT] = 3
    bench.command(3000.0)
    bench.box.refused_writes.clear()

    assert bench.command(3000.0).fault is None
    assert bench.box.words[LIMIT_AT] == 3000


def test_a_register_that_is_refused_again_after_it_was_taken_is_said_again(bench: Bench) -> None:
    bench.read()
    for refused in (True, False, True):
        bench.box.refused_writes = {LIMIT_AT: 3} if refused else {}
        bench.command(3000.0 - len(bench.box.requests))

    assert bench.events == ["command_refused"] * 2


def test_a_refused_setting_keeps_what_would_put_it_in_force_from_being_written(bench: Bench) -> None:
    bench.read()
    bench.box.refused_writes[TARGET_AT] = 3
    bench.command(battery=CHARGE)

    assert MODE_AT not in bench.box.words


def test_what_can_be_written_is_read_once_at_first(bench: Bench) -> None:
    bench.read()
    bench.read()

    assert bench.box.reads == [(MAGIC_AT, 2), (AC_AT, 6), (LIMIT_AT, 3), (AC_AT, 6)]


def test_what_is_newly_written_is_read_back_once_outside_the_plan(bench: Bench) -> None:
    bench.read()
    bench.read()
    bench.command(3000.0)
    bench.box.requests.clear()
    bench.read()
    bench.read()

    assert bench.box.reads == [(AC_AT, 6), (LIMIT_AT, 3), (AC_AT, 6)]


def test_what_the_plan_reads_anyway_is_not_read_a_second_time(bench: Bench) -> None:
    bench.start(FakeDriver(reads_all=True))
    bench.read()
    bench.command(3000.0)
    bench.read()

    assert bench.box.reads == [(MAGIC_AT, 2), (AC_AT, 13), (AC_AT, 13)]


def test_a_register_that_the_device_ignores_is_said_once(bench: Bench) -> None:
    bench.read()
    bench.box.ignored.add(LIMIT_AT)
    for _ in range(6):
        bench.command(3000.0)
        bench.clock.advance(1.0)
        bench.read()

    assert bench.events == ["command_ignored"]
    assert "limit" in bench.site.of(Event)[0].detail


def test_a_device_that_takes_its_time_to_show_a_value_is_not_said_to_ignore_it(bench: Bench) -> None:
    bench.read()
    bench.box.ignored.add(LIMIT_AT)
    bench.command(3000.0)
    bench.read()
    bench.box.words[LIMIT_AT] = 3000
    bench.read()
    bench.read()

    assert bench.events == []


# What was found, and handing back


def test_the_permission_to_charge_from_ac_is_put_back_as_found(bench: Bench) -> None:
    bench.read()
    bench.command(battery=CHARGE_FROM_AC)
    assert bench.box.words[GRID_AT] == 1
    bench.read()

    bench.command(battery=CHARGE)

    assert bench.box.words[GRID_AT] == 0


def test_what_was_found_outlives_a_kill_and_is_put_back_by_the_release(bench: Bench) -> None:
    bench.read()
    bench.command(battery=CHARGE_FROM_AC)
    bench.start()
    bench.read()
    bench.command(battery=CHARGE_FROM_AC)

    done = bench.release(battery=BatteryCommand.release())

    assert (done.fault, done.released) == (None, True)
    assert bench.box.words[GRID_AT] == 0
    assert StateStore(bench.state_dir).load("east") == Found()


def test_another_device_at_the_same_address_has_nothing_put_back(bench: Bench) -> None:
    bench.read()
    bench.command(battery=CHARGE_FROM_AC)
    bench.box.words |= {MAGIC_AT + 1: 8, GRID_AT: 1}
    bench.start()
    bench.read()

    bench.command(battery=CHARGE)

    assert bench.box.words[GRID_AT] == 1


def test_nothing_is_kept_before_something_is_commanded(bench: Bench) -> None:
    bench.read()
    assert not bench.state_dir.exists()

    bench.command(battery=CHARGE)

    assert not bench.state_dir.exists()


def test_where_nothing_can_be_kept_the_permission_is_left_alone_and_the_rest_is_written(bench: Bench) -> None:
    bench.state_dir.write_text("a file where the directory should be")
    bench.read()
    bench.command(1000.0, battery=CHARGE_FROM_AC)
    bench.command(900.0, battery=CHARGE_FROM_AC)

    assert GRID_AT not in bench.box.words
    assert (bench.box.words[LIMIT_AT], bench.box.words[TARGET_AT]) == (900, 2000)
    assert bench.events == ["state_not_kept"]


def test_a_disconnection_of_ours_is_undone_after_a_kill_when_nobody_asks_for_it_any_more(bench: Bench) -> None:
    bench.read()
    bench.command(connect=False)
    bench.start()
    bench.read()
    assert bench.box.words[CONNECTED_AT] == 0

    bench.command()

    assert bench.box.words[CONNECTED_AT] == 1


def test_a_connection_that_the_device_refuses_to_make_is_asked_for_again(bench: Bench) -> None:
    bench.read()
    bench.command(connect=False)
    bench.read()
    bench.box.refused_writes[CONNECTED_AT] = 3
    bench.command()
    bench.box.refused_writes.clear()
    bench.command()

    assert bench.box.words[CONNECTED_AT] == 1


def test_a_disconnection_in_force_is_not_undone_by_the_release(bench: Bench) -> None:
    bench.read()
    bench.command(connect=False)
    bench.release()

    assert bench.box.words[CONNECTED_AT] == 0
    assert StateStore(bench.state_dir).load("east").disconnected


def test_a_release_is_written_even_where_nothing_has_changed(bench: Bench) -> None:
    bench.read()
    bench.command(2000.0, battery=CHARGE)

    assert bench.release(2000.0, battery=CHARGE).writes == 3


def test_a_command_that_waits_is_not_carried_out_after_the_release(bench: Bench) -> None:
    bench.read()
    now_s = bench.clock.now_s()
    bench.tell(Command(make_command(3000.0), now_s), Release(make_command(0.0), now_s))

    assert bench.box.words[LIMIT_AT] == 0


def test_a_release_reaches_a_device_that_was_away_a_moment_ago(bench: Bench) -> None:
    bench.read()
    bench.box.stop()
    bench.read()
    bench.box.start()

    done = bench.release(0.0)

    assert (done.fault, bench.box.words[LIMIT_AT]) == (None, 0)


def test_a_release_whose_answer_is_lost_is_told_again(bench: Bench) -> None:
    bench.read()
    bench.box.lost_answers = 1

    done = bench.release(0.0)

    assert (done.fault, bench.box.words[LIMIT_AT]) == (None, 0)


def test_a_release_waits_no_second_time_for_a_device_that_has_been_away_for_long(bench: Bench) -> None:
    bench.read()
    bench.clock.advance(60.0)
    bench.box.silent = True
    bench.box.requests.clear()

    assert bench.release(0.0).fault == "timeout"
    assert len(bench.box.requests) == 1


def test_a_release_that_the_device_refuses_leaves_the_record(bench: Bench) -> None:
    bench.read()
    bench.command(battery=CHARGE_FROM_AC)
    bench.box.refused_writes[GRID_AT] = 3

    assert bench.release(battery=BatteryCommand.release()).fault == "refused"
    assert StateStore(bench.state_dir).load("east").grid_charging is False


# What can be written, in finer pieces


def test_a_refused_word_among_what_can_be_written_does_not_hide_the_others(bench: Bench) -> None:
    bench.box.refused[MODE_AT] = 2
    bench.read()
    for _ in range(2):
        bench.command(3000.0)
        bench.read()
    bench.box.words[LIMIT_AT] = 100
    bench.clock.advance(4.0)
    bench.read()

    bench.command(3000.0)

    assert bench.events == ["command_lost"]
    assert bench.box.words[LIMIT_AT] == 3000


# Whether it obeys


def obeyed_until_s(bench: Bench) -> float | None:
    """What the next reading reports of the last command."""
    obeyed = bench.read().obeyed
    return None if obeyed is None else obeyed.until_s


def test_a_reading_says_that_the_last_command_is_in_force_and_until_when(bench: Bench) -> None:
    assert obeyed_until_s(bench) is None
    issued_at_s = bench.clock.now_s()
    bench.command(3000.0, battery=CHARGE)
    bench.clock.advance(5.0)

    assert bench.read().obeyed == Obeyed(issued_at_s, issued_at_s + 24.0)


def test_a_device_that_shows_another_value_does_not_obey_until_it_is_told_again(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0)
    assert obeyed_until_s(bench) is not None

    bench.box.words[LIMIT_AT] = NONE
    bench.clock.advance(4.0)
    assert obeyed_until_s(bench) is None

    assert bench.command(3000.0).writes == 1
    assert obeyed_until_s(bench) is not None
    assert bench.events == ["command_lost"]


def test_a_device_that_was_away_or_was_released_obeys_nothing(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0)
    bench.box.stop()
    assert obeyed_until_s(bench) is None
    bench.box.start()
    bench.clock.advance(1.0)
    assert obeyed_until_s(bench) is None

    bench.command(3000.0)
    assert obeyed_until_s(bench) is not None
    bench.release()
    assert obeyed_until_s(bench) is None


def test_an_actor_that_was_started_anew_obeys_nothing(bench: Bench) -> None:
    bench.read()
    bench.command(3000.0)
    bench.start()

    assert obeyed_until_s(bench) is None


def test_a_command_that_was_refused_or_came_too_late_is_not_obeyed(bench: Bench) -> None:
    bench.read()
    bench.box.refused_writes[LIMIT_AT] = 3
    bench.command(3000.0)
    assert obeyed_until_s(bench) is None

    bench.box.refused_writes.clear()
    bench.command(3000.0)
    assert obeyed_until_s(bench) is not None
    bench.tell(Command(make_command(100.0), bench.clock.now_s() - 60.1))
    assert obeyed_until_s(bench) is None


def test_what_the_record_would_have_to_say_else_asks_for_the_command_again(bench: Bench) -> None:
    """A connection of ours that was made again is not ours any more: the next command means something else."""
    bench.read()
    bench.command(3000.0, connect=False)
    bench.command(3000.0, connect=True)
    assert obeyed_until_s(bench) is None

    bench.command(3000.0, connect=True)
    assert obeyed_until_s(bench) is not None
