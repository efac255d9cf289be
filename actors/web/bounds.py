"""A listening socket that a hostile client cannot use to slow the plant: few connections, and short ones.

It is bounded where a connection is accepted, before TLS and before a byte is read, so that no library can forget it.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, Final

MAX_CONNECTIONS: Final = 32
"""At once, streams not counted."""
CONNECTION_S: Final = 5.0
"""After this a connection is closed, whatever it is doing, unless it may stay: a request is a few hundred bytes."""
LONG_S: Final = 60.0
"""A request that has to wait for the plant, such as a reload, may take so long."""
BACKLOG: Final = 512
"""So many may wait to be turned away: with fewer, others wait a second for their next try."""
BUSY: Final = b"HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Client = tuple[str, int]
"""Address and port of the other side: what a request knows of its connection."""


class _Connection(socket.socket):
    """One accepted connection; `closed` is told when it is gone."""

    bounds: Bounds | None = None

    def close(self) -> None:
        """Also gives its place back."""
        bounds, self.bounds = self.bounds, None
        if bounds is not None:
            bounds.forget(self)
        super().close()


class Bounds:
    """The open connections, and until when each may stay. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_s: dict[_Connection, float] = {}
        self._clients: dict[Client, _Connection] = {}
        self._streams: set[_Connection] = set()

    @property
    def count(self) -> int:
        """How many are open, streams included."""
        return len(self._ends_s)

    def take(self, connection: _Connection, client: Client) -> bool:
        """Whether there is a place for one more."""
        with self._lock:
            if len(self._ends_s) - len(self._streams) >= MAX_CONNECTIONS:
                return False
            self._ends_s[connection] = time.monotonic() + CONNECTION_S
            self._clients[client] = connection
            connection.bounds = self
            return True

    def forget(self, connection: _Connection) -> None:
        """It is closed."""
        with self._lock:
            self._ends_s.pop(connection, None)
            self._streams.discard(connection)
            self._clients = {client: each for client, each in self._clients.items() if each is not connection}

    def let_stay(self, client: Client, for_s: float) -> None:
        """The connection of `client` may stay for so long from now."""
        with self._lock:
            connection = self._clients.get(client)
            if connection is not None:
                self._ends_s[connection] = time.monotonic() + for_s

    def is_stream(self, client: Client) -> None:
        """The connection of `client` stays for as long as it is read; it takes no place of the others."""
        with self._lock:
            connection = self._clients.get(client)
            if connection is not None:
                self._ends_s[connection] = float("inf")
                self._streams.add(connection)

    def end(self, client: Client) -> None:
        """End the connection of `client`, whatever it is doing."""
        with self._lock:
            connection = self._clients.get(client)
        if connection is not None:
            _shut(connection)

    def end_overdue(self) -> None:
        """End what lasts too long."""
        now_s = time.monotonic()
        with self._lock:
            overdue = [connection for connection, end_s in self._ends_s.items() if end_s < now_s]
        for connection in overdue:
            _shut(connection)

    def end_all(self) -> None:
        """End every connection."""
        with self._lock:
            connections = list(self._ends_s)
        for connection in connections:
            _shut(connection)


class Listener(socket.socket):
    """Listens within `bounds`. `says_busy`: who is turned away is told so, which TLS does not allow."""

    bounds: Bounds
    says_busy: bool

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises BlockingIOError for one that is turned away, as if none had come."""
        accepted, address = super().accept()
        connection = _Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        connection.setblocking(False)
        if self.bounds.take(connection, (str(address[0]), int(address[1]))):
            return connection, address
        self._turn_away(connection)
        raise BlockingIOError("no place for one more connection")

    def _turn_away(self, connection: _Connection) -> None:
        try:
            if self.says_busy:
                connection.send(BUSY)
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        connection.close()


def listen(host: str, port: int, bounds: Bounds, *, says_busy: bool) -> Listener:
    """A socket that listens at `host` and `port`. Raises OSError where that cannot be had."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = infos[0]
    listener = Listener(family, kind, protocol)
    listener.bounds, listener.says_busy = bounds, says_busy
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
