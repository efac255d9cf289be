"""Real Modbus TCP servers on loopback whose registers and manners a test can change at any moment."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.support.servers.required import free_port

T = TypeVar("T")

Values = list[int] | list[bool] | None
"""What a request writes; None for a read."""

SIZE = 300
ANY_UNIT = 0
LINGER_0 = struct.pack("ii", 1, 0)


class ServerThread:
    """The one thread that the servers of a test run in. A context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers", daemon=True)
        self._boxes: list[ModbusBox] = []

    def __enter__(self) -> ServerThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for box in self._boxes:
            box.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the thread and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def box(self, words: dict[int, int] | None = None) -> ModbusBox:
        """A new server that is serving."""
        box = ModbusBox(self, words or {})
        self._boxes.append(box)
        box.start()
        return box


class ModbusBox:
    """One Modbus TCP server. All registers from 0 to `SIZE` - 1 exist and are 0 unless set.

    `words` are its registers, signed or not. `refused` maps addresses to the exception code of a request that touches
    them, `refused_writes` likewise for writes only. Writes to `ignored` addresses are acknowledged without effect. A
    `silent` server never answers, the next `lost_answers` are lost on their way, one that `resets` answers with a TCP
    reset, a `short` one leaves out the last word of what was asked for. `delay_s` comes before each answer.
    `requests` keeps (function, address, count).
    """

    def __init__(self, thread: ServerThread, words: dict[int, int]) -> None:
        self._thread = thread
        self._server: ModbusTcpServer | None = None
        self.words = words
        self.refused: dict[int, int] = {}
        self.refused_writes: dict[int, int] = {}
        self.ignored: set[int] = set()
        self.silent = False
        self.lost_answers = 0
        self.resets = False
        self.short = False
        self.delay_s = 0.0
        self.port = free_port()
        self.requests: list[tuple[int, int, int]] = []

    def start(self) -> None:
        """Serve, on the same port each time."""
        self._thread.run(self._start())

    def stop(self) -> None:
        """Close all connections and the port."""
        if self._server is not None:
            self._thread.run(self._server.shutdown())  # type: ignore[no-untyped-call]
            self._server = None

    def reset_connections(self) -> None:
        """Answer every connection with a TCP reset."""
        self._thread.run(self._reset())

    @property
    def writes(self) -> list[tuple[int, int]]:
        """(address, count) of every write request so far."""
        return [(address, count) for function, address, count in self.requests if function == 16]

    @property
    def reads(self) -> list[tuple[int, int]]:
        """(address, count) of every read request so far."""
        return [(address, count) for function, address, count in self.requests if function == 3]

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return 0 if self._server is None else len(self._server.active_connections)

    async def _start(self) -> None:
        device = SimDevice(
            id=ANY_UNIT,
            simdata=[SimData(0, values=[0] * SIZE, datatype=DataType.REGISTERS)],
            action=self._action,
        )
        self._server = ModbusTcpServer(device, address=("127.0.0.1", self.port), trace_packet=self._trace)
        await self._server.serve_forever(background=True)

    async def _reset(self) -> None:
        assert self._server is not None
        for connection in list(self._server.active_connections.values()):
            transport = cast("asyncio.Transport", connection.transport)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
            transport.abort()

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if sending and (self.silent or self.lost_answers):
            self.lost_answers = max(self.lost_answers - 1, 0)
            return b""
        return _shortened(data) if sending and self.short else data

    async def _action(  # noqa: PLR0917 (the signature is pymodbus')
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        self.requests.append((function, address, count))
        if self.resets:
            await self._reset()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        touched = range(address, address + count)
        refused = self.refused if values is None else self.refused | self.refused_writes
        codes = [refused[each] for each in touched if each in refused]
        if codes:
            return ExcCodes(codes[0])
        if values is not None:
            self.words |= {a: v for a, v in zip(touched, values, strict=True) if a not in self.ignored}
        else:
            words = [self.words.get(each, 0) & 0xFFFF for each in touched]
            registers[address - start : address - start + count] = words
        return None


def _shortened(frame: bytes) -> bytes:
    """The reply to a read without its last word: both lengths, of the frame and of the words, are made to fit."""
    length, count = int.from_bytes(frame[4:6], "big"), frame[8]
    return frame[:4] + (length - 2).to_bytes(2, "big") + frame[6:8] + bytes([count - 2]) + frame[9:-2]
