from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import pytest

from actors.wire.names import Name, NameNotKnown, Target
from tests.support.servers.required import wait_until

HERE: Target = (socket.AF_INET, ("127.0.0.1", 502))
THERE: Target = (socket.AF_INET, ("127.0.0.2", 502))


class Server:
    """A name server that answers when the test lets it."""

    def __init__(self, *answers: Target | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.answering = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[Target]:
        self.asked += 1
        assert self.answering.wait(10)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [answer]


def test_an_address_needs_no_name_server() -> None:
    server = Server()
    name = Name("127.0.0.1", 502, look_up=server)

    name.prepare()
    name.doubt()
    name.prepare()

    assert list(name.targets()) == [HERE]
    assert server.asked == 0


def test_a_name_is_looked_up_once() -> None:
    server = Server(HERE)
    server.answering.set()
    name = Name("inverter", 502, look_up=server)

    for _ in range(3):
        name.prepare()
        assert list(name.targets()) == [HERE]

    assert server.asked == 1


def test_a_name_server_that_never_answers_is_asked_once_and_holds_nobody_up() -> None:
    server = Server(HERE)
    name = Name("inverter", 502, look_up=server, longest_s=0.01)

    for _ in range(3):
        name.prepare()
        with pytest.raises(NameNotKnown, match="no name server has answered"):
            name.targets()
    assert server.asked == 1

    server.answering.set()
    wait_until(lambda: _is_known(name), "the late answer is taken")


def test_a_name_that_nobody_knows_says_so_and_is_asked_for_again() -> None:
    server = Server(socket.gaierror(-2, "Name or service not known"), HERE)
    server.answering.set()
    name = Name("invetrer", 502, look_up=server)
    name.prepare()
    with pytest.raises(NameNotKnown, match=r"'invetrer' is not known \(Name or service not known\)"):
        name.targets()

    name.prepare()

    assert list(name.targets()) == [HERE]


def test_a_device_that_has_moved_is_found_at_its_new_address_and_the_old_one_holds_meanwhile() -> None:
    server = Server(HERE, THERE)
    server.answering.set()
    name = Name("inverter", 502, look_up=server)
    name.prepare()
    server.answering.clear()

    name.doubt()
    name.prepare()
    assert list(name.targets()) == [HERE]
    server.answering.set()

    wait_until(lambda: list(name.targets()) == [THERE], "the new address is taken")


def test_the_old_address_holds_while_no_name_server_answers() -> None:
    server = Server(HERE, socket.gaierror(-3, "Temporary failure"))
    server.answering.set()
    name = Name("inverter", 502, look_up=server)
    name.prepare()
    name.doubt()
    name.prepare()
    wait_until(lambda: not server.answers, "it was asked again")

    assert list(name.targets()) == [HERE]


def _is_known(name: Name) -> bool:
    try:
        return bool(name.targets())
    except NameNotKnown:
        return False
