"""A missing server skips a test, or fails it where it must be there; no two tests are given one port."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers.required import BLOCK, free_port, require_server

REPOSITORY = Path(__file__).parents[3]


def test_a_program_that_is_there_is_found() -> None:
    assert require_server("sh").endswith("/sh")


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRATOR_REQUIRE_SERVERS", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        require_server("no-such-server")


def test_a_missing_program_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_REQUIRE_SERVERS", "1")

    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require_server("no-such-server")


def test_a_free_port_can_be_had_and_is_given_to_one_process_only() -> None:
    ours = {free_port() for _ in range(20)}
    ask = "from tests.support.servers.required import free_port; print(*(free_port() for _ in range(20)))"
    said = subprocess.run([sys.executable, "-c", ask], cwd=REPOSITORY, check=True, capture_output=True, text=True)

    assert len(ours) == 20
    assert ours.isdisjoint(map(int, said.stdout.split()))
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        assert port not in {free_port() for _ in range(BLOCK)}
