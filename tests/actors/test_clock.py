from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pykka
import pytest

from actors import clock as clock_of_actors
from actors.clock import ManualClock, RealClock
from tests.support.inboxes import Inbox
from tests.support.servers.required import wait_until


class Counter(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> None:
        return


@pytest.fixture
def real() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def test_messages_come_in_the_order_they_are_due(real: RealClock) -> None:
    inbox = Inbox()
    real.send_after(1.5, inbox, "second")
    real.send_after(0.75, inbox, "first")
    real.send_after(0.0, inbox, "now")
    wait_until(lambda: len(inbox.messages) == 3, "three messages")

    assert inbox.messages == ["now", "first", "second"]


def test_a_message_does_not_come_early(real: RealClock) -> None:
    inbox = Inbox()
    began_s = real.now_s()
    real.send_after(0.05, inbox, "late")
    wait_until(lambda: inbox.messages, "the message")

    assert real.now_s() - began_s >= 0.05


def test_a_dead_actor_costs_nobody_else_a_message(real: RealClock) -> None:
    dead = Counter.start()
    dead.stop()
    inbox = Inbox()
    real.send_after(0.0, dead, "lost")
    real.send_after(0.01, inbox, "kept")
    wait_until(lambda: inbox.messages, "the message behind")

    assert inbox.messages == ["kept"]


def test_a_closed_clock_has_no_thread_and_sends_nothing() -> None:
    before = set(threading.enumerate())
    clock, inbox = RealClock(), Inbox()
    clock.send_after(120.0, inbox, "never")
    clock.close()
    clock.send_after(0.0, inbox, "never")
    clock.close()

    assert set(threading.enumerate()) <= before
    assert inbox.messages == []


def test_the_wall_clock_has_a_zone(real: RealClock) -> None:
    assert real.wall().tzinfo is not None
    assert ManualClock().wall().tzinfo is not None


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no clock that counts its sleep")
def test_the_seconds_count_while_the_machine_sleeps(real: RealClock) -> None:
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)

    assert before_s <= real.now_s() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_the_time_of_day_of_a_manual_clock_can_be_put_right() -> None:
    clock = ManualClock(start_s=5.0)
    clock.advance(10.0)
    right = clock.wall() + timedelta(hours=6)
    clock.set_wall(right)
    clock.advance(1.0)

    assert clock.wall() == right + timedelta(seconds=1)
    assert clock.now_s() == 16.0


def test_a_manual_clock_moves_only_when_it_is_told_to() -> None:
    clock, inbox = ManualClock(start_s=5.0), Inbox()
    clock.send_after(1.0, inbox, "one")
    wall = clock.wall()
    clock.advance(0.9)
    assert inbox.messages == []

    clock.advance(0.2)

    assert inbox.messages == ["one"]
    assert clock.now_s() == pytest.approx(6.1)
    assert (clock.wall() - wall).total_seconds() == pytest.approx(1.1)


def test_a_manual_clock_delivers_each_message_at_its_own_time_and_what_follows_from_it() -> None:
    clock = ManualClock(start_s=0.0)
    times: list[float] = []

    class Repeater:
        def tell(self, message: float) -> None:
            times.append(clock.now_s())
            clock.send_after(message, self, message)

    clock.send_after(0.0, Repeater(), 0.5)
    clock.advance(1.6)

    assert times == [0.0, 0.5, 1.0, 1.5]
    assert clock.next_due_s() == 2.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="a clock of Linux")
def test_time_goes_on_while_the_machine_sleeps() -> None:
    """No test can send the machine to sleep: but the clock that counts sleep is the one that is read."""
    assert clock_of_actors._CLOCK == time.CLOCK_BOOTTIME
