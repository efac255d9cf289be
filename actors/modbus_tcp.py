"""Modbus TCP on a plain socket: one request at a time, and its reply within a time. No retries, no threads.

frame = transaction (2), protocol 0 (2), length of what follows (2), unit (1), PDU (function first)
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Final

READ_HOLDING: Final = 3
WRITE_ONE: Final = 6
WRITE_MANY: Final = 16
EXCEPTION_BIT: Final = 0x80

_HEADER: Final = struct.Struct(">HHHB")
_READ: Final = struct.Struct(">HHHBBHH")
_FRAME_MOST: Final = 260
_SHORTEST: Final = 3
"""The least that a header may say: unit, function, and one byte of what the function is about."""


class NoReply(Exception):
    """Nothing, or nothing whole, came in time."""


class NotModbus(Exception):
    """What came is no Modbus TCP; the connection is of no use any more."""


class ExceptionReply(Exception):
    """The device refused; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class ModbusConnection:
    """One connection that is made when it is needed. After NoReply, NotModbus and OSError it must be closed.

    `timeout_s` bounds the making of the connection, and each reply; one that comes in pieces may take twice as long.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._transaction = 0
        self._received = b""

    def connect(self) -> socket.socket:
        """The connection, made now if there is none. Raises OSError."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._received = b""
        return self._socket

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def read(self, unit_id: int, address: int, count: int) -> tuple[int, ...]:
        """Holding registers, as many as the device sends: it may be another number than `count`.

        Raises ExceptionReply, NoReply, NotModbus, OSError.
        """
        transaction = self._next_transaction()
        reply = self._exchange(_READ.pack(transaction, 0, 6, unit_id, READ_HOLDING, address, count))
        size = reply[8]
        if size % 2 or len(reply) != 9 + size:
            raise NotModbus(f"a reply of {len(reply)} bytes says that {size} bytes are registers")
        return struct.unpack_from(f">{size // 2}H", reply, 9)

    def write_one(self, unit_id: int, address: int, word: int) -> None:
        """Write one register with function 6. Raises as `read`."""
        transaction = self._next_transaction()
        self._exchange(_READ.pack(transaction, 0, 6, unit_id, WRITE_ONE, address, word))

    def write_many(self, unit_id: int, address: int, words: tuple[int, ...]) -> None:
        """Write registers with function 16. Raises as `read`."""
        count = len(words)
        header = _HEADER.pack(self._next_transaction(), 0, 7 + 2 * count, unit_id)
        self._exchange(header + struct.pack(f">BHHB{count}H", WRITE_MANY, address, count, 2 * count, *words))

    def _next_transaction(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFFFF
        return self._transaction

    def _exchange(self, request: bytes) -> bytes:
        """Send a frame and return the frame that answers it; what answers another request is passed over."""
        connection = self.connect()
        connection.sendall(request)
        until_s = time.monotonic() + self._timeout_s
        while True:
            self._receive(connection, until_s)
            while (reply := self._take_frame()) is not None:
                if reply[:2] == request[:2] and reply[6] == request[6]:
                    return _accepted(request, reply)

    def _receive(self, connection: socket.socket, until_s: float) -> None:
        if time.monotonic() >= until_s:
            raise NoReply
        try:
            part = connection.recv(_FRAME_MOST)
        except TimeoutError as silence:
            raise NoReply from silence
        if not part:
            raise ConnectionResetError("closed by the device")
        self._received += part

    def _take_frame(self) -> bytes | None:
        """The next whole frame of what was received, None where there is none yet."""
        if len(self._received) < _HEADER.size:
            return None
        _, protocol, length, _ = _HEADER.unpack_from(self._received)
        end = _HEADER.size - 1 + length
        if protocol or length < _SHORTEST or end > _FRAME_MOST:
            raise NotModbus(f"a frame of protocol {protocol} with {length} bytes")
        if len(self._received) < end:
            return None
        frame, self._received = self._received[:end], self._received[end:]
        return frame


def _accepted(request: bytes, reply: bytes) -> bytes:
    asked, answered = request[7], reply[7]
    if answered == asked:
        return reply
    if answered == asked | EXCEPTION_BIT:
        raise ExceptionReply(reply[8])
    raise NotModbus(f"function {answered} answers function {asked}")
