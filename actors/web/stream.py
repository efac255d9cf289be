"""The site as it changes, as server-sent events: few streams, and who reads slowly is dropped.

Nothing is queued for anybody: each stream is told the newest state when it is ready for it, and the newest events.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from actors.web.bounds import Bounds, Client
from actors.web.gate import problem
from actors.web.keys import Keys
from actors.web.reading import may_change
from actors.web.state import WebState
from orchestrator.reason import because

MOST_STREAMS: Final = 32
STATE_EVERY_S: Final = 1.0
QUIET_S: Final = 15.0
"""After so long without a word a comment is sent, so that both sides notice a connection that is gone."""
SLOW_S: Final = 5.0
"""Who does not take what is sent for so long is dropped."""
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class Streams:
    """All streams of one server. Everything but the constructor is for the thread that serves."""

    def __init__(self, state: WebState, keys: Keys, bounds: Bounds, slow_s: float = SLOW_S) -> None:
        self.state, self.keys, self.bounds, self.slow_s = state, keys, bounds, slow_s
        self.is_closed = False
        self._news: set[asyncio.Event] = set()

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._news)

    async def open(self, request: Request) -> Response:
        """One more stream, or a word that there are too many."""
        if self.count >= MOST_STREAMS or self.is_closed:
            return problem(503, because("streams_taken", most=MOST_STREAMS))
        news = asyncio.Event()
        self._news.add(news)
        client: Client = (request.client.host, request.client.port) if request.client else ("", 0)
        return _Stream(self, news, client, may_change=may_change(request))

    def wake(self) -> None:
        """There is something new."""
        for each in self._news:
            each.set()

    def forget(self, news: asyncio.Event) -> None:
        """A stream has ended."""
        self._news.discard(news)

    def close(self) -> None:
        """End all of them."""
        self.is_closed = True
        self.wake()


class _Stream(Response):
    """One stream, as the answer to its request."""

    def __init__(self, streams: Streams, news: asyncio.Event, client: Client, *, may_change: bool) -> None:
        super().__init__(headers=HEADERS)
        self._streams, self._news, self._client = streams, news, client
        self._may_change = may_change
        self._version = -1
        self._events = streams.state.event_count
        self._state_at_s = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the other side is gone, is too slow, or the server stops."""
        gone = asyncio.create_task(_is_gone(receive))
        gone.add_done_callback(lambda _: self._news.set())
        try:
            if scope["method"] != "HEAD":
                self._streams.bounds.is_stream(self._client)
            del self.headers["content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while scope["method"] != "HEAD" and not self._is_over(gone):
                async with asyncio.timeout(self._streams.slow_s):
                    await send({"type": "http.response.body", "body": self._next(), "more_body": True})
                await self._wait(gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            self._streams.bounds.end(self._client)
        finally:
            self._streams.forget(self._news)
            gone.cancel()

    async def _wait(self, gone: asyncio.Task[None]) -> None:
        """Until there is something to say, or it was quiet for too long."""
        deadline_s = time.monotonic() + QUIET_S
        while not self._is_due() and time.monotonic() < deadline_s and not self._is_over(gone):
            early_s = self._state_at_s + STATE_EVERY_S if self._has_state() else deadline_s
            try:
                async with asyncio.timeout(max(min(early_s, deadline_s) - time.monotonic(), 0.0)):
                    await self._news.wait()
            except TimeoutError:
                continue
            self._news.clear()

    def _is_over(self, gone: asyncio.Task[None]) -> bool:
        return gone.done() or self._streams.is_closed

    def _has_state(self) -> bool:
        return self._version != self._streams.state.version

    def _is_due(self) -> bool:
        state_due = self._has_state() and time.monotonic() >= self._state_at_s + STATE_EVERY_S
        return state_due or self._events != self._streams.state.event_count

    def _next(self) -> bytes:
        state, parts = self._streams.state, []
        new = min(state.event_count - self._events, len(state.events))
        for payload in reversed(state.events[:new]):
            parts.append(_message(b"event", msgspec.json.encode(payload)))
        self._events = state.event_count
        if self._has_state() and time.monotonic() >= self._state_at_s + STATE_EVERY_S:
            self._version, self._state_at_s = state.version, time.monotonic()
            keys = self._streams.keys
            made = state.encoded(may_change=self._may_change, can_be_changed=keys.can_be_changed)
            parts.append(_message(b"state", made))
        return b"".join(parts) or b": \n\n"


def _message(kind: bytes, data: bytes) -> bytes:
    """JSON has no line breaks, so that one line is enough."""
    return b"event: " + kind + b"\ndata: " + data + b"\n\n"


async def _is_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
