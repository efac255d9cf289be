"""What systemd is told, on a real datagram socket."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.commands.run.service_manager import ServiceManager
from tests.support.command_line import example_site, orchestrator
from tests.support.records.cycles import cycle_result, site_config


class Systemd:
    """The receiving end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def close(self) -> None:
        self._socket.close()

    def next(self, timeout_s: float = 60.0) -> list[str]:
        """The lines of the next message."""
        self._socket.settimeout(timeout_s)
        return self._socket.recv(4096).decode().splitlines()

    def hears_nothing(self) -> bool:
        """Whether no message waits."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        return False

    def wait_for(self, line: str, timeout_s: float = 60.0) -> list[str]:
        """The first message with this line."""
        deadline_s = time.monotonic() + timeout_s
        while line not in (lines := self.next(max(0.01, deadline_s - time.monotonic()))):
            pass
        return lines


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listener = Systemd(tmp_path / "notify")
    yield listener
    listener.close()


def test_a_start_is_told_with_a_watchdog_that_fits_the_cycles(systemd: Systemd) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "30000000"})
    service.ready(site_config())
    assert systemd.next() == ["READY=1", "WATCHDOG_USEC=30000000"]

    service.ready(site_config(control={"interval_s": 60.0}))
    assert systemd.next() == ["READY=1", "WATCHDOG_USEC=155000000"]


def test_cycles_feed_the_watchdog_once_a_second(systemd: Systemd) -> None:
    now_s = 0.0
    service = ServiceManager({"NOTIFY_SOCKET": str(systemd.path)}, lambda: now_s)
    for cycle, now_s in enumerate((0.0, 0.3, 0.9, 1.0), 1):  # noqa: B007 - the clock reads it
        service.tell(replace(cycle_result(away=("roof",)), cycle=cycle))

    assert systemd.next() == ["WATCHDOG=1", "STATUS=cycle 1, normal, away: roof"]
    assert systemd.next()[1].startswith("STATUS=cycle 4")
    assert systemd.hears_nothing()


def test_what_is_no_cycle_feeds_nothing(systemd: Systemd) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": str(systemd.path)})
    service.tell("an event")

    assert systemd.hears_nothing()


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("")  # the system chooses an abstract name
        name = listener.getsockname()
        service = ServiceManager({"NOTIFY_SOCKET": "@" + name[1:].decode()})
        service.stopping()
        listener.settimeout(60)

        assert listener.recv(4096).startswith(b"STOPPING=1")


def test_without_systemd_nothing_is_sent_and_a_lost_one_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ServiceManager({}).stopping()
    assert caplog.text == ""

    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).stopping()
    assert "systemd cannot be told" in caplog.text


def test_a_run_tells_systemd_of_its_start_its_cycles_and_its_end(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        systemd.wait_for("READY=1")
        assert systemd.wait_for("WATCHDOG=1")[1].startswith("STATUS=cycle ")
        running.process.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert running.exit_code() == 0
