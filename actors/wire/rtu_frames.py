"""Modbus RTU frames among the bytes of a line: the reply to a request, and what is not.

A frame has no beginning of its own and no number: unit, function, data, checksum. So a reply is what has the unit, the
function, the length and the checksum that it must have; whatever else comes is passed over, and counted by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

READS: Final = (3, 4)
WRITES: Final = (6, 16)
WRITE_ONE: Final = 6
ERROR_BIT: Final = 0x80
_CHECKSUM: Final = 2
_REFUSAL_BYTES: Final = 5
_WRITTEN_BYTES: Final = 8
_BESIDE_DATA: Final = 5
_DATA_MOST: Final = 250


class Passed(StrEnum):
    """What is passed over on a line."""

    ECHO = "echo"
    """Our own request: the adapter hears what it sends."""
    LATE = "late"
    """A sound frame that answers something else, such as a request that was given up."""
    NOISE = "noise"
    """Bytes of no frame."""
    CORRUPT = "crc"
    """An answer with a wrong checksum."""
    HALF = "half_frame"
    """An answer that broke off."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The reply that a request waits for: its whole length in bytes where it is no refusal, and how it begins."""

    unit: int
    function: int
    size: int
    begins: bytes

    @classmethod
    def of(cls, request: ModbusPDU, frame: bytes) -> Wanted:
        """For a request that is sent as `frame`."""
        function = request.function_code
        if isinstance(request, ReadHoldingRegistersRequest):
            data = 2 * request.count
            return cls(request.dev_id, function, _BESIDE_DATA + data, bytes([request.dev_id, function, data & 0xFF]))
        return cls(request.dev_id, function, _WRITTEN_BYTES, frame[:6])

    def is_answered_by(self, frame: bytes) -> bool:
        """Whether a sound frame is the reply, or the refusal."""
        if len(frame) == _REFUSAL_BYTES and frame[:2] == bytes([self.unit, self.function | ERROR_BIT]):
            return True
        return len(frame) == self.size and frame.startswith(self.begins)

    def may_begin(self, received: bytes) -> bool:
        """Whether this can be the beginning of what its unit answers to such a request."""
        functions = (self.function, self.function | ERROR_BIT)
        return received[0] == self.unit and (len(received) == 1 or received[1] in functions)


@dataclass(frozen=True, slots=True)
class Look:
    """What bytes turned out to be: the frame that was wanted, frames of others, and how many bytes were of none.

    `rest` may still become the frame that is wanted. `corrupt`: one that looked like it had a wrong checksum.
    """

    reply: bytes | None = None
    others: tuple[bytes, ...] = ()
    noise: int = 0
    rest: bytes = b""
    corrupt: bool = False


def look(received: bytes, wanted: Wanted, *, is_all: bool = False) -> Look:
    """Search `received` for the reply. `is_all`: nothing more will come, so what is not whole is none."""
    at, size = _find(received, wanted)
    if not size:
        return _pass_over(received, wanted, is_all=is_all)
    before = _pass_over(received[:at], wanted, is_all=True)
    return Look(received[at : at + size], before.others, before.noise, received[at + size :])


def _find(received: bytes, wanted: Wanted) -> tuple[int, int]:
    """Where the reply begins and how long it is, whatever stands before it; a length of 0 where there is none yet."""
    for at in range(len(received)):
        rest = received[at:]
        size = size_of(rest) if wanted.may_begin(rest) else None
        if size is not None and wanted.is_answered_by(rest[:size]) and is_sound(rest[:size]):
            return at, size
    return 0, 0


def _pass_over(received: bytes, wanted: Wanted, *, is_all: bool) -> Look:
    at, noise, corrupt = 0, 0, False
    others: list[bytes] = []
    while at < len(received):
        rest = received[at:]
        is_ours = wanted.may_begin(rest)
        size = size_of(rest)
        is_begun = (is_ours and len(rest) < 3) or (size is not None and len(rest) < size)
        if is_begun and not is_all:
            return Look(None, tuple(others), noise, rest, corrupt)
        if size is not None and is_sound(rest[:size]):
            others.append(rest[:size])
            at += size
            continue
        corrupt = corrupt or (is_ours and size is not None and len(rest) >= size)
        noise, at = noise + 1, at + 1
    return Look(None, tuple(others), noise, b"", corrupt)


def size_of(received: bytes) -> int | None:
    """How long the reply is that begins like this; None where no reply begins so, or too little of it is known."""
    if len(received) < 3:
        return None
    function, count = received[1], received[2]
    if function & ERROR_BIT and function ^ ERROR_BIT in (*READS, *WRITES):
        return _REFUSAL_BYTES
    if function in WRITES:
        return _WRITTEN_BYTES
    is_count = count % 2 == 0 and 0 < count <= _DATA_MOST
    return _BESIDE_DATA + count if function in READS and is_count else None


def is_sound(frame: bytes) -> bool:
    """Whether the checksum of a frame is right."""
    if len(frame) < _REFUSAL_BYTES:
        return False
    return FramerRTU.compute_CRC(frame[:-_CHECKSUM]) == int.from_bytes(frame[-_CHECKSUM:], "big")


def pdu_of(frame: bytes) -> bytes:
    """A frame without unit and checksum."""
    return frame[1:-_CHECKSUM]
