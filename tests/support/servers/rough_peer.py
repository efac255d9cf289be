"""A device that answers a request with whatever a test wants, byte for byte, over a real connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from tests.support.servers.required import free_port

Answer = Callable[[bytes], list[bytes]]
"""From a request to what is sent for it, piece by piece."""

HANG_UP = b""
"""A piece that ends the connection."""
PAUSE_S = 0.01
"""Before each further piece, so that they do not arrive as one."""


def framed(request: bytes, pdu: bytes, **changed: int) -> bytes:
    """A reply to `request`; `transaction`, `protocol`, `length` and `unit` may be others than they should be."""
    transaction, protocol, _, unit = struct.unpack_from(">HHHB", request)
    header = {"transaction": transaction, "protocol": protocol, "length": len(pdu) + 1, "unit": unit} | changed
    return struct.pack(">HHHB", *header.values()) + pdu


def words(*values: int, function: int = 3) -> bytes:
    """The PDU that answers a read."""
    return struct.pack(f">BB{len(values)}H", function, 2 * len(values), *values)


class RoughPeer:
    """Serves one client after another. `answer` may be changed at any time; `requests` is what has come so far."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: [framed(request, words(7))]
        self.pause_s = PAUSE_S
        self.requests: list[bytes] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", free_port()))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="rough peer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; the client has to be gone."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with client, contextlib.suppress(OSError):  # the client may be gone before all is said
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := client.recv(300):
            self.requests.append(request)
            for number, piece in enumerate(self.answer(request)):
                if number:
                    time.sleep(self.pause_s)
                if piece == HANG_UP:
                    return
                client.sendall(piece)
