"""A Modbus device with inputs: bits and registers over TCP, written from the specification of the protocol."""

from __future__ import annotations

import socketserver
import struct
import threading

REGISTER_TABLES = (3, 4)
"""Functions that read registers; 1 and 2 read bits."""


class Inputs(socketserver.ThreadingTCPServer):
    """A device with bits and registers, each at its address in each table: `values[function, address]`."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port: int) -> None:
        self.values: dict[tuple[int, int], int] = {}
        self.asked = 0
        super().__init__(("127.0.0.1", port), _Conversation)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def answer(self, function: int, address: int, count: int) -> bytes:
        self.asked += 1
        values = [self.values.get((function, address + index)) for index in range(count)]
        if any(value is None for value in values):
            return struct.pack(">BB", function | 0x80, 2)
        known = [value or 0 for value in values]
        if function in REGISTER_TABLES:
            return struct.pack(f">BB{count}H", function, 2 * count, *known)
        packed = sum(bit << index for index, bit in enumerate(known)).to_bytes((count + 7) // 8, "little")
        return struct.pack(">BB", function, len(packed)) + packed


class _Conversation(socketserver.BaseRequestHandler):
    server: Inputs

    def handle(self) -> None:
        while len(request := self.request.recv(12)) == 12:
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            pdu = self.server.answer(function, address, count)
            self.request.sendall(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)
