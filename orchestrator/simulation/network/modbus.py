"""Modbus TCP without sockets: bytes into requests, requests into replies.

frame = transaction (2), protocol 0 (2), length of what follows (2), unit (1), PDU
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.simulation.devices.plain.map import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE, PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, Registers
from orchestrator.simulation.devices.sunspec.words import Words

EXCEPTION_BIT = 0x80
HEADER = struct.Struct(">HHHB")
MOST_READ, MOST_WRITTEN = 125, 123
LONGEST_FRAME = 260


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: its transaction, the unit it is for, and its PDU (function code first)."""

    transaction: int
    unit: int
    pdu: bytes

    @property
    def is_write(self) -> bool:
        """Whether it wants to change registers."""
        return self.pdu[0] in (WRITE_ONE, WRITE_MANY)


class NotModbus(Exception):
    """The peer speaks something else; the connection is of no use."""


def take_request(buffer: bytearray) -> Request | None:
    """Remove the first whole request from `buffer`; None while it is incomplete. Raises NotModbus."""
    if len(buffer) < HEADER.size:
        return None
    transaction, protocol, length, unit = HEADER.unpack_from(buffer)
    end = HEADER.size - 1 + length
    if protocol != 0 or length < 2 or end > LONGEST_FRAME:
        raise NotModbus
    if len(buffer) < end:
        return None
    request = Request(transaction, unit, bytes(buffer[HEADER.size : end]))
    del buffer[:end]
    return request


def frame(request: Request, pdu: bytes) -> bytes:
    """The reply to `request` on the wire."""
    return HEADER.pack(request.transaction, 0, len(pdu) + 1, request.unit) + pdu


def exception_reply(request: Request, code: ExceptionCode) -> bytes:
    """The PDU that refuses `request`."""
    return bytes([request.pdu[0] | EXCEPTION_BIT, code])


def answer(device: Registers, request: Request, now_s: float) -> bytes:
    """The PDU with which `device` answers; writes are stamped `now_s`."""
    function = request.pdu[0]
    knows = not isinstance(device, PlainDevice) or function in device.functions
    handler = _HANDLERS.get(function) if knows else None
    outcome = ExceptionCode.ILLEGAL_FUNCTION if handler is None else handler(device, request.pdu, now_s)
    return exception_reply(request, outcome) if isinstance(outcome, ExceptionCode) else outcome


def _read_holding(device: Registers, pdu: bytes, _now_s: float) -> bytes | ExceptionCode:
    return _read(pdu, device.read)


def _read_inputs(device: Registers, pdu: bytes, _now_s: float) -> bytes | ExceptionCode:
    """SunSpec devices have holding registers only."""
    return _read(pdu, device.read_inputs) if isinstance(device, PlainDevice) else ExceptionCode.ILLEGAL_FUNCTION


def _read(pdu: bytes, read: Callable[[int, int], Words | ExceptionCode]) -> bytes | ExceptionCode:
    if len(pdu) != 5:
        return ExceptionCode.ILLEGAL_VALUE
    address, count = struct.unpack(">HH", pdu[1:])
    if not 1 <= count <= MOST_READ:
        return ExceptionCode.ILLEGAL_VALUE
    words = read(address, count)
    if isinstance(words, ExceptionCode):
        return words
    return struct.pack(f">BB{count}H", pdu[0], 2 * count, *words)


def _write_one(device: Registers, pdu: bytes, now_s: float) -> bytes | ExceptionCode:
    if len(pdu) != 5:
        return ExceptionCode.ILLEGAL_VALUE
    address, word = struct.unpack(">HH", pdu[1:])
    if isinstance(device, PlainDevice) and address in device.block_writes:
        return ExceptionCode.ILLEGAL_ADDRESS
    return device.write(address, (word,), now_s) or pdu


def _write_many(device: Registers, pdu: bytes, now_s: float) -> bytes | ExceptionCode:
    if len(pdu) < 6:
        return ExceptionCode.ILLEGAL_VALUE
    address, count, size = struct.unpack(">HHB", pdu[1:6])
    if not 1 <= count <= MOST_WRITTEN or size != 2 * count or len(pdu) != 6 + size:
        return ExceptionCode.ILLEGAL_VALUE
    if isinstance(device, PlainDevice) and address in device.single_writes:
        return ExceptionCode.ILLEGAL_ADDRESS
    words = struct.unpack(f">{count}H", pdu[6:])
    return device.write(address, words, now_s) or pdu[:5]


_HANDLERS = {
    READ_HOLDING: _read_holding,
    READ_INPUT: _read_inputs,
    WRITE_ONE: _write_one,
    WRITE_MANY: _write_many,
}
