"""`orchestrator serve`: a register image as a Modbus TCP device, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from types import TracebackType
from typing import Self

from orchestrator.commissioning.register_image import RegisterImage
from orchestrator.errors import OrchestratorError
from orchestrator.simulation.devices.image import ImageDevice
from orchestrator.simulation.network.unit import Unit
from orchestrator.simulation.server import ServedPort

STOP_WITHIN_S = 5.0


class CannotServe(OrchestratorError):
    """It cannot listen at this address."""


class ImageServer:
    """Serves from `with` on. `port` is the one that is listened at; `device` counts what was asked of it.

    A `unit_id` of None, in the image and here, answers for every unit.
    """

    def __init__(
        self, image: RegisterImage, *, host: str, port: int, unit_id: int | None = None, writable: bool = False
    ) -> None:
        self.device = ImageDevice(image.registers(), writable=writable)
        self.unit_id = image.unit_id if unit_id is None else unit_id
        self._served = ServedPort(host, port, bind_port=port)
        units = range(256) if self.unit_id is None else (self.unit_id,)
        self._served.units.update(dict.fromkeys(units, Unit("image", self.device, 0.0)))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="image-server", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened at."""
        return self._served.bind_port

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._served.open(time.monotonic), self._loop).result()
        except OSError as trouble:
            self._end_thread()
            where = f"{self._served.host}:{self._served.config_port}"
            raise CannotServe(f"cannot listen at {where}: {trouble.strerror or trouble}") from trouble
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(STOP_WITHIN_S)
        self._end_thread()

    async def _close(self) -> None:
        await self._served.close()
        await asyncio.sleep(0)  # the aborted connections end in the next turn of the loop

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_WITHIN_S)
        self._loop.close()
