from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from actors.actor import Actor, Crashed, Surroundings
from actors.address import Address
from actors.clock import RealClock
from actors.messages import Tick
from actors.observer import NoObserver
from actors.supervisor import Child, StartChildren, Supervisor, stop_in_reverse
from tests.support.servers.required import wait_until


class Diary(NoObserver):
    """What happened to actors, in order."""

    def __init__(self) -> None:
        self.ups: list[tuple[str, bool]] = []
        self.restarts: list[str] = []
        self.handled: list[str] = []

    def actor_up(self, actor: str, up: bool) -> None:
        self.ups.append((actor, up))

    def actor_restarted(self, actor: str) -> None:
        self.restarts.append(actor)

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        self.handled.append(actor)


class Worker(Actor):
    """Crashes, waits or remembers, as it is told."""

    def __init__(self, name: str, surroundings: Surroundings, log: list[Any], crashes_at_once: bool = False) -> None:
        super().__init__(name, surroundings)
        self.log = log
        self.crashes_at_once = crashes_at_once

    def receive(self, message: Any) -> None:
        if message == "crash" or self.crashes_at_once:
            raise RuntimeError("a bug")
        if isinstance(message, threading.Event):
            message.wait(60)
        self.log.append((self.name, message))

    def close(self) -> None:
        self.log.append((self.name, "closed"))


class DiesAtStart(Worker):
    def on_start(self) -> None:
        raise RuntimeError("pykka tells nobody of this")


class Family:
    """A supervisor with workers."""

    def __init__(self) -> None:
        logging.getLogger("pykka").setLevel(logging.CRITICAL)
        self.clock = RealClock()
        self.diary = Diary()
        self.log: list[Any] = []
        self.failed = threading.Event()
        self.supervisor = Address("supervisor")
        self.surroundings = Surroundings(self.clock, self.diary, self.supervisor)
        self.children: list[Child] = []

    def add(self, name: str, kind: type[Worker] = Worker, **options: Any) -> Address:
        address = Address(name)
        start = partial(kind.start, name, self.surroundings, self.log, **options)
        self.children.append(Child(address, start))
        return address

    def start(self) -> None:
        ref = Supervisor.start(self.surroundings, self.children, self.failed)
        self.supervisor.lead_to(ref)
        ref.ask(StartChildren())

    def stop(self, timeout_s: float = 60.0) -> None:
        stop_in_reverse((self.supervisor,), self.clock.now_s() + timeout_s, self.clock)
        stop_in_reverse([child.address for child in self.children], self.clock.now_s() + timeout_s, self.clock)


@pytest.fixture
def family() -> Iterator[Family]:
    family = Family()
    yield family
    family.stop()
    family.clock.close()


def test_an_actor_gets_a_tick_first_and_is_said_to_be_up(family: Family) -> None:
    family.add("one")
    family.start()
    wait_until(lambda: family.log, "the first message")

    assert family.log == [("one", Tick())]
    assert ("one", True) in family.diary.ups


def test_a_crashed_actor_closes_what_it_holds_and_a_new_one_is_reached_at_the_same_address(family: Family) -> None:
    one = family.add("one")
    family.start()
    before = one.ref
    one.tell("crash")
    wait_until(lambda: family.diary.restarts, "a restart")
    wait_until(lambda: one.ref is not None, "the new one")
    one.tell("hello")
    wait_until(lambda: ("one", "hello") in family.log, "the message to the new one")

    assert one.ref != before
    assert ("one", "closed") in family.log
    assert [up for name, up in family.diary.ups if name == "one"] == [True, False, True]
    assert not family.failed.is_set()


def test_the_siblings_of_a_crashed_actor_do_not_notice(family: Family) -> None:
    one, two = family.add("one"), family.add("two")
    family.start()
    before = two.ref
    one.tell("crash")
    wait_until(lambda: family.diary.restarts, "a restart")

    assert two.ref == before
    assert family.diary.restarts == ["one"]


def test_news_of_an_actor_that_was_replaced_already_change_nothing(family: Family) -> None:
    one, two = family.add("one"), family.add("two")
    family.start()
    family.supervisor.tell(Crashed("one", "urn:of-one-before", "a bug"))
    two.tell("crash")
    wait_until(lambda: "two" in family.diary.restarts, "a restart")

    assert family.diary.restarts == ["two"]
    assert one.is_alive


def test_an_actor_that_dies_in_on_start_is_noticed_too(family: Family) -> None:
    family.add("one", DiesAtStart)
    family.start()

    wait_until(lambda: family.diary.restarts, "a restart")


def test_a_message_to_an_actor_that_is_dead_is_dropped(family: Family) -> None:
    one = family.add("one")
    family.start()
    ref = one.ref
    assert ref is not None
    ref.stop()
    one.tell("hello")
    Address("nobody").tell("hello")

    assert ("one", "hello") not in family.log


def test_an_actor_that_keeps_crashing_fails_the_system_after_five_restarts(family: Family) -> None:
    family.add("one", crashes_at_once=True)
    family.start()

    assert family.failed.wait(60)
    assert family.diary.restarts == ["one"] * 5


def test_a_bug_in_the_supervisor_fails_the_system(family: Family) -> None:
    family.start()
    family.children.append(Child(Address("broken"), lambda: 1 / 0))  # type: ignore[arg-type, return-value]
    ref = Supervisor.start(family.surroundings, family.children, family.failed)
    ref.tell(StartChildren())

    assert family.failed.wait(60)


def test_whoever_starts_the_system_hears_of_an_exception(family: Family) -> None:
    family.children.append(Child(Address("broken"), lambda: 1 / 0))  # type: ignore[arg-type, return-value]

    with pytest.raises(ZeroDivisionError):
        family.start()
    family.children.clear()


def test_stopping_closes_every_actor_and_leaves_no_thread(family: Family) -> None:
    family.add("one")
    family.add("two")
    family.start()
    family.stop()

    assert sorted(entry for entry in family.log if entry[1] == "closed") == [("one", "closed"), ("two", "closed")]
    assert not [t for t in threading.enumerate() if t.name.startswith(("Worker", "Supervisor")) and t.is_alive()]


def test_a_stuck_actor_costs_the_others_no_time_beyond_the_deadline(family: Family) -> None:
    release = threading.Event()
    family.add("one")
    stuck = family.add("stuck")
    family.start()
    stuck.tell(release)
    began_s = family.clock.now_s()
    family.stop(timeout_s=0.2)
    took_s = family.clock.now_s() - began_s
    release.set()

    assert ("one", "closed") in family.log
    assert took_s < 10.0, "it would be stuck for a minute"
