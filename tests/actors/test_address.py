from __future__ import annotations

import threading
from typing import Any

import pykka

from actors.address import Address
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
