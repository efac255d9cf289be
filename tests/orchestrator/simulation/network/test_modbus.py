from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.network.modbus import NotModbus, Request, answer, frame, take_request
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import HYBRID

pdus = st.binary(min_size=1, max_size=200)


def ask(pdu: bytes) -> bytes:
    return answer(Bench(HYBRID).device, Request(1, 1, pdu), now_s=0.0)


@given(requests=st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255), pdus), max_size=5), cut=st.data())
def test_requests_are_found_however_the_bytes_arrive(requests, cut) -> None:
    wanted = [Request(*request) for request in requests]
    wire = b"".join(frame(request, request.pdu) for request in wanted)
    buffer, found = bytearray(), []
    while wire:
        size = cut.draw(st.integers(1, len(wire)))
        buffer += wire[:size]
        wire = wire[size:]
        while (request := take_request(buffer)) is not None:
            found.append(request)

    assert found == wanted


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", struct.pack(">HHHB", 1, 0, 1, 1), b"\0\1\0\0\2\0\1"])
def test_what_is_not_modbus_is_refused(data: bytes) -> None:
    with pytest.raises(NotModbus):
        take_request(bytearray(data))


def test_one_register_is_written_with_function_6() -> None:
    bench = Bench(HYBRID)
    address = bench.device.registers.address("123.WMaxLimPct")
    pdu = struct.pack(">BHH", 6, address, 4200)

    assert answer(bench.device, Request(1, 1, pdu), now_s=3.0) == pdu
    assert bench.read("123.WMaxLimPct") == 4200
    assert bench.device.writes[0].at_s == 3.0


def test_several_registers_are_written_with_function_16() -> None:
    bench = Bench(HYBRID)
    address = bench.device.registers.address("123.WMaxLimPct")
    pdu = struct.pack(">BHHB5H", 16, address, 5, 10, 5000, 0, 60, 0, 1)

    assert answer(bench.device, Request(1, 1, pdu), now_s=0.0) == struct.pack(">BHH", 16, address, 5)
    assert bench.read("123.WMaxLimPct_RvrtTms") == 60


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\4\x9c\x40\0\1", 1),
        (b"\x2b\x0e\1\0", 1),
        (struct.pack(">BHH", 3, 39999, 1), 2),
        (struct.pack(">BHH", 3, 40000, 0), 3),
        (struct.pack(">BHH", 3, 40000, 126), 3),
        (b"\3\x9c\x40", 3),
        (b"\6\x9c\x40", 3),
        (b"\x10\x9c\x40", 3),
        (struct.pack(">BHHBH", 16, 40000, 2, 4, 1), 3),
        (struct.pack(">BHHB", 16, 40000, 0, 0), 3),
        (struct.pack(">BHHBH", 16, 39999, 1, 2, 1), 2),
    ],
)
def test_a_request_that_cannot_be_done_gets_its_exception(pdu: bytes, code: int) -> None:
    assert ask(pdu) == bytes([pdu[0] | 0x80, code])


@given(pdu=pdus)
def test_any_bytes_get_an_answer(pdu: bytes) -> None:
    assert ask(pdu)
