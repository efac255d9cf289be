"""The page and the addresses that it asks, on a real socket, with a virtual plant behind them.

Small on purpose: it has the answers that the page relies on, and none of the guards of the real server.
"""

from __future__ import annotations

import contextlib
import json
import mimetypes
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orchestrator.page
from tests.support.page.plant import Json, PagePlant
from tests.support.servers.required import free_port

PAGE = Path(orchestrator.page.__file__).parent
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PASSWORD, TOKEN = "sunny-day-7", "token-of-a-session"
SIGN_OF_LIFE_S = 5.0


class PageServer(ThreadingHTTPServer):
    """Serves one plant. `cut` ends every stream and refuses new ones until `mend`."""

    daemon_threads = True

    def __init__(self, port: int, plant: PagePlant) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.plant, self.is_cut = plant, False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def cut(self) -> None:
        """As when the network is gone."""
        self._set(cut=True)

    def mend(self) -> None:
        self._set(cut=False)

    def _set(self, *, cut: bool) -> None:
        self.is_cut = cut
        with self.plant.changed:
            self.plant.changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is closed ends its connections in the middle: that is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(url.query).items()}
        plant = self.server.plant
        if self.server.is_cut:
            self.close_connection = True
            return
        match url.path.removeprefix("/api/v1/").split("/"):
            case ["site"]:
                self._json(plant.state(signed_in=self._signed_in()))
            case ["stream"]:
                self._stream()
            case ["history"]:
                self._json(plant.columns(float(asked["hours"]), asked.get("inverter")))
            case ["ledger"]:
                self._json(plant.ledger())
            case ["events"]:
                self._json(plant.events[: int(asked.get("limit", "100"))])
            case _:
                self._file(unquote(url.path))

    def do_POST(self) -> None:
        self._change("POST")

    def do_DELETE(self) -> None:
        self._change("DELETE")

    def _change(self, method: str) -> None:
        what = urlsplit(self.path).path.removeprefix("/api/v1/")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        plant = self.server.plant
        if what == "session":
            good = body.get("password") == PASSWORD
            self._json({"token": TOKEN} if good else {"error": "wrong password"}, 200 if good else 401)
            return
        if not self._signed_in():
            self._json({"error": "sign in first"}, 401)
            return
        plant.asked.append((method, what, body))
        self._json(_carried_out(plant, method, what, body))

    def _signed_in(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _file(self, path: str) -> None:
        file = PAGE / ("index.html" if path == "/" else path.removeprefix("/page/"))
        if not file.is_file():
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)
            return
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
        self._send(200, kind or "text/plain", file.read_bytes())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        seen, told = -1, len(self.server.plant.events)
        while not self.server.is_cut:
            seen, told, text = self._next(seen, told)
            self.wfile.write(text.encode())
            self.wfile.flush()

    def _next(self, seen: int, told: int) -> tuple[int, int, str]:
        """Wait for what comes after version `seen` and event number `told`, or give a sign of life."""
        plant = self.server.plant
        with plant.changed:
            fresh = plant.changed.wait_for(lambda: self.server.is_cut or plant.version != seen, SIGN_OF_LIFE_S)
            events = plant.events[: len(plant.events) - told][::-1]
            parts = [f"event: event\ndata: {json.dumps(each)}\n\n" for each in events]
            if fresh:
                parts.append(f"event: state\ndata: {json.dumps(plant.state(signed_in=self._signed_in()))}\n\n")
            return plant.version, len(plant.events), "".join(parts) or ": here\n\n"


def _carried_out(plant: PagePlant, method: str, what: str, body: Json) -> Json:
    until = datetime.now(UTC) + timedelta(seconds=body.pop("for_s", 3600))
    match method, what:
        case "POST", "setpoint":
            plant.ask_by_hand(body, until)
        case "DELETE", "setpoint":
            plant.withdraw_by_hand()
        case "POST", "pause":
            plant.now_is("paused", until)
        case "POST", "release":
            plant.now_is("released")
        case ("DELETE", "pause") | ("POST", "resume"):
            plant.now_is("running")
        case "POST", "reload":
            return {"changes": ["control.interval_s: 1 -> 2"]}
    return {}


@contextlib.contextmanager
def served(plant: PagePlant, port: int | None = None) -> Iterator[PageServer]:
    """The page of this plant while the block runs."""
    server = PageServer(port or free_port(), plant)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.cut()
        server.shutdown()
        server.server_close()
        thread.join()
