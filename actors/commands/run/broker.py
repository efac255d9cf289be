"""The MQTT broker for a newcomer's first run, and the question whether one is there already.

A real plant has a broker of its own (Mosquitto, or that of the home automation). This one speaks MQTT 3.1.1, without
passwords, and forgets retained messages when it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading

from orchestrator.errors import OrchestratorError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 2.0
_CHATTY = ("amqtt", "transitions")


class BrokerNotStarted(OrchestratorError):
    """The embedded broker cannot run: amqtt is not installed, or its port is taken."""


def is_broker_listening(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether something accepts TCP connections at `host`:`port`."""
    try:
        with socket.create_connection((host, port), timeout_s):
            return True
    except OSError:
        return False


class EmbeddedBroker:
    """amqtt in a thread and an event loop of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._bind = f"{host}:{port}"
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)

    def start(self) -> None:
        """Return when clients can connect. Raises BrokerNotStarted with the reason when that cannot be."""
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise BrokerNotStarted(f"the embedded MQTT broker did not start on {self._bind} in {START_TIMEOUT_S} s")
        if self._problem is not None:
            raise BrokerNotStarted(f"the embedded MQTT broker cannot run on {self._bind}: {self._problem}")

    def stop(self) -> None:
        """Disconnect every client and free the port, within 3 s. May be called twice, or without a start."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S + 1)  # what amqtt still holds then ends with the process

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as problem:  # whatever it is, start() reports it
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        from amqtt.broker import Broker  # an extra; only the demo needs it # noqa: PLC0415

        for name in _CHATTY:  # amqtt logs every client that goes away as an error, with a traceback
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # its tasks that end with their client
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": self._bind}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        self._ready.set()
        await self._stop.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(broker.shutdown(), STOP_TIMEOUT_S)
