"""A serial line without the port: its frames, how long they take, and what goes wrong on a line.

frame = unit (1), PDU, checksum (2, low byte first)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

from orchestrator.devices.link.ways import SerialWay
from orchestrator.simulation.devices.plain.map import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE
from orchestrator.simulation.network.modbus import HEADER, Request

SHORT_REQUEST = 8
LEAST_OF_WRITE_MANY = 9
CHECKSUM = struct.Struct("<H")


def checksum(data: bytes) -> int:
    """CRC-16 of Modbus, bit by bit as the guide has it (polynomial 0xA001, from 0xFFFF)."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return register


def line_frame(unit: int, pdu: bytes) -> bytes:
    """A frame of a line."""
    data = bytes([unit]) + pdu
    return data + CHECKSUM.pack(checksum(data))


def take_line_request(buffer: bytearray) -> Request | None:
    """Remove the first whole request from `buffer`; None while it is incomplete. What is none at all is thrown away."""
    size = _request_size(buffer)
    if size is None:
        buffer.clear()
        return None
    if len(buffer) < size:
        return None
    whole = bytes(buffer[:size])
    del buffer[:size]
    if checksum(whole[:-2]) != CHECKSUM.unpack(whole[-2:])[0]:
        buffer.clear()
        return None
    return Request(0, whole[0], whole[1:-2])


def _request_size(buffer: bytearray) -> int | None:
    """How long the request is that begins like this; None where none does."""
    if len(buffer) < 2:
        return SHORT_REQUEST
    if buffer[1] == WRITE_MANY:
        return LEAST_OF_WRITE_MANY + buffer[6] if len(buffer) > 6 else LEAST_OF_WRITE_MANY
    return SHORT_REQUEST if buffer[1] in (READ_HOLDING, READ_INPUT, WRITE_ONE) else None


@dataclass(frozen=True, slots=True)
class LineTroubles:
    """What is wrong with a line. Each `_every` is how many replies there are to one that is spoiled; 0: none is.

    `echo`: requests come back to who sent them. `late_s` is how late the late ones are. `noise` is how many bytes of
    noise come before each reply.
    """

    echo: bool = False
    noise: int = 0
    corrupt_every: int = 0
    half_every: int = 0
    lost_every: int = 0
    late_every: int = 0
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sending:
    """Bytes for the line after `delay_s`."""

    data: bytes
    delay_s: float


class VirtualLine:
    """Turns replies of units into what goes over a line. `is_timed`: bytes take the time that they take."""

    def __init__(self, way: SerialWay, *, is_timed: bool = True, seed: int = 1) -> None:
        self.troubles = LineTroubles()
        self.busy_s = 0.0
        """How long the line has carried bytes."""
        self._character_s = way.character_s if is_timed else 0.0
        self._dice = Random(seed)
        self._replies = 0

    def carry(self, request: bytes, reply: bytes, latency_s: float) -> list[Sending]:
        """What comes back for `request`, whose `reply` (empty: none) the device begins after `latency_s`."""
        troubles, sendings = self.troubles, list[Sending]()
        asked_s = len(request) * self._character_s
        self.busy_s += asked_s
        if troubles.echo:
            sendings.append(Sending(request, asked_s))
        if not reply:
            return sendings
        self._replies += 1
        if self._is_one_in(troubles.lost_every):
            return sendings
        late_s = troubles.late_s if self._is_one_in(troubles.late_every) else 0.0
        data = self._spoiled(reply)
        noise = bytes(self._dice.randrange(256) for _ in range(troubles.noise))
        taken_s = (len(noise) + len(data)) * self._character_s
        self.busy_s += taken_s
        sendings.append(Sending(noise + data, asked_s + latency_s + late_s + taken_s))
        return sendings

    def _is_one_in(self, every: int) -> bool:
        return every > 0 and self._replies % every == 0

    def _spoiled(self, reply: bytes) -> bytes:
        if self._is_one_in(self.troubles.half_every):
            return reply[: len(reply) // 2]
        if self._is_one_in(self.troubles.corrupt_every):
            at = len(reply) // 2
            return reply[:at] + bytes([reply[at] ^ 0x10]) + reply[at + 1 :]
        return reply


def request_frame(request: Request) -> bytes:
    """A request as it came over the line."""
    return line_frame(request.unit, request.pdu)


def reply_frame(request: Request, on_tcp: bytes) -> bytes:
    """The reply to `request` on a line, out of the one that would go over TCP."""
    return line_frame(request.unit, on_tcp[HEADER.size :])
