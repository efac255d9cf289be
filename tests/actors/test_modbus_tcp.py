from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.clock import RealClock
from actors.link import ModbusLink
from actors.modbus_tcp import ExceptionReply, ModbusConnection, NoReply, NotModbus
from actors.observer import NoObserver
from orchestrator.errors import LinkDown, LinkTimeout, NonsenseReply

TIMEOUT_S = 0.3
Answer = Callable[[bytes], list[bytes]]
"""From a request to what is sent for it, piece by piece."""


def framed(request: bytes, pdu: bytes, **changed: int) -> bytes:
    """A reply to `request`; `transaction`, `protocol`, `length` and `unit` may be others than they should be."""
    transaction, protocol, _, unit = struct.unpack_from(">HHHB", request)
    header = {"transaction": transaction, "protocol": protocol, "length": len(pdu) + 1, "unit": unit} | changed
    return struct.pack(">HHHB", *header.values()) + pdu


def words(*values: int) -> bytes:
    return struct.pack(f">BB{len(values)}H", 3, 2 * len(values), *values)


class Peer:
    """A device that answers each request of one client as it is told to; an empty piece ends the connection."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: [framed(request, words(7))]
        self.requests: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):  # the client may be gone before all is said
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := client.recv(300):
            self.requests.append(request)
            for piece in self.answer(request):
                if not piece:
                    return
                client.sendall(piece)
                time.sleep(0.01)  # so that the pieces do not arrive as one


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def connection(peer: Peer) -> Iterator[ModbusConnection]:
    connection = ModbusConnection("127.0.0.1", peer.port, TIMEOUT_S)
    yield connection
    connection.close()


def test_a_read_is_one_frame_as_the_standard_has_it(peer: Peer, connection: ModbusConnection) -> None:
    assert connection.read(17, 40070, 1) == (7,)

    assert peer.requests == [bytes.fromhex("0001 0000 0006 11 03 9c86 0001")]


def test_writes_are_frames_as_the_standard_has_them(peer: Peer, connection: ModbusConnection) -> None:
    peer.answer = lambda request: [framed(request, request[7:12])]

    connection.write_many(1, 40300, (1, 0xFFFE))
    connection.write_one(1, 40300, 0xFFFE)

    assert peer.requests == [
        bytes.fromhex("0001 0000 000b 01 10 9d6c 0002 04 0001 fffe"),
        bytes.fromhex("0002 0000 0006 01 06 9d6c fffe"),
    ]


def test_a_reply_may_come_in_pieces(peer: Peer, connection: ModbusConnection) -> None:
    peer.answer = lambda request: [bytes([byte]) for byte in framed(request, words(1, 2))]

    assert connection.read(1, 0, 2) == (1, 2)


@pytest.mark.parametrize("changed", [{"transaction": 99}, {"unit": 9}])
def test_what_answers_another_request_is_passed_over(
    peer: Peer, connection: ModbusConnection, changed: dict[str, int]
) -> None:
    peer.answer = lambda request: [framed(request, words(666), **changed) + framed(request, words(5))]

    assert connection.read(1, 0, 1) == (5,)


def test_only_such_answers_are_no_reply(peer: Peer, connection: ModbusConnection) -> None:
    peer.answer = lambda request: [framed(request, words(666), transaction=99)]

    with pytest.raises(NoReply):
        connection.read(1, 0, 1)


def test_a_device_that_drips_does_not_hold_us_for_ever(peer: Peer, connection: ModbusConnection) -> None:
    peer.answer = lambda request: [framed(request, words(666), transaction=99)] * 1000
    began_s = time.monotonic()

    with pytest.raises(NoReply):
        connection.read(1, 0, 1)

    assert time.monotonic() - began_s < 3 * TIMEOUT_S


def test_an_exception_reply_has_its_code(peer: Peer, connection: ModbusConnection) -> None:
    peer.answer = lambda request: [framed(request, b"\x83\x02")]

    with pytest.raises(ExceptionReply) as refusal:
        connection.read(1, 0, 1)

    assert refusal.value.code == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: [framed(request, words(1), protocol=1)],
        lambda request: [framed(request, words(1), length=2)],
        lambda request: [framed(request, words(1), length=300)],
        lambda request: [framed(request, b"\x04\x02\x00\x01")],
        lambda request: [framed(request, b"\x03\x04\x00\x01")],
        lambda request: [framed(request, b"\x03\x01\x00")],
        lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ],
)
def test_what_is_no_modbus_is_nonsense_and_the_next_call_begins_anew(peer: Peer, answer: Answer) -> None:
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())
    good = peer.answer
    peer.answer = answer
    with pytest.raises(NonsenseReply):
        link.read(1, 0, 1, "east")

    peer.answer = good

    assert link.read(1, 0, 1, "east") == (7,)
    link.close()


def test_a_peer_that_ends_the_connection_is_down(peer: Peer) -> None:
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())
    peer.answer = lambda request: [b""]

    with pytest.raises(LinkDown, match="closed by the device"):
        link.read(1, 0, 1, "east")


def test_half_a_frame_is_silence(peer: Peer) -> None:
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())
    peer.answer = lambda request: [framed(request, words(1))[:8]]

    with pytest.raises(LinkTimeout):
        link.read(1, 0, 1, "east")
    link.close()


def test_numbers_of_transactions_begin_again_after_65535(peer: Peer, connection: ModbusConnection) -> None:
    connection._transaction = 0xFFFE

    assert [connection.read(1, 0, 1) for _ in range(3)] == [(7,)] * 3
    assert [request[:2] for request in peer.requests] == [b"\xff\xff", b"\0\0", b"\0\x01"]


@given(st.binary(max_size=300))
def test_any_bytes_are_words_or_a_named_fault(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = ModbusConnection("127.0.0.1", 1, 0.01)
        connection._socket = ours
        ours.settimeout(0.01)
        theirs.sendall(b"\0\x01\0\0" + data)
        with contextlib.suppress(NoReply, NotModbus, ExceptionReply):
            assert all(0 <= word <= 0xFFFF for word in connection.read(1, 0, 2))
