"""Programs beside Python: a test that needs one skips where it is missing, or fails where it must be there."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def require_server(name: str) -> str:
    """The path of the program `name`. Without it the test skips; with ORCHESTRATOR_REQUIRE_SERVERS=1 it fails."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is not None:
        return path
    reason = f"{name} is not installed"
    if os.environ.get("ORCHESTRATOR_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and ORCHESTRATOR_REQUIRE_SERVERS=1 wants it")
    pytest.skip(reason)


_GIVEN: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment, and that was not given before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Return as soon as `condition` holds; fail with `what` when it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {timeout_s} s")
        time.sleep(0.01)


def listening_addresses(pid: int) -> set[str]:
    """The addresses of the sockets that a process listens on, from the kernel."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if _is_socket(link)}
    found = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            cells = row.split()
            if cells[3] == "0A" and f"socket:[{cells[9]}]" in inodes:
                found.add(_address(cells[1].partition(":")[0]))
    return found


def _is_socket(link: Path) -> bool:
    try:
        return link.readlink().name.startswith("socket:")
    except OSError:
        return False


def _address(hexadecimal: str) -> str:
    return (
        ".".join(str(byte) for byte in reversed(bytes.fromhex(hexadecimal))) if len(hexadecimal) == 8 else hexadecimal
    )
