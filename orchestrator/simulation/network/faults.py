"""What can go wrong between a device and its reader, made on the wire: replies that are late, wrong, or missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from orchestrator.simulation.devices.plain.map import READ_HOLDING, READ_INPUT
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.network.modbus import Request, exception_reply, frame

WRITE_ECHO = 5
"""How many bytes of a write its acknowledgement repeats: function, address, and the value or the number of words."""


class FaultKind(Enum):
    """How the reply is spoiled."""

    SILENT = "silent"
    """The request is swallowed: connected, but no answer. A write has no effect."""
    RESET = "reset"
    """Half of the reply, then the connection is reset."""
    EXCEPTION = "exception"
    """A Modbus exception in place of the reply. A write has no effect."""
    GARBAGE = "garbage"
    """As many bytes as the reply has, none of them right."""
    ZEROS = "zeros"
    """A reply of the right shape in which every word is 0."""
    FROZEN = "frozen"
    """Reads are answered again and again with what the first such read gave. Writes work."""
    DEAF = "deaf"
    """Writes are acknowledged and have no effect. Reads work."""
    SLOW = "slow"
    """The right reply, later by `latency_s`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one device. `code` is for EXCEPTION; `latency_s` is added to every reply that is still given.

    `only_writes` leaves reads alone.
    """

    kind: FaultKind
    code: ExceptionCode = ExceptionCode.DEVICE_FAILURE
    latency_s: float = 0.0
    only_writes: bool = False

    def spoils(self, request: Request) -> bool:
        """Whether it concerns this request."""
        return request.is_write or not (self.only_writes or self.kind is FaultKind.DEAF)

    @property
    def withholds(self) -> bool:
        """Whether the request never reaches the device's registers."""
        return self.kind in (FaultKind.SILENT, FaultKind.EXCEPTION, FaultKind.DEAF)


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes for the wire after `delay_s` (none: nothing is sent), and whether the connection is reset behind them."""

    data: bytes
    delay_s: float = 0.0
    resets: bool = False


def spoil(fault: Fault, request: Request, pdu: bytes) -> Reply:
    """The reply in place of the right one, whose PDU is `pdu` (empty where the fault withholds the request)."""
    right = frame(request, request.pdu[:WRITE_ECHO] if fault.kind is FaultKind.DEAF else pdu)
    if fault.kind is FaultKind.SILENT:
        return Reply(b"")
    if fault.kind is FaultKind.EXCEPTION:
        return Reply(frame(request, exception_reply(request, fault.code)), fault.latency_s)
    if fault.kind is FaultKind.RESET:
        return Reply(right[: len(right) // 2], fault.latency_s, resets=True)
    if fault.kind is FaultKind.GARBAGE:
        return Reply(bytes((37 * index + 171) & 0xFF for index in range(len(right))), fault.latency_s)
    if fault.kind is FaultKind.ZEROS and pdu[0] in (READ_HOLDING, READ_INPUT):
        return Reply(frame(request, pdu[:2] + bytes(len(pdu) - 2)), fault.latency_s)
    return Reply(right, fault.latency_s)


class FrozenReads:
    """What a frozen device answers: to each read, what the first such read gave."""

    def __init__(self) -> None:
        self._first: dict[tuple[int, bytes], bytes] = {}

    def replay(self, request: Request, pdu: bytes) -> bytes:
        """The remembered reply to this read; `pdu` where it is the first, or no read."""
        if pdu[0] not in (READ_HOLDING, READ_INPUT):
            return pdu
        return self._first.setdefault((request.unit, request.pdu), pdu)
