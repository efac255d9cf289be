"""A serial line of the virtual site, served at a pseudo-terminal: a real port for whoever opens it.

Beside simulation/server.py the only module of the simulation that touches the system. Its loop is that of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from orchestrator.devices.link.ways import SerialWay
from orchestrator.simulation.network.faults import FaultKind
from orchestrator.simulation.network.line import (
    VirtualLine,
    line_frame,
    reply_frame,
    request_frame,
    take_line_request,
)
from orchestrator.simulation.network.modbus import Request
from orchestrator.simulation.network.unit import Unit

FORGETS_AFTER_S = 0.1
"""A request that has not gone on for so long was none."""
MOST_BYTES = 512


class ServedLine:
    """One line and the units on it. `port` becomes a link to a pseudo-terminal while it is open: it must be free."""

    def __init__(self, way: SerialWay, *, is_timed: bool = True) -> None:
        self.way = way
        self.line = VirtualLine(way, is_timed=is_timed)
        self.units: dict[int, Unit] = {}
        self.requests: list[Request] = []
        """What has been asked so far."""
        self._ends: tuple[int, int] | None = None
        self._buffer = bytearray()
        self._heard_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the adapter is plugged in."""
        return self._ends is not None

    async def open(self, now_s: Callable[[], float]) -> None:
        """Plug the adapter in. Raises OSError where the path is taken."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        try:
            Path(self.way.port).symlink_to(os.ttyname(theirs))
        except OSError:
            os.close(ours)
            os.close(theirs)
            raise
        self._ends = ours, theirs
        self._buffer.clear()
        asyncio.get_running_loop().add_reader(ours, self._on_bytes, now_s)

    async def close(self) -> None:
        """Pull the adapter out: the port vanishes, also for who has it open."""
        if self._ends is None:
            return
        ours, theirs = self._ends
        self._ends = None
        asyncio.get_running_loop().remove_reader(ours)
        with contextlib.suppress(OSError):
            Path(self.way.port).unlink()
        os.close(theirs)
        os.close(ours)

    def _on_bytes(self, now_s: Callable[[], float]) -> None:
        if self._ends is None:
            return
        loop = asyncio.get_running_loop()
        try:
            data = os.read(self._ends[0], MOST_BYTES)
        except OSError:
            return
        if not self._is_in_tune():
            return  # at another speed nobody understands it
        if loop.time() - self._heard_s > FORGETS_AFTER_S:
            self._buffer.clear()
        self._heard_s = loop.time()
        self._buffer += data
        while (request := take_line_request(self._buffer)) is not None:
            self._answer(request, now_s())

    def _is_in_tune(self) -> bool:
        """Whether who has the port open has set it to the speed of the line. A pseudo-terminal knows no parity."""
        return self._ends is not None and termios.tcgetattr(self._ends[1])[5] == _speed(self.way.baud_rate)

    def _answer(self, request: Request, now_s: float) -> None:
        self.requests.append(request)
        unit = self.units.get(request.unit)
        reply, latency_s = _reply(unit, request, now_s) if unit is not None and unit.running else (b"", 0.0)
        loop = asyncio.get_running_loop()
        for sending in self.line.carry(request_frame(request), reply, latency_s):
            loop.call_later(sending.delay_s, self._send, sending.data)

    def _send(self, data: bytes) -> None:
        if self._ends is not None:
            with contextlib.suppress(OSError):  # nobody reads, and the buffer of the port is full
                os.write(self._ends[0], data)


def _speed(baud_rate: int) -> int:
    """What the system calls a speed."""
    return int(getattr(termios, f"B{baud_rate}"))


def _reply(unit: Unit, request: Request, now_s: float) -> tuple[bytes, float]:
    """The frame with which a unit answers, empty where it does not, and after how long."""
    reply = unit.reply(request, now_s)
    if not reply.data:
        return b"", 0.0
    if unit.fault_kind is FaultKind.GARBAGE:
        return reply.data, reply.delay_s
    if reply.resets:
        whole = line_frame(request.unit, reply.data)
        return whole[: len(whole) // 2], reply.delay_s
    return reply_frame(request, reply.data), reply.delay_s
