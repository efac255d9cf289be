"""Starlette's app in uvicorn, in a thread of its own with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn

from actors.web.bounds import BACKLOG, Bounds, listen

MAX_HEAD_BYTES: Final = 16 * 1024
LOOK_EVERY_S: Final = 0.5
STOP_WITHIN_S: Final = 1
"""So long a request may still be answered at a stop."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate chain and its private key, as PEM files."""

    certificate: Path
    key: Path


class WebServer:
    """Serves an ASGI app. `start` it, and `stop` it."""

    def __init__(self, host: str, port: int, app: Any, tls: Tls | None = None, bounds: Bounds | None = None) -> None:
        """Raises OSError where the address cannot be had or a certificate cannot be read."""
        context = _context(tls)
        self._bounds = Bounds() if bounds is None else bounds
        self._listener = listen(host, port, self._bounds, says_busy=context is None)
        self.port: int = self._listener.getsockname()[1]
        self._server = uvicorn.Server(_config(app, context))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def call(self, act: Callable[[], None]) -> None:
        """Have `act` called soon in the thread that serves; from any thread, and it never waits."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(act)

    def stop(self) -> None:
        """End every connection and free the port. A request that is nearly answered still is."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(2 * STOP_WITHIN_S)
        self._bounds.end_all()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        looking = asyncio.create_task(self._look())
        await self._server.serve(sockets=[self._listener])
        looking.cancel()

    async def _look(self) -> None:
        """What lasts too long is ended; at a stop everything."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._bounds.end_overdue()


def _config(app: Any, context: ssl.SSLContext | None) -> uvicorn.Config:
    """Nothing is logged of requests: whoever may connect could fill the log."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    config.load()
    config.ssl = context
    return config


def _context(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
