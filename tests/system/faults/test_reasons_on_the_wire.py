"""Each way in which a device does not answer, over real sockets: the words say what to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors.clock import RealClock
from actors.device.session import DeviceSession
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.errors import DeviceError
from tests.support.servers.required import free_port
from tests.support.servers.rough_peer import HANG_UP, RoughPeer, framed


@pytest.fixture
def peer() -> Iterator[RoughPeer]:
    peer = RoughPeer()
    yield peer
    peer.close()


def trouble(port: int, host: str = "127.0.0.1", unit_id: int = 3) -> str:
    """What keeps a device from being found."""
    link = ModbusLink(host, port, 0.2, RealClock(), NoObserver())
    session = DeviceSession("east", SunSpecDriver(), link, unit_id, clock=RealClock(), retry_longest_s=1.0)
    with pytest.raises(DeviceError) as caught:
        session.connect(None)
    session.close()
    return str(caught.value)


def test_a_name_that_nobody_knows() -> None:
    said = trouble(502, "there-is-no-such-host.invalid")

    assert said.startswith("there-is-no-such-host.invalid:502: the host name 'there-is-no-such-host.invalid' is ")
    assert said.endswith("is `host` written right? An IP address needs no name server")


def test_a_port_that_refuses() -> None:
    port = free_port()

    assert trouble(port) == (
        f"127.0.0.1:{port} refuses the connection: is `port` right, and is Modbus TCP switched on in the device?"
    )


def test_a_unit_that_is_silent(peer: RoughPeer) -> None:
    peer.answer = lambda request: []

    assert trouble(peer.port).endswith("no answer in time: it is connected, so is `unit_id` 3 right?")


def test_a_gateway_that_does_not_reach_the_unit(peer: RoughPeer) -> None:
    peer.answer = lambda request: [framed(request, bytes((request[7] | 0x80, 0x0B)))]

    assert "the gateway gets no answer from the device (exception 11): is `unit_id` 3 right" in trouble(peer.port)


def test_the_port_of_something_else(peer: RoughPeer) -> None:
    peer.answer = lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    assert trouble(peer.port).endswith("is `port` right?")


def test_a_broker_that_hangs_up(peer: RoughPeer) -> None:
    peer.answer = lambda request: [HANG_UP]

    said = trouble(peer.port)

    assert said.endswith("(closed by the device): is this a Modbus port, and does nobody else hold the connection?")
