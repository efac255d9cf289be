"""A small HTTP server that a hostile client cannot use to slow the plant: few connections, short ones, small ones.

`wsgiref` alone would take any number of connections, each for ever. What a request may ask is in
`orchestrator.telemetry.http_guard`; here are the sockets.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from orchestrator.telemetry.http_guard import Guesses, Head, Refusal, Rules, TokenBucket, may_see_details, refusal

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 16
CONNECTION_S: Final = 5.0
"""After this a connection is closed, whatever it is doing: a request is a few hundred bytes."""
MAX_HEAD_BYTES: Final = 16 * 1024
BURST, PER_S = 30.0, 10.0
HEALTH_PATH: Final = "/healthz"
JSON: Final = "application/json"
BUSY: Final = b"HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate chain and its private key, as PEM files."""

    certificate: Path
    key: Path


class Guarded(ThreadingMixIn, WSGIServer):
    """Serves an app, each request in a thread, in bounds. `start` it, and `stop` it."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, host: str, port: int, app: App, tls: Tls | None = None) -> None:
        """Raises OSError where the address cannot be had or a certificate cannot be read."""
        self.address_family, address = _resolve(host, port)
        self._context = _context(tls)
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._open: dict[socket.socket, float] = {}
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)
        super().__init__((address, port), _Handler)
        self.set_app(app)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and free the port."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        self._close_older_than(float("inf"))

    def server_bind(self) -> None:
        """As in WSGIServer, without its look-up of the machine's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "orchestrator", self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """One more connection, or a word that there are too many. In the accepting thread: it never waits."""
        if not self._slots.acquire(blocking=False):
            self._turn_away(request)
            return
        request.settimeout(CONNECTION_S)
        self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In a thread of its own."""
        try:
            secured = request
            if self._context is not None:
                secured = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                self._open[secured] = self._open.pop(request)
                request = secured
                secured.do_handshake()
            super().process_request_thread(secured, client_address)
        except OSError:  # no TLS, or gone meanwhile
            self.shutdown_request(request)
        finally:
            self._open.pop(request, None)
            self._slots.release()

    def service_actions(self) -> None:
        """Called twice a second: what lasts too long is ended."""
        self._close_older_than(time.monotonic() - CONNECTION_S)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature is the library's
        """A client that went away, or sent no valid request: anybody could cause it, so it is not worth a line."""
        log.debug("a request of %s failed", client_address, exc_info=True)

    def _serve(self) -> None:
        self.serve_forever(poll_interval=0.5)

    def _close_older_than(self, limit_s: float) -> None:
        for request, began_s in list(self._open.items()):
            if began_s < limit_s:
                _shut(request)

    def _turn_away(self, request: socket.socket) -> None:
        request.setblocking(False)
        try:
            if self._context is None:
                request.send(BUSY)
        except OSError:
            pass
        self.shutdown_request(request)


class _Handler(WSGIRequestHandler):
    """One request, with a head of bounded size."""

    server_version = "orchestrator"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.rfile = _Bounded(self.rfile)  # type: ignore[assignment] # all that is used of it

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: whoever may connect could fill the log."""


class _Bounded:
    """The reading side of a connection that gives up after MAX_HEAD_BYTES."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = MAX_HEAD_BYTES

    @property
    def closed(self) -> bool:
        return bool(self._file.closed)

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._file.readline(min(self._left + 1, limit if limit >= 0 else self._left + 1))
        self._left -= len(line)
        if self._left < 0:
            raise ConnectionAbortedError("the head of the request is too long")
        return line

    def close(self) -> None:
        self._file.close()


class Gate:
    """An app in front of another: refuses what the rules refuse, and what comes too often.

    `is_healthy` is for everybody. `health`, as JSON, is for who asks for that and is on this machine or has the token.
    """

    def __init__(
        self,
        app: App,
        rules: Rules,
        *,
        is_healthy: Callable[[], bool],
        health: Callable[[], Mapping[str, Any]] = dict,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._rules = rules
        self._is_healthy = is_healthy
        self._health = health
        self._now_s = now_s
        self._lock = threading.Lock()
        self._bucket = TokenBucket.full(BURST, PER_S, now_s())
        self._guesses = Guesses()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        head = Head(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            host=environ.get("HTTP_HOST"),
            authorization=environ.get("HTTP_AUTHORIZATION"),
            body_bytes=environ.get("CONTENT_LENGTH"),
        )
        refused = self._refusal(head, str(environ.get("REMOTE_ADDR", "")))
        if refused is not None:
            return _plain(start_response, refused.status, refused.reason)
        if head.path == HEALTH_PATH:
            healthy = self._is_healthy()
            if environ.get("HTTP_ACCEPT") == JSON and may_see_details(head, self._rules, _client(environ)):
                return _json(start_response, healthy, self._health())
            return _plain(start_response, *(("200 OK", "ok") if healthy else ("503 Service Unavailable", "no cycle")))
        if head.path not in ("/metrics", "/"):
            return _plain(start_response, "404 Not Found", "there is /metrics and /healthz")
        return self._app({**environ, "REQUEST_METHOD": "GET"}, start_response)

    def _refusal(self, head: Head, client: str) -> Refusal | None:
        """Why this request is refused. Who has guessed too often is not told whether the next guess is right."""
        with self._lock:
            if head.path != HEALTH_PATH and self._guesses.are_spent(client, self._now_s()):
                return Refusal("429 Too Many Requests", "too many wrong tokens")
        refused = refusal(head, self._rules, open_paths=(HEALTH_PATH,))
        if refused is not None and refused.status.startswith("401"):
            with self._lock:
                self._guesses.count(client, self._now_s())
        if refused is None and not self._may_pass():
            return Refusal("429 Too Many Requests", f"at most {PER_S:.0f} requests a second")
        return refused

    def _may_pass(self) -> bool:
        with self._lock:
            passed, self._bucket = self._bucket.take(self._now_s())
        return passed


def _plain(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    if status.startswith("401"):
        headers.append(("WWW-Authenticate", 'Bearer realm="orchestrator"'))
    start_response(status, headers)
    return [f"{text}\n".encode()]


def _json(start_response: Callable[..., Any], healthy: bool, said: Mapping[str, Any]) -> list[bytes]:
    headers = [("Content-Type", JSON), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
    start_response("200 OK" if healthy else "503 Service Unavailable", headers)
    return [json.dumps(said).encode()]


def _client(environ: Mapping[str, Any]) -> str | None:
    """Where the request comes from; None where a proxy has passed it on."""
    is_forwarded = any(name in environ for name in ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_VIA"))
    return None if is_forwarded else str(environ.get("REMOTE_ADDR", ""))


def _shut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _resolve(host: str, port: int) -> tuple[int, str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = infos[0]
    return family, str(address[0])


def _context(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
