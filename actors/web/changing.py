"""What changes something: a setpoint by hand, a pause, a release, a reload. Each is an event that says who it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import Response

from actors.clock import Clock
from actors.files.process import Answer
from actors.messages import Event
from actors.web.bounds import LONG_S
from actors.web.by_hand import ByHand
from actors.web.gate import MAX_BODY_BYTES, body_of, problem
from actors.web.keys import SESSION_S, Keys
from actors.web.reading import as_json, who
from actors.web.reloads import ReloadDesk
from actors.web.state import WebState
from actors.web.stream import Streams
from orchestrator.documents.json_values import rfc3339
from orchestrator.loop.in_force import MANUAL, PAUSE, stands_against_pause
from orchestrator.reason import Reason, as_fact, because
from orchestrator.reason.refusals import say_refusal
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.api.asked import Asked, end_asked, password_asked, setpoint_asked
from orchestrator.telemetry.api.view import HOW_TO_CONFIGURE

RELOAD_WITHIN_S: Final = 45.0
SITE: Final = "site"


class TooLong(Exception):
    """The body of a request is longer than it may be; `why` says how long that is."""

    def __init__(self, most_bytes: int) -> None:
        self.why = because("body_too_long", bytes=most_bytes)
        super().__init__(say_refusal(self.why))


class Changing:
    """The handlers. Whether who asks may change something was decided before, by the gate."""

    def __init__(self, state: WebState, keys: Keys, streams: Streams, desk: ReloadDesk | None, clock: Clock) -> None:
        self._state, self._keys, self._streams, self._desk, self._clock = state, keys, streams, desk, clock
        self._closing: asyncio.Event | None = None
        self._now_s: Callable[[], float] = clock.now_s

    @property
    def _by_hand(self) -> ByHand:
        return self._state.by_hand

    def close(self) -> None:
        """The server stops: who waits for a reload is told that it goes on."""
        if self._closing is not None:
            self._closing.set()

    async def set_setpoint(self, request: Request) -> Response:
        """A setpoint by hand, in place of the former one."""
        asked: Asked = setpoint_asked(await read_body(request), self._clock.wall())
        setpoint = self._by_hand.set(asked.fields, asked.until)
        said = because("by_hand", asked=_asked(asked.fields), until=setpoint.valid_until, by=self._by(request))
        self._tell("setpoint_by_hand", MANUAL, said)
        return as_json({"valid_until": setpoint.valid_until, "limits": asked.fields.asked()})

    async def withdraw_setpoint(self, request: Request) -> Response:
        """No setpoint by hand any more."""
        former = self._by_hand.manual
        self._by_hand.withdraw(MANUAL)
        if former is not None:
            fields, until = _asked(former.fields), former.valid_until
            said = because("withdrawn_by_hand", asked=fields, until=until, by=self._by(request))
            self._tell("setpoint_by_hand_withdrawn", MANUAL, said)
        return self._done()

    async def pause(self, request: Request) -> Response:
        """Batteries to themselves for a while."""
        until: datetime = end_asked(await read_body(request), self._clock.wall())
        stands = self._only_batteries_keep()
        if stands:
            return problem(409, because("pause_lifts_limits", asked=stands))
        setpoint = self._by_hand.pause_until(until)
        said = because("left_to_themselves", until=setpoint.valid_until, by=self._by(request))
        self._tell("paused", SITE, said)
        return self._done()

    async def end_pause(self, request: Request) -> Response:
        """The batteries are commanded again."""
        former = self._by_hand.pause
        self._by_hand.withdraw(PAUSE)
        if former is not None:
            self._tell("pause_ended", SITE, because("commanded_again", by=self._by(request)))
        return self._done()

    async def release(self, request: Request) -> Response:
        """All devices handed back, with limits that are safe."""
        stands = self._only_batteries_keep()
        if stands:
            return problem(409, because("release_lifts_limits", asked=stands))
        if not self._by_hand.is_released:
            self._by_hand.release()
            self._tell("released", SITE, because("handed_back", by=self._by(request)))
        return self._done()

    async def resume(self, request: Request) -> Response:
        """The plant under control again."""
        if self._by_hand.is_released:
            self._by_hand.resume()
            self._tell("resumed", SITE, because("controlled_again", by=self._by(request)))
        return self._done()

    async def reload(self, request: Request) -> Response:
        """site.yaml read again, by the main thread, which also says who it was."""
        if self._desk is None:
            return problem(503, because("no_file_to_reload"))
        asked = self._desk.ask(self._by(request))
        if asked is None:
            return problem(503, because("reloads_waiting"))
        if request.client is not None:
            self._streams.bounds.let_stay((request.client.host, request.client.port), LONG_S)
        self._closing = self._closing or asyncio.Event()
        answer, closing = asyncio.wrap_future(asked), asyncio.create_task(self._closing.wait())
        await asyncio.wait((answer, closing), timeout=RELOAD_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()
        if not answer.done():
            answer.cancel()  # nobody waits any more; a reload that has begun goes on
            return as_json({"changes": None}, 202)
        said: Answer = answer.result()
        if not said.accepted:
            return problem(409, "\n".join(said.lines))
        return as_json({"changes": list(said.lines), "why": to_builtins(said.why)})

    async def sign_in(self, request: Request) -> Response:
        """A session for a password. Who guesses has to wait, and is not told whether the next guess is right."""
        if not self._keys.has_password:
            how = because("no_password_set")
            return problem(403, how if self._keys.can_be_changed else HOW_TO_CONFIGURE)
        client, now_s = _client(request), self._now_s()
        password = password_asked(await read_body(request))
        if self._keys.are_passwords_spent(client, now_s):
            return problem(429, because("passwords_spent"))
        token = self._keys.sign_in(password, client, now_s)
        if token is None:
            return problem(401, because("wrong_password"))
        ends = self._clock.wall().timestamp() + SESSION_S
        expires = rfc3339(datetime.fromtimestamp(ends, tz=self._clock.wall().tzinfo))
        return as_json({"token": token, "expires": expires})

    def _only_batteries_keep(self) -> tuple[Reason, ...]:
        result = self._state.observer.newest_cycle
        return () if result is None else stands_against_pause(result.envelope)

    def _done(self) -> Response:
        self._show()
        pause = self._by_hand.pause
        control = "released" if self._by_hand.is_released else "paused" if pause else "running"
        return as_json({"control": control, "until": pause.valid_until if pause and control == "paused" else None})

    def _tell(self, name: str, subject: str, said: Reason) -> None:
        self._by_hand.tell(Event.of(name, subject, said))
        self._show()

    def _show(self) -> None:
        """At once, and not only with the next cycle."""
        self._state.renew()
        self._streams.wake()

    def _by(self, request: Request) -> Reason:
        known, address = who(request), request.client.host if request.client else None
        return because("who_from", who=known.name if known else "nobody", address=address)


def _client(request: Request) -> str:
    return request.client.host if request.client else "an unknown address"


async def read_body(request: Request) -> bytes:
    """The body of a request. Raises TooLong."""
    body = await body_of(request.receive)
    if body is None:
        raise TooLong(MAX_BODY_BYTES)
    return body


def _asked(fields: SetpointFields) -> tuple[Reason, ...]:
    asked = fields.asked().items()
    return tuple(because("field_by_hand", field=name, value=as_fact(value)) for name, value in asked)
