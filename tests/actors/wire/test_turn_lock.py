from __future__ import annotations

import threading
from functools import partial

import pytest

from actors.wire.turn_lock import TurnLock
from orchestrator.devices.link.turns import Turn
from tests.support.servers.required import wait_until


def waits(lock: TurnLock, count: int) -> bool:
    return lock.waiting == count


def served(lock: TurnLock, *asked: tuple[Turn, float]) -> list[tuple[Turn, float]]:
    """The order in which those get the lock who ask for it, one after the other, while it is taken."""
    order: list[tuple[Turn, float]] = []

    def take(turn: Turn, now_s: float) -> None:
        with lock.turn(turn, now_s):
            order.append((turn, now_s))

    threads = [threading.Thread(target=take, args=each) for each in asked]
    with lock.turn(Turn.READ, 0.0):
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(partial(waits, lock, number + 1), "the next one waits")
    for thread in threads:
        thread.join(timeout=60)
    return order


def test_requests_of_one_kind_are_served_in_the_order_of_asking() -> None:
    asked = [(Turn.READ, float(number)) for number in range(8)]

    assert served(TurnLock(), *asked) == asked


def test_those_that_ask_at_the_same_moment_keep_their_order() -> None:
    asked = [(Turn.READ, 1.0)] * 3

    assert served(TurnLock(), *asked) == asked


def test_a_command_goes_first_then_the_meter_and_a_try_last() -> None:
    asked = [(Turn.TRY, 0.0), (Turn.READ, 0.1), (Turn.METER, 0.2), (Turn.WRITE, 0.3)]

    assert served(TurnLock(), *asked) == asked[::-1]


def test_a_read_that_has_waited_long_is_not_overtaken_any_more() -> None:
    asked = [(Turn.READ, 0.0), (Turn.METER, 2.5), (Turn.METER, 1.5)]

    assert served(TurnLock(), *asked) == [asked[2], asked[0], asked[1]]


def test_who_comes_back_at_once_does_not_overtake_who_waits() -> None:
    lock = TurnLock()
    order: list[str] = []

    def take() -> None:
        with lock.turn(Turn.TRY, 0.0):
            order.append("waited")

    thread = threading.Thread(target=take)
    with lock.turn(Turn.READ, 0.0):
        thread.start()
        wait_until(partial(waits, lock, 1), "the other one waits")
    with lock.turn(Turn.READ, -100.0):
        order.append("came back")
    thread.join(timeout=60)

    assert order == ["waited", "came back"]


def test_a_lock_is_free_again_after_an_error() -> None:
    lock = TurnLock()

    with pytest.raises(ValueError, match="broken"), lock.turn(Turn.READ, 0.0):
        raise ValueError("broken")

    with lock.turn(Turn.READ, 0.0):
        assert lock.waiting == 0
