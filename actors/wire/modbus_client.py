"""One Modbus TCP connection, for one request at a time: pymodbus's requests, replies and frames over a socket of ours.

pymodbus's own client spends most of the time of a request on what is around it: its transaction manager, texts for a
debug log that nobody reads, a receiver that asks the kernel four times for each reply, and registers that are unpacked
one by one. It also gives up only what is silent, not what is slow or makes no sense.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from time import monotonic
from typing import Final

from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

from actors.wire.explained import Closed, Explained
from actors.wire.names import Name, NameNotKnown
from orchestrator.reason import because
from orchestrator.reason.troubles import as_said

FRAME_MOST: Final = 260
"""The longest frame of Modbus TCP, in bytes."""
_HEADER: Final = struct.Struct(">HHHB")
"""Number of the transaction, protocol (0 is Modbus), number of bytes from here on, unit id."""
_COUNTED_FROM: Final = 6
_SHORTEST: Final = 3
"""The least number of bytes in a frame behind it: unit id, function, and the code of a refusal."""
_ERROR_BIT: Final = 0x80
_TRANSACTIONS: Final = 0xFFFF
_NEW_RCVTIMEO: Final = 66
_TIMEVAL: Final = struct.Struct("@qq" if socket.SO_RCVTIMEO == _NEW_RCVTIMEO else "@ll")
"""Seconds and microseconds as this kernel takes them: machines of 32 bits may count time in 64."""
_SHORTEST_WAIT_S: Final = 1e-3
"""To the kernel a limit of 0 is none."""


class NoReply(Exception):
    """Nothing, or nothing whole, came in time."""


class NotModbus(Explained):
    """What came is no Modbus TCP, or no reply to what was asked."""


class NotReached(OSError):
    """There is no connection, and none could be made."""


class HoldingWords(ReadHoldingRegistersResponse):
    """The reply to function 3, unpacked at once."""

    def decode(self, data: bytes) -> None:
        """Take the registers out of `data`: their number of bytes, and they. Raises ModbusIOException, struct.error."""
        size = data[0]
        if size % 2:
            raise ModbusIOException(f"registers of {size} bytes")
        self.registers = struct.unpack_from(f">{size // 2}H", data, 1)


class InputWords(HoldingWords):
    """The reply to function 4."""

    function_code = 4


_REPLIES: Final[dict[int, type[ModbusPDU]]] = {
    reply.function_code: reply
    for reply in (
        *(HoldingWords, InputWords, WriteSingleRegisterResponse, WriteMultipleRegistersResponse),
        *(ReadCoilsResponse, ReadDiscreteInputsResponse),
    )
}


class ModbusClient:
    """A connection that is made when it is needed. For one thread at a time.

    `timeout_s` bounds the making of the connection, and each reply, from the request to its last byte, unless a
    request says less. Nothing is tried twice. After NoReply, NotModbus and OSError the connection is of no use any
    more: `close` it.
    """

    def __init__(self, name: Name, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._framer = FramerSocket(DecodePDU(is_server=False))
        self._transaction = 0
        self._socket: socket.socket | None = None
        self._bound_s = 0.0
        self._received = b""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    @property
    def noted(self) -> Mapping[str, int]:
        """Nothing is passed over that is worth a word: replies have numbers here."""
        return {}

    def connect(self, timeout_s: float | None = None) -> socket.socket:
        """The connection, made now if there is none. Raises NotReached, or NameNotKnown without a look-up."""
        if self._socket is None:
            try:
                self._socket = connected(self._name, self._timeout_s if timeout_s is None else timeout_s)
            except NameNotKnown:
                raise
            except OSError as trouble:
                self._name.doubt()
                raise NotReached(trouble.errno or 0, trouble.strerror or str(trouble)) from trouble
            self._bound_s = 0.0
            self._received = b""
        return self._socket

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def survives(self, _problem: Exception) -> bool:
        """Whether the connection is of use after a problem that `execute` has raised: never."""
        return False

    def execute(self, request: ModbusPDU, timeout_s: float | None = None) -> ModbusPDU:
        """The reply to `request` (functions 3, 4, 6 and 16), which may be an ExceptionResponse.

        Raises NoReply, NotModbus, OSError (NotReached where there is no connection); ValueError and struct.error for a
        request that cannot be sent.
        """
        patience_s = self._timeout_s if timeout_s is None else timeout_s
        self._transaction = request.transaction_id = self._transaction % _TRANSACTIONS + 1
        frame = self._framer.buildFrame(request)
        connection = self._socket or self.connect(patience_s)
        self._bound(connection, patience_s)
        until_s = monotonic() + patience_s
        try:
            connection.sendall(frame)
            self._receive(connection)
            return self._take_reply(request) or self._wait_for_reply(request, connection, until_s)
        except BlockingIOError as silence:
            raise NoReply from silence

    def _wait_for_reply(self, request: ModbusPDU, connection: socket.socket, until_s: float) -> ModbusPDU:
        """What has come so far was not all of it."""
        reply = None
        while reply is None:
            rest_s = until_s - monotonic()
            if rest_s <= 0.0:
                raise NoReply
            self._bound(connection, rest_s)
            self._receive(connection)
            reply = self._take_reply(request)
        return reply

    def _bound(self, connection: socket.socket, seconds: float) -> None:
        """Let the kernel end what takes longer. A time-out of Python's would ask it twice more for each request."""
        if seconds == self._bound_s:
            return
        whole_s, rest_s = divmod(max(seconds, _SHORTEST_WAIT_S), 1.0)
        limit = _TIMEVAL.pack(int(whole_s), int(1e6 * rest_s))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._bound_s = seconds

    def _receive(self, connection: socket.socket) -> None:
        part = connection.recv(FRAME_MOST)
        if not part:
            raise Closed(because("closed_by_device"))
        self._received += part

    def _take_reply(self, request: ModbusPDU) -> ModbusPDU | None:
        """The reply among what has come, None where it is not whole yet. Replies to other requests are passed over."""
        while len(self._received) >= _HEADER.size:
            transaction, protocol, size, unit_id = _HEADER.unpack_from(self._received)
            end = _COUNTED_FROM + max(size, _SHORTEST)  # some devices count one byte too few of a refusal
            if protocol or size < _SHORTEST - 1 or end > FRAME_MOST:
                raise NotModbus(because("other_frame", protocol=protocol, bytes=size))
            if end > len(self._received):
                return None
            pdu, self._received = self._received[_HEADER.size : end], self._received[end:]
            if transaction == request.transaction_id and unit_id == request.dev_id:
                return decoded(pdu, request.function_code)
        return None


def decoded(pdu: bytes, function: int) -> ModbusPDU:
    """The reply in a frame to a request of `function`. Raises NotModbus."""
    reply: ModbusPDU
    if pdu[0] == function:
        reply = _REPLIES[function]()
    elif pdu[0] == function | _ERROR_BIT:
        reply = ExceptionResponse(function)
    else:
        raise NotModbus(because("other_function", answered=pdu[0], asked=function))
    try:
        reply.decode(pdu[1:])
    except (ModbusIOException, struct.error) as trouble:
        raise NotModbus(as_said(str(trouble))) from trouble
    return reply


def connected(name: Name, timeout_s: float) -> socket.socket:
    """A connection to the first address that takes it, within `timeout_s` in all. Raises OSError."""
    until_s, trouble = monotonic() + timeout_s, OSError(0, "no address")
    for family, address in name.targets():
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(until_s - monotonic(), _SHORTEST_WAIT_S))
            connection.connect(address)
            connection.settimeout(None)
        except OSError as problem:
            trouble = problem
            connection.close()
        else:
            return connection
    raise trouble
