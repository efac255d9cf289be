"""A missing server skips a test, or fails it where it must be there."""

from __future__ import annotations

import pytest

from tests.support.servers.required import require_server


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
