"""Programs beside Python: a test that needs one skips where it is missing, or fails where it must be there."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
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


PORTS = range(10_000, 32_000)
"""Below what Linux gives to sockets that ask for any port, so that nobody gets one of these by chance."""
BLOCK = 500


@functools.cache
def _ports_of_this_process() -> Iterator[int]:
    """The ports of a block that no other process has, again and again.

    The block is claimed by the name of a socket, which the kernel keeps until this process ends.
    """
    for first in PORTS[::BLOCK]:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0orchestrator-tests-ports-{first}")
        except OSError:
            claim.close()
        else:
            _CLAIMS.append(claim)
            return itertools.cycle(range(first, first + BLOCK))
    raise RuntimeError(f"{len(PORTS[::BLOCK])} other processes test here")


_CLAIMS: list[socket.socket] = []


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no other test is given, in this process or another."""
    ports = _ports_of_this_process()
    return next(port for port in itertools.islice(ports, BLOCK) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: former connections do not matter
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


PATIENCE_S = 60.0
"""For so long is waited for what must come. It comes much sooner, but not on a machine that is busy with more."""


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
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
