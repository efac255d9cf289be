"""What is asked for and changes nothing: health, metrics, and the state of the site as JSON."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from actors.clock import Clock
from actors.files.ledger_file import FILE_NAME, LedgerUnreadable, read_excesses
from actors.web.gate import WHO, problem
from actors.web.history import History
from actors.web.keys import Keys, Who
from actors.web.state import WebState
from orchestrator.documents.json_values import Payload
from orchestrator.reason import because
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.telemetry.api.asked import number_asked
from orchestrator.telemetry.api.endpoints import ENDPOINTS, JSON, Query
from orchestrator.telemetry.api.http_guard import Head, Rules, may_see_details
from orchestrator.telemetry.api.openapi import description
from orchestrator.telemetry.api.view import excess_view, inverter_view
from orchestrator.telemetry.history import SITE
from orchestrator.telemetry.payloads import limits_payload

READERS: Final = 2
"""Threads that read files at a time. A disk that hangs holds these, and neither others nor the end of the process."""
READ_WITHIN_S: Final = 4.0
MOST_ROWS: Final = 1000
QUERIES: Final = {(each.name, query.name): query for each in ENDPOINTS for query in each.queries}
GZIP_LEVEL: Final = 3
"""A mobile link is worth a few milliseconds."""
NO_STORE: Final = {"Cache-Control": "no-store"}


def as_json(said: Any, status: int = 200) -> Response:
    """`said` as JSON that nobody keeps."""
    return Response(msgspec.json.encode(said), status, NO_STORE, media_type=JSON)


class Reading:
    """The handlers. `history` None: no curves are kept."""

    def __init__(self, state: WebState, rules: Rules, keys: Keys, history: History | None, clock: Clock) -> None:
        self._state, self._rules, self._keys, self._clock = state, rules, keys, clock
        self._history = history
        self._busy = 0

    async def health(self, request: Request) -> Response:
        """Whether the plant decides; more than yes or no, as JSON, for who asks for that and may know."""
        observer = self._state.observer
        healthy = observer.is_fresh()
        if request.headers.get("accept") == JSON and self._may_see_details(request):
            return as_json(observer.health(), 200 if healthy else 503)
        return Response("ok\n" if healthy else "no cycle\n", 200 if healthy else 503, media_type="text/plain")

    async def ready(self, _request: Request) -> Response:
        """Whether it decides from what devices say: their first samples are there."""
        result = self._state.observer.newest_cycle
        ready = result is not None and result.mode != "waiting"
        return Response("ready\n" if ready else "waiting\n", 200 if ready else 503, media_type="text/plain")

    async def metrics(self, request: Request) -> Response:
        """What Prometheus reads."""
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        headers, body = {"Content-Type": content_type}, encoder(self._state.observer.served)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"], body = "gzip", gzip.compress(body, GZIP_LEVEL, mtime=0)
        return Response(body, headers=headers)

    async def site(self, request: Request) -> Response:
        """The whole site."""
        body = self._state.encoded(may_change=may_change(request), can_be_changed=self._keys.can_be_changed)
        return Response(body, headers=NO_STORE, media_type=JSON)

    async def inverter(self, request: Request) -> Response:
        """One inverter."""
        name = request.path_params["name"]
        if not self._is_known(name):
            return problem(404, because("no_such_inverter"))
        view = inverter_view(self._state.observer.newest_cycle, name, self._state.time())
        return as_json({"name": name, **view})

    async def limits(self, _request: Request) -> Response:
        """What is asked for."""
        result = self._state.observer.newest_cycle
        return as_json(limits_payload(result.envelope if result else OperatingEnvelope(), self._state.time()))

    async def events(self, request: Request) -> Response:
        """What has happened."""
        return as_json(self._state.events[: _number(request, "events", "limit")])

    async def history(self, request: Request) -> Response:
        """The curves."""
        hours, name = _number(request, "history", "hours"), request.query_params.get("inverter", SITE)
        if name != SITE and not self._is_known(name):
            return problem(404, because("no_such_inverter"))
        history = self._history
        if history is None:
            return problem(503, because("no_curves_kept"))
        return await self._from_disk(lambda: history.read(name, hours))

    async def ledger(self, request: Request) -> Response:
        """The excesses."""
        days = _number(request, "ledger", "days")
        path = Path(self._state.config.control.state_dir) / FILE_NAME
        wall = self._clock.wall()
        return await self._from_disk(lambda: _excesses(path, days, wall))

    async def openapi(self, _request: Request) -> Response:
        """The API described."""
        return as_json(description(self._state.observer.version))

    async def _from_disk(self, read: Callable[[], Any]) -> Response:
        """Asked of a thread that may hang with its disk."""
        if self._busy >= READERS:
            return problem(503, because("disk_busy"))
        self._busy += 1
        reading: Future[Any] = Future()
        reading.add_done_callback(lambda _: self._read_done())
        threading.Thread(target=_carry_out, args=(read, reading), name="web-reader", daemon=True).start()
        try:
            return as_json(await asyncio.wait_for(asyncio.wrap_future(reading), READ_WITHIN_S))
        except TimeoutError:
            return problem(503, because("disk_silent"))
        except (OSError, sqlite3.Error, LedgerUnreadable) as trouble:
            return problem(503, because("file_not_read", trouble=str(trouble)))

    def _read_done(self) -> None:
        self._busy -= 1

    def _is_known(self, name: str) -> bool:
        return any(each.name == name for each in self._state.config.inverters)

    def _may_see_details(self, request: Request) -> bool:
        headers = request.headers
        if who(request) is not None:
            return True
        is_forwarded = any(name in headers for name in ("forwarded", "x-forwarded-for", "via"))
        client = None if is_forwarded or request.client is None else request.client.host
        return may_see_details(Head(request.method, request.url.path), self._rules, client)


def who(request: Request) -> Who | None:
    """Whose token came with the request."""
    found: Who | None = getattr(request.state, WHO, None)
    return found


def may_change(request: Request) -> bool:
    """Whether who asks may change something."""
    known = who(request)
    return known is not None and known.may_change


def _number(request: Request, endpoint: str, name: str) -> int:
    query: Query = QUERIES[endpoint, name]
    return number_asked(query, request.query_params)


def _excesses(path: Path, days: int, wall: Any) -> list[Payload]:
    found = read_excesses(path, wall - timedelta(days=days), wall + timedelta(days=1))
    return [excess_view(each) for each in reversed(found[-MOST_ROWS:])]


def _carry_out(read: Callable[[], Any], done: Future[Any]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(read())
    except Exception as trouble:
        done.set_exception(trouble)
