from __future__ import annotations

import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from actors.wire.modbus_client import NoReply, NotReached
from actors.wire.rtu_client import Corrupt, HalfFrame, OnlyNoise, Restless, RtuClient
from actors.wire.rtu_frames import Passed, Wanted, look
from actors.wire.streams import SerialStream
from orchestrator.devices.link.line_time import silence_s
from orchestrator.devices.link.ways import SerialWay
from orchestrator.simulation.network.line import line_frame
from tests.support.servers.rough_line import RoughLine, words_of

PATIENT_S = 5.0
SHORT_S = 0.3
REFUSED = line_frame(1, bytes([0x83, 2]))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[RoughLine]:
    line = RoughLine(tmp_path / "line")
    yield line
    line.close()


@pytest.fixture
def client(line: RoughLine) -> Iterator[RtuClient]:
    client = client_at(line.path)
    yield client
    client.close()


def client_at(path: Path, baud_rate: int = 9600) -> RtuClient:
    way = SerialWay(str(path), baud_rate)
    return RtuClient(SerialStream(way), PATIENT_S, character_s=way.character_s, silence_s=silence_s(way))


def a_read(count: int = 1, unit: int = 1, address: int = 40070) -> ModbusPDU:
    return ReadHoldingRegistersRequest(address=address, count=count, dev_id=unit)


def read(client: RtuClient, count: int = 1, unit: int = 1, timeout_s: float = PATIENT_S) -> tuple[int, ...]:
    return tuple(client.execute(a_read(count, unit), timeout_s).registers)


def test_requests_are_frames_as_the_guide_has_them(line: RoughLine, client: RtuClient) -> None:
    answers = iter([words_of(17, 7), words_of(1, 9, function=4), None, None])
    line.answer = lambda request: [next(answers) or (request if request[1] == 6 else line_frame(1, request[1:6]))]

    assert tuple(client.execute(a_read(unit=17)).registers) == (7,)
    assert tuple(client.execute(ReadInputRegistersRequest(address=16, count=1, dev_id=1)).registers) == (9,)
    client.execute(WriteMultipleRegistersRequest(address=40300, registers=(1, 0xFFFE), dev_id=1))
    client.execute(WriteSingleRegisterRequest(address=40300, registers=[0xFFFE], dev_id=1))

    assert line.requests == [
        line_frame(17, bytes.fromhex("03 9c86 0001")),
        line_frame(1, bytes.fromhex("04 0010 0001")),
        line_frame(1, bytes.fromhex("10 9d6c 0002 04 0001 fffe")),
        line_frame(1, bytes.fromhex("06 9d6c fffe")),
    ]
    assert not +client.noted


def test_the_checksum_is_that_of_the_guide() -> None:
    """Its example: unit 2, function 7 has the checksum 0x1241, the low byte first."""
    assert line_frame(2, b"\x07") == bytes.fromhex("02 07 41 12")


def test_a_reply_may_come_byte_by_byte(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [bytes([byte]) for byte in words_of(1, 1, 2)]

    assert read(client, 2) == (1, 2)


def test_a_refusal_is_a_reply(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [REFUSED]

    assert client.execute(a_read()).exception_code == 2


def test_between_two_frames_the_line_is_silent_for_three_and_a_half_characters(
    line: RoughLine, client: RtuClient
) -> None:
    heard_s, answered_s = [], []

    def answer(request: bytes) -> list[bytes]:
        heard_s.append(time.monotonic())
        answered_s.append(time.monotonic())
        return [words_of(1, 7)]

    line.answer = answer
    slow = client_at(line.path, 300)  # where it is 0.117 s
    read(slow)
    read(slow)
    slow.close()

    assert heard_s[1] - answered_s[0] >= 3.5 * 10 / 300


@pytest.mark.parametrize("count", [1, 2, 20])
def test_the_echo_of_a_half_duplex_adapter_is_skipped(line: RoughLine, client: RtuClient, count: int) -> None:
    line.answer = lambda request: [request, words_of(1, *range(count))]

    assert read(client, count) == tuple(range(count))
    assert client.noted[Passed.ECHO] == 1


def test_an_echo_in_pieces_is_skipped_with_the_reply_behind_it(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [request[:3], request[3:] + words_of(1, 5)[:2], words_of(1, 5)[2:]]

    assert read(client) == (5,)


def test_with_an_echo_a_write_is_done_when_it_is_answered_not_when_it_is_heard(
    line: RoughLine, client: RtuClient
) -> None:
    """The reply to function 6 is the request once more."""
    line.answer = lambda request: [request, words_of(1, 5)]
    read(client)
    line.answer = lambda request: [request]

    with pytest.raises(NoReply):
        client.execute(WriteSingleRegisterRequest(address=5, registers=[1], dev_id=1), SHORT_S)

    line.answer = lambda request: [request, request if request[1] == 6 else words_of(1, 5)]
    assert not client.execute(WriteSingleRegisterRequest(address=5, registers=[1], dev_id=1)).isError()


@pytest.mark.parametrize("noise", [b"\x00", b"\xff\x00\x01", b"\x01\x03", bytes(range(40))], ids=lambda n: n.hex()[:8])
def test_noise_in_front_of_a_reply_is_passed_over_and_counted(line: RoughLine, client: RtuClient, noise: bytes) -> None:
    line.answer = lambda request: [noise + words_of(1, 5)]

    assert read(client) == (5,)
    assert client.noted[Passed.NOISE] == len(noise)


def test_noise_that_looks_like_the_beginning_of_a_frame_does_not_hold_up_the_reply() -> None:
    """In front of unit 4 one byte makes a frame of function 4 of what follows."""
    request = ReadInputRegistersRequest(address=16, count=1, dev_id=4)
    reply = words_of(4, 5, function=4)

    assert look(b"\x09" + reply, Wanted.of(request, b"")).reply == reply


def test_a_read_with_a_wrong_checksum_is_counted_and_made_once_more(line: RoughLine, client: RtuClient) -> None:
    answers = iter([spoiled(words_of(1, 5)), words_of(1, 6)])
    line.answer = lambda request: [next(answers)]

    assert read(client) == (6,)
    assert client.noted[Passed.CORRUPT] == 1


def test_a_checksum_that_is_wrong_twice_is_a_fault_at_once(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [spoiled(words_of(1, 5))]
    began_s = time.monotonic()

    with pytest.raises(Corrupt):
        read(client)
    assert len(line.requests) == 2
    assert time.monotonic() - began_s < PATIENT_S


def test_an_answer_that_breaks_off_twice_is_a_fault_before_the_time_is_up(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [words_of(1, *range(20))[:11]]
    began_s = time.monotonic()

    with pytest.raises(HalfFrame):
        read(client, 20)
    assert client.noted[Passed.HALF] == 2
    assert time.monotonic() - began_s < PATIENT_S


def test_nothing_but_noise_is_another_fault_than_silence(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [bytes([0xFF] * 9)]
    with pytest.raises(OnlyNoise):
        read(client, timeout_s=SHORT_S)

    line.answer = lambda request: []
    with pytest.raises(NoReply) as silence:
        read(client, unit=2, timeout_s=SHORT_S)
    assert not isinstance(silence.value, OnlyNoise)


@pytest.mark.parametrize("function", [6, 16])
def test_a_write_with_a_wrong_answer_is_never_made_twice(line: RoughLine, client: RtuClient, function: int) -> None:
    line.answer = lambda request: [spoiled(line_frame(1, request[1:6]))]
    request_of = WriteSingleRegisterRequest if function == 6 else WriteMultipleRegistersRequest

    with pytest.raises(Corrupt):
        client.execute(request_of(address=5, registers=[1], dev_id=1), SHORT_S)
    assert len(line.requests) == 1


@pytest.mark.parametrize(
    "other",
    [words_of(9, 666), words_of(1, 666, 666), words_of(1, 666, function=4), line_frame(1, bytes([0x90, 2]))],
    ids=["another unit", "another length", "another function", "a refusal of another function"],
)
def test_what_answers_something_else_is_passed_over(line: RoughLine, client: RtuClient, other: bytes) -> None:
    line.answer = lambda request: [other + words_of(1, 5)]

    assert read(client) == (5,)
    assert client.noted[Passed.LATE] == 1


def test_an_answer_to_another_write_is_passed_over(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [line_frame(1, bytes.fromhex("10 0064 0001")), line_frame(1, request[1:6])]

    client.execute(WriteMultipleRegistersRequest(address=5, registers=[1], dev_id=1))
    assert client.noted[Passed.LATE] == 1


class LateDevice:
    """Answers in order, each read with its address; the first answers only when the second request is there."""

    def __init__(self, answer_to_first: bytes) -> None:
        self.seen: list[bytes] = []
        self._first = answer_to_first

    def __call__(self, request: bytes) -> list[bytes]:
        self.seen.append(request)
        address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
        own = words_of(request[0], *[address] * count)
        return [] if len(self.seen) == 1 else [self._first, own] if len(self.seen) == 2 else [own]


@pytest.mark.parametrize("first", [words_of(1, 100, 100), REFUSED], ids=["words", "a refusal"])
def test_a_late_answer_that_looks_just_like_the_one_waited_for_is_not_taken_for_it(
    line: RoughLine, client: RtuClient, first: bytes
) -> None:
    line.answer = LateDevice(first)
    with pytest.raises(NoReply):
        client.execute(a_read(2, address=100), SHORT_S)

    assert tuple(client.execute(a_read(2, address=200)).registers) == (200, 200)
    assert tuple(client.execute(a_read(2, address=300)).registers) == (300, 300)


def test_a_late_answer_that_comes_while_nobody_waits_settles_what_is_owed(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: []
    with pytest.raises(NoReply):
        client.execute(a_read(2, address=100), SHORT_S)
    line.say(words_of(1, 100, 100))
    assert select.select([line.heard_at], [], [], 60)[0]
    line.answer = lambda request: [words_of(request[0], 200, 200)]

    assert tuple(client.execute(a_read(2, address=200)).registers) == (200, 200)
    assert client.noted[Passed.LATE] == 1
    assert len(line.requests) == 2


def test_the_answer_that_one_unit_owes_costs_the_others_nothing(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: [words_of(request[0], 5)] if request[0] == 2 else []
    with pytest.raises(NoReply):
        read(client, unit=1, timeout_s=SHORT_S)

    assert read(client, unit=2) == (5,)
    assert len(line.requests) == 2


def test_a_device_that_stays_silent_is_asked_once_each_time(line: RoughLine, client: RtuClient) -> None:
    line.answer = lambda request: []

    for tries in range(1, 5):
        with pytest.raises(NoReply):
            read(client, timeout_s=0.1)
        assert len(line.requests) == tries


def test_what_came_before_a_request_is_thrown_away(line: RoughLine, client: RtuClient) -> None:
    read(client)
    line.say(words_of(1, 666))
    line.answer = lambda request: [words_of(1, 5)]

    assert read(client) == (5,)


def test_a_line_that_is_never_silent_is_a_fault(line: RoughLine) -> None:
    """Another master. At 300 baud 0.1 s without a byte is no silence yet."""
    client = client_at(line.path, 300)
    line.pause_s = 0.001
    line.answer = lambda request: [words_of(1, 5), *[b"\x00" * 8] * 900]
    read(client)

    with pytest.raises(Restless):
        read(client)
    client.close()


def test_a_port_that_is_not_there_is_not_reached(tmp_path: Path) -> None:
    with pytest.raises(NotReached) as trouble:
        read(client_at(tmp_path / "none"))
    assert trouble.value.errno == 2


def test_a_pulled_cable_is_an_error_and_the_line_works_once_it_is_back(tmp_path: Path) -> None:
    first = RoughLine(tmp_path / "line")
    client = client_at(first.path)
    assert read(client) == (7,)
    first.close()

    with pytest.raises(OSError, match=r".") as trouble:
        read(client)
    assert not client.survives(trouble.value)
    client.close()

    second = RoughLine(tmp_path / "line")
    assert read(client) == (7,)
    client.close()
    second.close()


def test_two_of_us_cannot_hold_one_line(line: RoughLine, client: RtuClient) -> None:
    read(client)
    other = client_at(line.path)
    with pytest.raises(NotReached) as trouble:
        read(other)
    assert trouble.value.errno == 11


FRAMES = st.sampled_from(
    [words_of(1, 666), words_of(2, 5), words_of(1, 5, 6), line_frame(1, bytes([0x84, 2])), b"\x01"]
)
WANTED = Wanted.of(a_read(), line_frame(1, bytes.fromhex("03 9c86 0001")))


@given(before=st.lists(st.one_of(FRAMES.filter(lambda f: f != words_of(1, 666)), st.binary(max_size=12)), max_size=4))
def test_a_sound_answer_is_found_behind_whatever_comes_before_it(before: list[bytes]) -> None:
    answer = words_of(1, 0x1234)

    seen = look(b"".join(before) + answer, WANTED)

    assert (seen.reply, seen.rest) == (answer, b"")


@given(sent=st.binary(max_size=60))
def test_bytes_that_are_no_answer_are_never_taken_for_one(sent: bytes) -> None:
    seen = look(sent, WANTED, is_all=True)

    assert seen.reply is None or seen.reply in sent
    assert seen.noise + sum(map(len, seen.others)) + len(seen.reply or b"") + len(seen.rest) == len(sent)


def spoiled(frame: bytes) -> bytes:
    return frame[:-3] + bytes([frame[-3] ^ 4]) + frame[-2:]
