"""The site as it changes: what a stream tells, how many there may be, and what a hostile reader gets."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from actors.clock import ManualClock, RealClock
from actors.messages import Event
from actors.prometheus.observer import PrometheusObserver
from actors.web.bounds import Bounds
from actors.web.by_hand import ByHand
from actors.web.keys import Keys
from actors.web.server import WebServer
from actors.web.state import WebState
from actors.web.stream import MOST_STREAMS, Streams
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import PATIENCE_S, wait_until
from tests.support.web import Web, web, web_config

ASK = b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HOSTILE = 'no\n\nevent: state\ndata: {"hacked": true}\n\n'


class Reader:
    """A client that reads its stream."""

    def __init__(self, port: int, ask: bytes = ASK) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.sendall(ask)
        self._file = self.socket.makefile("rb")

    def status(self) -> int:
        """The status of the answer; its head is read."""
        status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass
        return status

    def next(self) -> tuple[str, Any]:
        """The next message: its kind, and what it says."""
        kind = ""
        for line in self._file:  # the lengths of chunks are lines too, and mean nothing here
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            elif line.startswith(b"data: "):
                return kind, json.loads(line[6:])
        raise EOFError

    def state(self) -> Any:
        """The next state, whatever events come before it."""
        while (told := self.next())[0] != "state":
            pass
        return told[1]

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Web]:
    with web(web_config(tmp_path)) as running:
        yield running


@contextlib.contextmanager
def reading(port: int, ask: bytes = ASK) -> Iterator[Reader]:
    reader = Reader(port, ask)
    try:
        yield reader
    finally:
        reader.close()


def test_the_state_comes_at_once_and_with_each_decision(served: Web) -> None:
    with reading(served.port) as reader:
        assert reader.status() == 200
        kind, before = reader.next()
        served.ref.tell(cycle_result())
        event, _ = reader.next()
        _, after = reader.next()

    assert (kind, before["site"]) == ("state", None)
    assert event == "event"  # the plant runs normally now
    assert after["site"]["site_watts"] == -500


def test_an_event_comes_at_once_and_cannot_be_taken_for_anything_else(served: Web) -> None:
    with reading(served.port) as reader:
        reader.status()
        reader.next()
        served.ref.tell(Event("setpoint", "site", HOSTILE))
        kind, said = reader.next()

    assert (kind, said["detail"]) == ("event", HOSTILE)


def test_a_site_that_decides_no_more_is_not_shown_as_if_it_did(tmp_path: Path) -> None:
    clock = ManualClock()
    with web(web_config(tmp_path), clock=clock) as served, reading(served.port) as reader:
        reader.status()
        reader.state()
        served.ref.tell(cycle_result())
        assert reader.state()["site"] is not None
        clock.advance(1.0)
        served.ref.proxy().actor_name.get()
        clock.advance(10.0)
        said = reader.state()

    assert said["site"] is None
    assert served.prometheus.newest_cycle is None


def test_a_change_is_seen_at_once(served: Web) -> None:
    with reading(served.port) as reader:
        reader.status()
        reader.next()
        served.change("release")
        _, said = reader.next()

    assert said["control"] == "released"


def test_there_is_room_again_when_a_stream_ends(served: Web) -> None:
    with contextlib.ExitStack() as open_streams:
        readers = [open_streams.enter_context(reading(served.port)) for _ in range(MOST_STREAMS)]
        assert [reader.status() for reader in readers] == [200] * MOST_STREAMS
        with reading(served.port) as one_more:
            assert one_more.status() == 503
        assert served.ask("/api/v1/site").status == 200
    wait_until(lambda: _status(served.port) == 200, "room again")


def _status(port: int) -> int:
    with reading(port) as reader:
        return reader.status()


def test_the_page_of_another_site_gets_no_stream(served: Web) -> None:
    with reading(served.port, ASK[:-2] + b"Origin: http://evil.example\r\n\r\n") as reader:
        assert reader.status() == 403


def test_who_does_not_read_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    config = web_config(tmp_path)
    by_hand = ByHand(tmp_path, Inbox(), RealClock(), can_be_resumed=True)
    state = WebState(config, PrometheusObserver("home", "1"), by_hand, RealClock())
    bounds = Bounds()
    streams = Streams(state, Keys.of(config), bounds, slow_s=0.2)
    server = WebServer("127.0.0.1", 0, Starlette(routes=[Route("/api/v1/stream", streams.open)]), bounds=bounds)
    server.start()
    try:
        with reading(server.port) as deaf, reading(server.port) as listening:
            wait_until(lambda: streams.count == 2, "both streams")
            for reader in (listening, deaf):
                assert reader.status() == 200
            for number in range(200):
                state.add(Event("setpoint", "site", str(number).ljust(200_000)))
                server.call(streams.wake)
                while listening.next()[0] != "event":
                    pass
                if streams.count == 1:
                    break
            wait_until(lambda: (streams.count, bounds.count) == (1, 1), "the end of the deaf stream")
            state.add(Event("setpoint", "site", "the last"))
            server.call(streams.wake)
            assert listening.next()[1]["detail"] == "the last"
    finally:
        server.call(streams.close)
        server.stop()
        by_hand.close()
