from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from orchestrator.devices.link.ways import SerialWay
from orchestrator.simulation.network.line import (
    LineTroubles,
    Sending,
    VirtualLine,
    checksum,
    line_frame,
    take_line_request,
)

WAY = SerialWay("/dev/x", 9600)
READ = line_frame(1, bytes.fromhex("03 0000 0002"))
WRITE = line_frame(1, bytes.fromhex("10 0000 0002 04 0001 0002"))
REPLY = line_frame(1, bytes.fromhex("03 04 0001 0002"))


@given(st.binary(max_size=40))
def test_the_checksum_is_that_of_pymodbus(data: bytes) -> None:
    assert checksum(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@pytest.mark.parametrize("frame", [READ, WRITE, line_frame(1, bytes.fromhex("06 0000 0002"))])
def test_a_request_is_taken_once_all_of_it_is_there(frame: bytes) -> None:
    buffer = bytearray()
    for byte in frame[:-1]:
        buffer.append(byte)
        assert take_line_request(buffer) is None
    buffer.append(frame[-1])

    request = take_line_request(buffer)
    assert request is not None
    assert (request.unit, request.pdu) == (1, frame[1:-2])
    assert not buffer


@pytest.mark.parametrize("bad", [b"\x01\x63\x00", READ[:-1] + b"\x00"])
def test_what_is_no_request_is_thrown_away(bad: bytes) -> None:
    buffer = bytearray(bad)

    assert take_line_request(buffer) is None
    assert not buffer


def test_a_reply_comes_when_request_and_reply_are_through_and_the_device_has_thought() -> None:
    (sending,) = VirtualLine(WAY).carry(READ, REPLY, 0.03)

    assert sending == Sending(REPLY, pytest.approx((8 + 9) * 10 / 9600 + 0.03))


def carried(count: int, **troubles: int | float | bool) -> list[list[Sending]]:
    line = VirtualLine(WAY, is_timed=False)
    line.troubles = replace(LineTroubles(), **troubles)
    return [line.carry(READ, REPLY, 0.0) for _ in range(count)]


def test_every_other_reply_may_be_lost_cut_spoiled_or_late() -> None:
    sound = [Sending(REPLY, 0.0)]

    assert carried(2, lost_every=2) == [sound, []]
    assert carried(2, half_every=2) == [sound, [Sending(REPLY[:4], 0.0)]]
    assert carried(2, late_every=2, late_s=1.5) == [sound, [Sending(REPLY, 1.5)]]
    (spoiled,) = carried(2, corrupt_every=2)[1]
    assert len(spoiled.data) == len(REPLY)
    assert checksum(spoiled.data[:-2]) != int.from_bytes(spoiled.data[-2:], "little")


def test_an_echo_comes_before_the_reply_also_where_nobody_answers() -> None:
    assert [each.data for each in carried(1, echo=True)[0]] == [READ, REPLY]
    line = VirtualLine(WAY)
    line.troubles = LineTroubles(echo=True)
    assert [each.data for each in line.carry(READ, b"", 0.0)] == [READ]


def test_noise_comes_in_front_of_a_reply() -> None:
    ((noisy,),) = carried(1, noise=3)

    assert noisy.data.endswith(REPLY)
    assert len(noisy.data) == len(REPLY) + 3
