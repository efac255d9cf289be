"""Bytes to and from a line: a serial port of this machine, or one behind a gateway that passes its bytes on."""

from __future__ import annotations

import errno
import os
import select
import socket
from glob import glob
from typing import Final, Protocol

import serial

from actors.wire.explained import Closed, NothingSent
from actors.wire.modbus_client import NotReached, connected
from actors.wire.names import Name, NameNotKnown
from orchestrator.devices.link.ways import SerialWay
from orchestrator.reason import because

MOST_BYTES: Final = 512
"""More than the longest frame (256)."""
PORTS: Final = ("/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyAMA*", "/dev/ttySC*")
"""Where Linux has serial ports: by their makers' names, of USB adapters, of a Raspberry Pi, and of its RS485 boards."""


class Stream(Protocol):
    """A line, open or not. For one thread at a time."""

    @property
    def is_open(self) -> bool:
        """Whether it is open, as far as is known."""

    def open(self, timeout_s: float) -> None:
        """Open it where it is not. Raises NotReached, or NameNotKnown."""

    def close(self) -> None:
        """Close it where it is open."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of it. Raises OSError (TimeoutError where it takes too long)."""

    def receive(self, timeout_s: float) -> bytes:
        """What has come, or comes first within `timeout_s`; empty where nothing does. Raises OSError."""


class SerialStream:
    """A serial port. Nobody else that asks, as we do, can open it at the same time."""

    def __init__(self, way: SerialWay) -> None:
        self._way = way
        self._port: serial.Serial | None = None

    @property
    def is_open(self) -> bool:
        """See `Stream`."""
        return self._port is not None

    def open(self, timeout_s: float) -> None:  # noqa: ARG002 - a port opens at once, or not at all
        """See `Stream`. The port is left in the settings of its way."""
        if self._port is not None:
            return
        way = self._way
        try:
            self._port = serial.Serial(
                way.port, way.baud_rate, parity=way.parity, stopbits=way.stop_bits, timeout=0, exclusive=True
            )
        except (OSError, ValueError) as trouble:
            raise NotReached(_code_of(trouble), str(trouble)) from trouble

    def close(self) -> None:
        """See `Stream`."""
        if self._port is not None:
            port, self._port = self._port, None
            port.close()

    def send(self, data: bytes, timeout_s: float) -> None:
        """See `Stream`."""
        _send_all(self._number(), data, timeout_s)

    def receive(self, timeout_s: float) -> bytes:
        """See `Stream`."""
        number = self._number()
        if not _is_ready(number, select.POLLIN, timeout_s):
            return b""
        data = os.read(number, MOST_BYTES)
        if not data:  # ready to be read, and nothing to read: this is how a pulled adapter looks
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return data

    def _number(self) -> int:
        if self._port is None:
            raise OSError(errno.EBADF, "not open")
        return int(self._port.fileno())


class SocketStream:
    """A line behind a gateway that passes the bytes of a TCP connection on."""

    def __init__(self, name: Name) -> None:
        self._name = name
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """See `Stream`."""
        return self._socket is not None

    def open(self, timeout_s: float) -> None:
        """See `Stream`."""
        if self._socket is not None:
            return
        try:
            self._socket = connected(self._name, timeout_s)
        except NameNotKnown:
            raise
        except OSError as trouble:
            self._name.doubt()
            raise NotReached(trouble.errno or 0, trouble.strerror or str(trouble)) from trouble

    def close(self) -> None:
        """See `Stream`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, data: bytes, timeout_s: float) -> None:
        """See `Stream`."""
        connection = self._connection()
        connection.settimeout(timeout_s)
        connection.sendall(data)

    def receive(self, timeout_s: float) -> bytes:
        """See `Stream`."""
        connection = self._connection()
        if not _is_ready(connection.fileno(), select.POLLIN, timeout_s):
            return b""
        data = connection.recv(MOST_BYTES)
        if not data:
            raise Closed(because("closed_by_gateway"))
        return data

    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise OSError(errno.EBADF, "not open")
        return self._socket


def serial_ports() -> tuple[str, ...]:
    """The serial ports that this machine has now, those with lasting names first."""
    return tuple(path for pattern in PORTS for path in sorted(glob(pattern)))


def _code_of(trouble: Exception) -> int:
    """The number of the system's error: pyserial leaves it out where it sets the speed."""
    cause = trouble.__context__
    if getattr(trouble, "errno", None) is None and cause is not None and cause.args:
        return cause.args[0] if isinstance(cause.args[0], int) else 0
    return getattr(trouble, "errno", None) or 0


def _send_all(number: int, data: bytes, timeout_s: float) -> None:
    while data:
        if not _is_ready(number, select.POLLOUT, timeout_s):
            raise NothingSent(because("nothing_sent"))
        data = data[os.write(number, data) :]


def _is_ready(number: int, event: int, timeout_s: float) -> bool:
    """Whether a file can be read or written without waiting, within `timeout_s`; so it can where it is broken."""
    poll = select.poll()
    poll.register(number, event)
    return bool(poll.poll(1e3 * max(timeout_s, 0.0)))
