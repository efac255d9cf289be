"""An app in front of the others: it refuses what the rules refuse, and what comes too often."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import to_builtins
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actors.web.keys import Keys, Who
from orchestrator.explain.words import say
from orchestrator.reason import Reason, because
from orchestrator.telemetry.api.endpoints import API, HEALTH_PATH, JSON, READY_PATH, SESSION_PATH
from orchestrator.telemetry.api.http_guard import (
    Guesses,
    Head,
    Refusal,
    Rules,
    TokenBucket,
    is_of_another_site,
    refusal,
)
from orchestrator.telemetry.api.view import HOW_TO_CONFIGURE

log = logging.getLogger(__name__)

BURST, PER_S = 60.0, 20.0
"""Requests for what is computed: metrics and the API."""
FILES_BURST, FILES_PER_S = 400.0, 100.0
"""Requests for files of the page, which are in memory: one visit asks for about twenty."""
HEALTH_BURST, HEALTH_PER_S = 30.0, 10.0
"""Of its own, so that nobody can have a healthy plant restarted by asking for metrics."""
MAX_BODY_BYTES: Final = 64 * 1024
DISCARDED_BYTES: Final = 16 * 1024 * 1024
"""So much of a body that is too long is read and thrown away, so that who sent it hears why."""
DISCARD_S: Final = 3.0
CHANGES: Final = ("GET", "HEAD", "POST", "DELETE")
SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
WHO: Final = "who"
"""Where a request has its `Who` (None: nobody is known), in its state."""


@dataclass(frozen=True, slots=True)
class _Asked:
    head: Head
    client: str
    who: Who | None

    @property
    def is_health(self) -> bool:
        return self.head.path in (HEALTH_PATH, READY_PATH)

    @property
    def is_api(self) -> bool:
        return self.head.path.startswith(f"{API}/")

    @property
    def changes(self) -> bool:
        return self.head.method not in ("GET", "HEAD") and self.head.path != SESSION_PATH


class Gate:
    """`is_file` says of a path whether it is one of the page, which has nothing in it that is secret."""

    def __init__(
        self,
        app: ASGIApp,
        rules: Rules,
        keys: Keys,
        *,
        is_file: Callable[[str], bool] = lambda _path: False,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._rules, self._keys = app, rules, keys
        self._is_file = is_file
        self._now_s = now_s
        at_s = now_s()
        self._data = TokenBucket.full(BURST, PER_S, at_s)
        self._files = TokenBucket.full(FILES_BURST, FILES_PER_S, at_s)
        self._health = TokenBucket.full(HEALTH_BURST, HEALTH_PER_S, at_s)
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; in the one thread that serves."""
        asked = self._asked(scope)
        refused = self._refusal(asked)
        if refused is not None:
            if refused.status.startswith("413"):
                await _discard(scope, receive)
            await _refuse(asked, refused)(scope, receive, _closing(send))
            return
        scope.setdefault("state", {})[WHO] = asked.who
        try:
            await self._app(scope, receive, _closing(send))
        except Exception:
            log.exception("a request of %s %s failed", asked.head.method, asked.head.path)
            raise

    def _asked(self, scope: Scope) -> _Asked:
        headers = Headers(scope=scope)
        head = Head(
            method=scope["method"],
            path=scope["path"],
            host=headers.get("host"),
            authorization=headers.get("authorization"),
            body_bytes=headers.get("content-length"),
            origin=headers.get("origin"),
            fetch_site=headers.get("sec-fetch-site"),
            content_type=headers.get("content-type"),
        )
        client = str(scope["client"][0]) if scope.get("client") else ""
        if self._guesses.are_spent(client, self._now_s()):
            return _Asked(head, client, None)
        return _Asked(head, client, self._keys.who(head.authorization, self._now_s()))

    def _refusal(self, asked: _Asked) -> Refusal | None:
        """Why this request is refused. Who has guessed too often is not told whether the next guess is right."""
        head = asked.head
        is_file = self._is_file(head.path)
        if not (asked.is_health or is_file) and self._guesses.are_spent(asked.client, self._now_s()):
            return Refusal("429 Too Many Requests", because("too_many_wrong_tokens"))
        open_paths = (HEALTH_PATH, READY_PATH, SESSION_PATH, *((head.path,) if is_file else ()))
        methods, most_body = (CHANGES, MAX_BODY_BYTES) if asked.is_api else (("GET", "HEAD"), 0)
        is_known = asked.who is not None
        refused = refusal(
            head, self._rules, open_paths=open_paths, methods=methods, most_body_bytes=most_body, is_known=is_known
        )
        refused = refused or (self._refused_by_api(asked) if asked.is_api else None)
        if self._is_wrong_guess(asked, refused, is_file=is_file):
            self._guesses.count(asked.client, self._now_s())
        if refused is None and not self._may_pass(asked, is_file=is_file):
            return Refusal("429 Too Many Requests", because("too_many_requests", per_s=PER_S))
        return refused

    def _is_wrong_guess(self, asked: _Asked, refused: Refusal | None, *, is_file: bool) -> bool:
        """Health tells whoever has a token more, so that a wrong one counts there too; it is answered all the same."""
        if asked.who is not None or asked.head.authorization is None or is_file:
            return False
        return asked.is_health or (refused is not None and refused.status.startswith("401"))

    def _refused_by_api(self, asked: _Asked) -> Refusal | None:
        head = asked.head
        if is_of_another_site(head):
            return Refusal("403 Forbidden", because("page_of_another_site"))
        if asked.changes and not self._keys.can_be_changed:
            return Refusal("403 Forbidden", HOW_TO_CONFIGURE)
        if asked.changes and (asked.who is None or not asked.who.may_change):
            return Refusal("401 Unauthorized", because("change_needs_token"))
        if asked.who is None and head.authorization is not None and head.path != SESSION_PATH:
            # An answer would say whether the token is right, and nobody would count how often that is tried.
            return Refusal("401 Unauthorized", because("no_token_of_site"))
        has_body = head.body_bytes not in (None, "", "0")
        if has_body and (head.content_type or "").partition(";")[0].strip().lower() != JSON:
            return Refusal("415 Unsupported Media Type", because("body_of_other_type", content_type=JSON))
        return None

    def _may_pass(self, asked: _Asked, *, is_file: bool) -> bool:
        now_s = self._now_s()
        if asked.is_health:
            passed, self._health = self._health.take(now_s)
        elif is_file:
            passed, self._files = self._files.take(now_s)
        else:
            passed, self._data = self._data.take(now_s)
        return passed


def problem(
    status: int,
    why: Reason | str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    text: str | None = None,
) -> Response:
    """Why not, for programs: as a `Problem`. What comes as words only has no `why`; `text` are other words for it."""
    said: dict[str, Any] = {"error": why} if isinstance(why, str) else {"error": say(why), "why": to_builtins(why)}
    said |= {"field": field} if field else {}
    said |= {} if text is None else {"error": text}
    return Response(msgspec.json.encode(said), status, headers, media_type=JSON)


def _refuse(asked: _Asked, refused: Refusal) -> Response:
    status = int(refused.status[:3])
    headers = {"WWW-Authenticate": 'Bearer realm="orchestrator"'} if status == 401 else {}
    if asked.is_api:
        return problem(status, refused.why, headers=headers)
    return Response(f"{refused.reason}\n", status, headers, media_type="text/plain")


def _closing(send: Send) -> Send:
    """Every answer closes its connection, so that none is held open, and says what a browser may do with it."""
    more = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *more, (b"connection", b"close")]}
        await send(message)

    return sending


async def body_of(receive: Receive) -> bytes | None:
    """The body of a request; None where it is too long, whatever its head said."""
    body = bytearray()
    while True:
        message: Any = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            if message.get("more_body", False):
                await _discard_rest(receive)
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _discard(scope: Scope, receive: Receive) -> None:
    if "expect" not in Headers(scope=scope):  # else it waits for a word before it sends
        await _discard_rest(receive)


async def _discard_rest(receive: Receive) -> None:
    left = DISCARDED_BYTES
    try:
        async with asyncio.timeout(DISCARD_S):
            while left > 0:
                message: Any = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
