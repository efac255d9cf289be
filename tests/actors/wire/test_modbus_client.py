from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from actors.wire.modbus_client import ModbusClient, NoReply, NotModbus
from tests.support.servers.rough_peer import HANG_UP, Answer, RoughPeer, framed, words

TIMEOUT_S = 2.0


@pytest.fixture
def peer() -> Iterator[RoughPeer]:
    peer = RoughPeer()
    yield peer
    peer.close()


@pytest.fixture
def client(peer: RoughPeer) -> Iterator[ModbusClient]:
    client = ModbusClient("127.0.0.1", peer.port, TIMEOUT_S)
    yield client
    client.close()


def a_read(count: int = 1, unit: int = 1) -> ModbusPDU:
    return ReadHoldingRegistersRequest(address=40070, count=count, dev_id=unit)


def read(client: ModbusClient, count: int = 1) -> tuple[int, ...]:
    return tuple(client.execute(a_read(count)).registers)


def test_a_read_is_one_frame_as_the_standard_has_it(peer: RoughPeer, client: ModbusClient) -> None:
    reply = client.execute(a_read(unit=17))

    assert peer.requests == [bytes.fromhex("0001 0000 0006 11 03 9c86 0001")]
    assert tuple(reply.registers) == (7,)


def test_input_registers_are_read_with_function_4(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, words(9, 0xFFFF, function=4))]

    reply = client.execute(ReadInputRegistersRequest(address=16, count=2, dev_id=1))

    assert peer.requests == [bytes.fromhex("0001 0000 0006 01 04 0010 0002")]
    assert tuple(reply.registers) == (9, 0xFFFF)


def test_writes_are_frames_as_the_standard_has_them(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, request[7:12])]

    client.execute(WriteMultipleRegistersRequest(address=40300, registers=(1, 0xFFFE), dev_id=1))
    client.execute(WriteSingleRegisterRequest(address=40300, registers=[0xFFFE], dev_id=1))

    assert peer.requests == [
        bytes.fromhex("0001 0000 000b 01 10 9d6c 0002 04 0001 fffe"),
        bytes.fromhex("0002 0000 0006 01 06 9d6c fffe"),
    ]


def test_a_reply_may_come_byte_by_byte(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [bytes([byte]) for byte in framed(request, words(1, 2))]

    assert read(client, 2) == (1, 2)


@pytest.mark.parametrize("changed", [{"transaction": 99}, {"unit": 9}])
def test_what_answers_another_request_is_passed_over(
    peer: RoughPeer, client: ModbusClient, changed: dict[str, int]
) -> None:
    peer.answer = lambda request: [framed(request, words(666), **changed) + framed(request, words(5))]

    assert read(client) == (5,)


def test_a_reply_that_comes_twice_is_not_taken_for_the_next_one(peer: RoughPeer, client: ModbusClient) -> None:
    numbers = iter(range(10))

    def twice(request: bytes) -> list[bytes]:
        reply = framed(request, words(next(numbers)))
        return [reply + reply[:4], reply[4:]]

    peer.answer = twice

    assert [read(client) for _ in range(4)] == [(0,), (1,), (2,), (3,)]


def test_only_replies_to_others_are_no_reply(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, words(666), transaction=99)]

    with pytest.raises(NoReply):
        read(client)


@pytest.mark.parametrize("is_other", [True, False], ids=["replies to others", "one reply in drops"])
def test_a_device_that_drips_does_not_hold_us_longer_than_one_that_is_silent(
    peer: RoughPeer, client: ModbusClient, is_other: bool
) -> None:
    def drops(request: bytes) -> list[bytes]:
        if is_other:
            return [framed(request, words(666), transaction=99)] * 200
        return [bytes([byte]) for byte in framed(request, words(*range(120)))]

    peer.answer, peer.pause_s = drops, 0.05
    began_s = time.monotonic()

    with pytest.raises(NoReply):
        read(client)

    assert TIMEOUT_S <= time.monotonic() - began_s < 2.5 * TIMEOUT_S, "the drops come for five times as long"
    client.close()


def test_half_a_reply_that_comes_late_does_not_buy_more_time(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, words(1))[:4], b"\0"]
    peer.pause_s = 0.9 * TIMEOUT_S
    began_s = time.monotonic()

    with pytest.raises(NoReply):
        read(client)

    assert time.monotonic() - began_s < 1.8 * TIMEOUT_S, "1.9 if it began to wait anew"


def test_half_a_frame_is_no_reply(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, words(1))[:8]]

    with pytest.raises(NoReply):
        read(client)


def test_a_reply_in_pieces_leaves_the_next_one_all_its_time(peer: RoughPeer, client: ModbusClient) -> None:
    def in_pieces(request: bytes) -> list[bytes]:
        reply = framed(request, words(3))
        return [reply[:5], reply[5:8], reply[8:]]

    def late(request: bytes) -> list[bytes]:
        time.sleep(0.6 * TIMEOUT_S)
        return [framed(request, words(4))]

    peer.answer, peer.pause_s = in_pieces, 0.3 * TIMEOUT_S
    assert read(client) == (3,)
    peer.answer = late

    assert read(client) == (4,)


@pytest.mark.parametrize("length", [3, 2], ids=["as the standard has it", "one byte too few counted"])
def test_a_refusal_is_a_reply_with_its_code(peer: RoughPeer, client: ModbusClient, length: int) -> None:
    peer.answer = lambda request: [framed(request, b"\x83\x02", length=length)]

    reply = client.execute(a_read())

    assert isinstance(reply, ExceptionResponse)
    assert reply.exception_code == 2


NO_MODBUS: dict[str, Answer] = {
    "another protocol": lambda request: [framed(request, words(1), protocol=1)],
    "too short": lambda request: [framed(request, words(1), length=1, transaction=99)],
    "too long": lambda request: [framed(request, words(1), length=300)],
    "another function": lambda request: [framed(request, b"\x04\x02\x00\x01")],
    "refusal of another function": lambda request: [framed(request, b"\x84\x02")],
    "fewer bytes than it says": lambda request: [framed(request, b"\x03\x04\x00\x01")],
    "half a word": lambda request: [framed(request, b"\x03\x01\x00")],
    "a number of bytes and no bytes": lambda request: [framed(request, b"\x03\x00")[:-1] + b"\x02"],
    "an HTTP server": lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
}


@pytest.mark.parametrize("answer", NO_MODBUS.values(), ids=NO_MODBUS.keys())
def test_what_is_no_modbus_is_known_at_once(peer: RoughPeer, client: ModbusClient, answer: Answer) -> None:
    peer.answer = answer
    began_s = time.monotonic()

    with pytest.raises(NotModbus):
        read(client)

    assert time.monotonic() - began_s < TIMEOUT_S


def test_a_write_that_is_answered_by_half_a_reply_is_no_modbus(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, request[7:9])]

    with pytest.raises(NotModbus):
        client.execute(WriteMultipleRegistersRequest(address=1, registers=[1], dev_id=1))


def test_a_peer_that_hangs_up_is_known_at_once(peer: RoughPeer, client: ModbusClient) -> None:
    peer.answer = lambda request: [framed(request, words(1))[:8], HANG_UP]

    with pytest.raises(ConnectionResetError):
        read(client)


def test_what_was_left_of_one_connection_is_not_part_of_the_next(peer: RoughPeer, client: ModbusClient) -> None:
    good = peer.answer
    peer.answer = lambda request: [framed(request, words(1))[:8]]
    with pytest.raises(NoReply):
        read(client)
    client.close()

    peer.answer = good

    assert read(client) == (7,)
    assert peer.connections == 2


def test_the_number_of_a_transaction_is_never_0(peer: RoughPeer, client: ModbusClient) -> None:
    client._transaction = 0xFFFE

    assert [read(client) for _ in range(3)] == [(7,)] * 3
    assert [request[:2] for request in peer.requests] == [b"\xff\xff", b"\0\x01", b"\0\x02"]


def test_nobody_at_the_port_is_an_error_of_the_system(peer: RoughPeer) -> None:
    gone = RoughPeer()
    gone.close()
    client = ModbusClient("127.0.0.1", gone.port, TIMEOUT_S)

    with pytest.raises(ConnectionRefusedError):
        client.execute(a_read())


HEADS = st.sampled_from(
    [b"", b"\0\x01\0\0", b"\0\x01\0\0\0\x05\x01", b"\0\x01\0\0\0\x07\x01\x03", b"\0\x01\0\0\0\x03\x01"]
)


@given(HEADS, st.binary(max_size=300))
def test_any_bytes_are_words_or_a_named_trouble(head: bytes, data: bytes) -> None:
    ours, theirs = socket.socketpair()
    client = ModbusClient("127.0.0.1", 1, 0.005)
    with ours, theirs:
        client._socket = ours
        theirs.sendall(head + data)
        theirs.shutdown(socket.SHUT_WR)
        with contextlib.suppress(NoReply, NotModbus, ConnectionResetError):
            reply = client.execute(a_read(2))
            assert isinstance(reply, ExceptionResponse) or all(0 <= word <= 0xFFFF for word in reply.registers)
