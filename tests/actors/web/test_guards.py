"""What a hostile client can do to the HTTP server: take a while, and be refused."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from actors.web.bounds import CONNECTION_S, MAX_CONNECTIONS
from actors.web.gate import BURST, PER_S, Gate
from actors.web.keys import Keys
from actors.web.server import MAX_HEAD_BYTES, Tls, WebServer
from orchestrator.config.sections import SiteConfig
from orchestrator.telemetry.api.http_guard import Rules
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.required import free_port, require_server, wait_until
from tests.support.web import web, web_config

PAGE = b"the page\n"
READ = {"token": "secret"}


async def page(_request: Request) -> Response:
    return PlainTextResponse(PAGE.decode())


@contextlib.contextmanager
def serving(
    config: SiteConfig | None = None,
    tls: Tls | None = None,
    now_s: Callable[[], float] = time.monotonic,
    port: int = 0,
) -> Iterator[int]:
    """The guards around one page, without a plant."""
    keys = Keys.of(config or site_config())
    app = Starlette(routes=[Route("/metrics", page), Route("/healthz", page)])
    server = WebServer("127.0.0.1", port, Gate(app, Rules(frozenset(), keys.read), keys, now_s=now_s), tls)
    server.start()
    try:
        yield server.port
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
    with serving(site_config(metrics=READ)) as port:
        for headers in ({}, {"Authorization": "Bearer secret"}, {"Host": "evil.example"}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/metrics", headers={"Origin": "http://evil.example", **headers})
            answer = connection.getresponse()
            assert answer.getheader("Access-Control-Allow-Origin") is None
            connection.close()


def test_health_needs_no_token_and_says_whether_the_plant_decides(tmp_path: Path) -> None:
    with web(web_config(tmp_path, metrics=READ)) as served:
        assert ask(served.port)[0] == 401
        assert ask(served.port, Authorization="Bearer secret")[0] == 200
        assert ask(served.port, "/healthz") == (503, b"no cycle\n")
        served.ref.tell(cycle_result())
        wait_until(lambda: ask(served.port, "/healthz")[0] == 200, "health")


def test_requests_that_come_too_often_are_refused() -> None:
    at_s = [0.0]
    with serving(now_s=lambda: at_s[0]) as port:
        statuses = [ask(port)[0] for _ in range(int(BURST) + 5)]
        at_s[0] += 1.0
        later = [ask(port)[0] for _ in range(int(PER_S) + 5)]

    assert statuses == [200] * int(BURST) + [429] * 5
    assert later == [200] * int(PER_S) + [429] * 5


def test_guesses_of_the_token_run_out_and_then_the_right_one_is_not_told_from_a_wrong_one() -> None:
    with serving(site_config(metrics=READ), now_s=lambda: 0.0) as port:
        statuses = [ask(port, Authorization=f"Bearer {number}")[0] for number in range(15)]

        assert statuses == [401] * 10 + [429] * 5
        assert ask(port, Authorization="Bearer secret")[0] == 429
        assert ask(port, "/healthz")[0] == 200


def test_who_asks_on_this_machine_is_told_more_of_the_health_than_yes_or_no(tmp_path: Path) -> None:
    with web(web_config(tmp_path, metrics=READ)) as served:
        served.ref.tell(cycle_result())
        wait_until(lambda: ask(served.port, "/healthz") == (200, b"ok\n"), "health")
        details = served.ask("/healthz", Accept="application/json").said

    assert details["mode"] == "normal"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_who_asks_through_a_proxy_is_told_yes_or_no_unless_it_has_the_token(header: str, tmp_path: Path) -> None:
    passed_on = {"Accept": "application/json", header: "203.0.113.7"}
    with web(web_config(tmp_path, metrics=READ)) as served:
        served.ref.tell(cycle_result())
        wait_until(lambda: ask(served.port, "/healthz")[0] == 200, "health")

        assert ask(served.port, "/healthz", **passed_on) == (200, b"ok\n")
        assert served.ask("/healthz", token="secret", **passed_on).said["mode"] == "normal"


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


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    openssl, folder = require_server("openssl"), tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([openssl, *new, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return Tls(certificate, key)


def ask_encrypted(port: int, tls: Tls) -> bytes:
    context = ssl.create_default_context(cafile=tls.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_with_a_certificate_it_is_encrypted(tls: Tls) -> None:
    with serving(tls=tls) as port:
        assert ask_encrypted(port, tls) == PAGE
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(port)


@pytest.mark.long
def test_connections_that_never_begin_to_encrypt_leave_room_after_a_while_too(tls: Tls) -> None:
    with serving(tls=tls) as port, contextlib.ExitStack() as held:
        for _ in range(MAX_CONNECTIONS):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
        with pytest.raises(OSError):  # noqa: PT011 - turned away in one of several ways
            ask_encrypted(port, tls)
        wait_until(lambda: _page_or_none(port, tls) == PAGE, "room again")


def _page_or_none(port: int, tls: Tls) -> bytes | None:
    try:
        return ask_encrypted(port, tls)
    except OSError:
        return None


def test_a_stop_ends_waiting_connections_and_frees_the_port() -> None:
    with serving(port=free_port()) as port:
        waiting = socket.create_connection(("127.0.0.1", port))
    with waiting:
        waiting.settimeout(60)
        with contextlib.suppress(ConnectionResetError):
            assert waiting.recv(1) == b""
    with socket.create_server(("127.0.0.1", port)):
        pass
