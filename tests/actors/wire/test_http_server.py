"""What a hostile client can do to the metrics port: take a while, and be refused."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.wire.http_server import BURST, CONNECTION_S, MAX_CONNECTIONS, MAX_HEAD_BYTES, PER_S, Gate, Guarded, Tls
from orchestrator.telemetry.http_guard import Rules
from tests.support.servers.required import free_port, require_server, wait_until

PAGE = b"the page\n"


def page(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [PAGE]


class Health:
    """Whether the plant decides."""

    def __init__(self) -> None:
        self.good = True

    def __call__(self) -> bool:
        return self.good


@contextlib.contextmanager
def serving(
    rules: Rules = Rules(frozenset()),  # noqa: B008
    tls: Tls | None = None,
    health: Health | None = None,
    now_s: Callable[[], float] = time.monotonic,
    port: int = 0,
) -> Iterator[int]:
    server = Guarded("127.0.0.1", port, Gate(page, rules, is_healthy=health or Health(), now_s=now_s), tls)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop()


def ask(port: int, path: str = "/metrics", method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_page_is_served() -> None:
    with serving() as port:
        assert ask(port) == (200, PAGE)
        assert ask(port, method="HEAD") == (200, b"")
        assert ask(port, "/elsewhere")[0] == 404


def test_a_page_of_another_name_is_refused() -> None:
    with serving() as port:
        assert ask(port, Host="evil.example")[0] == 421
        assert ask(port, Host=f"localhost:{port}")[0] == 200


def test_a_form_of_a_hostile_page_changes_nothing() -> None:
    with serving() as port:
        assert ask(port, method="POST")[0] == 405


def test_no_answer_allows_another_origin() -> None:
    with serving(Rules(frozenset(), "secret")) as port:
        for headers in ({}, {"Authorization": "Bearer secret"}, {"Host": "evil.example"}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/metrics", headers={"Origin": "http://evil.example", **headers})
            answer = connection.getresponse()
            assert answer.getheader("Access-Control-Allow-Origin") is None
            connection.close()


def test_health_needs_no_token_and_says_whether_the_plant_decides() -> None:
    health = Health()
    with serving(Rules(frozenset(), "secret"), health=health) as port:
        assert ask(port)[0] == 401
        assert ask(port, Authorization="Bearer secret")[0] == 200
        assert ask(port, "/healthz")[0] == 200
        health.good = False
        assert ask(port, "/healthz")[0] == 503


def test_requests_that_come_too_often_are_refused() -> None:
    at_s = [0.0]
    with serving(now_s=lambda: at_s[0]) as port:
        statuses = [ask(port)[0] for _ in range(int(BURST) + 5)]
        at_s[0] += 1.0
        later = [ask(port)[0] for _ in range(int(PER_S) + 5)]

    assert statuses == [200] * int(BURST) + [429] * 5
    assert later == [200] * int(PER_S) + [429] * 5


def test_a_client_that_sends_slowly_is_ended() -> None:
    with serving() as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        began_s = time.monotonic()
        wait_until(lambda: _is_ended_while_sending(slow), "the end of the slow connection")

        assert time.monotonic() - began_s > CONNECTION_S / 2


def _is_ended_while_sending(connection: socket.socket) -> bool:
    """Send a little; whether the other side has had enough."""
    time.sleep(0.1)  # a client that sends slowly: this is what is tested
    try:
        connection.sendall(b"X-Slow: 1\r\n")
        connection.setblocking(False)
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)


def test_idle_connections_leave_room_after_a_while_and_the_rest_is_turned_away() -> None:
    with serving() as port, contextlib.ExitStack() as held:
        for _ in range(MAX_CONNECTIONS):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
        wait_until(lambda: _status(port) == 503, "a full server")
        wait_until(lambda: _status(port) == 200, "room again")


def _status(port: int) -> int | None:
    try:
        return ask(port)[0]
    except (OSError, http.client.HTTPException):
        return None


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 2 * MAX_HEAD_BYTES,
        b"GET / HTTP/1.1\r\nX: " + b"a" * 2 * MAX_HEAD_BYTES,
        b"\x16\x03\x01",
        b"\0" * 99,
    ],
    ids=["long line", "long header", "TLS", "zeros"],
)
def test_nonsense_ends_its_own_connection_only(head: bytes) -> None:
    with serving() as port:
        with socket.create_connection(("127.0.0.1", port)) as hostile, contextlib.suppress(OSError):
            hostile.sendall(head)
            hostile.shutdown(socket.SHUT_WR)
            hostile.settimeout(60)
            hostile.recv(4096)
        assert ask(port)[0] == 200


def test_with_a_certificate_it_is_encrypted(tmp_path: Path) -> None:
    openssl = require_server("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([openssl, *new, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with serving(tls=Tls(certificate, key)) as port:
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        connection.request("GET", "/metrics")
        assert connection.getresponse().read() == PAGE
        connection.close()
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(port)


def test_a_stop_ends_waiting_connections_and_frees_the_port() -> None:
    with serving(port=free_port()) as port:
        waiting = socket.create_connection(("127.0.0.1", port))
    with waiting:
        waiting.settimeout(60)
        with contextlib.suppress(ConnectionResetError):
            assert waiting.recv(1) == b""
    with socket.create_server(("127.0.0.1", port)):
        pass
