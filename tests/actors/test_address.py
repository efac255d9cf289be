from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pykka

from actors.address import Address, Inbox
from tests.support.servers.required import wait_until


class Slow(pykka.ThreadingActor):
    """Waits for the first event it is told; counts what comes."""

    use_daemon_thread = True
    taken = 0

    def on_receive(self, message: Any) -> None:
        if isinstance(message, threading.Event):
            message.wait(10)
        self.taken += 1


def test_an_inbox_that_is_full_takes_no_more_and_goes_on_once_there_is_room() -> None:
    hangs, ref = threading.Event(), Slow.start()
    address = Address("ledger", most_waiting=5)
    address.lead_to(ref)
    address.tell(hangs)
    wait_until(lambda: ref.actor_inbox.qsize() == 0, "it hangs")

    for number in range(100):
        address.tell(number)
    assert ref.actor_inbox.qsize() == 5

    hangs.set()
    wait_until(lambda: ref.actor_inbox.qsize() == 0, "it goes on")
    address.tell("one more")
    assert ref.proxy().taken.get(timeout=5) == 7
    ref.stop()


@dataclass(frozen=True)
class Letter:
    message: Any


def test_an_address_does_not_pass_on_what_its_actor_is_deaf_to() -> None:
    ref = Slow.start()
    address = Address("mqtt", deaf_to=(str,))
    address.lead_to(ref)

    for message in ("not this", 1, "nor this", 2):
        address.tell(message)
    wait_until(ref.actor_inbox.empty, "an empty inbox")

    assert ref.proxy().taken.get(timeout=5) == 2
    ref.stop()


def test_an_inbox_gives_everything_in_order_however_many_put_into_it() -> None:
    inbox, writers, each = Inbox(), 8, 2000
    threads = [
        threading.Thread(target=lambda w=w: [inbox.put(Letter((w, number))) for number in range(each)])
        for w in range(writers)
    ]
    for thread in threads:
        thread.start()
    taken = [inbox.get().message for _ in range(writers * each)]

    assert inbox.empty()
    for writer in range(writers):
        assert [number for who, number in taken if who == writer] == list(range(each))
    for thread in threads:
        thread.join()


def test_what_does_not_hurry_wakes_nobody_and_is_taken_before_what_does() -> None:
    inbox, taken = Inbox(), []
    inbox.hurries = lambda message: message == "now"
    reader = threading.Thread(target=lambda: taken.extend(inbox.get().message for _ in range(3)), daemon=True)
    reader.start()
    wait_until(lambda: inbox._is_asleep, "the reader waits")

    inbox.put(Letter(1))
    inbox.put(Letter(2))
    assert inbox.qsize() == 2
    assert [letter.message for letter in inbox.waiting()] == [1, 2]
    inbox.put(Letter("now"))
    reader.join(60)

    assert taken == [1, 2, "now"]
