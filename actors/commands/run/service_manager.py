"""Tells systemd how the service is: its notification protocol, a line of text on a datagram socket.

The watchdog is fed by cycles that were decided, not by a timer: a process that lives and no longer controls is
restarted. Without systemd (no NOTIFY_SOCKET) nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult

log = logging.getLogger(__name__)

SLOWEST_CYCLE: Final = 1.25
"""A cycle without a new meter value begins after this many intervals."""
FEED_EVERY_S: Final = 1.0


class ServiceManager:
    """A listener of the site. `address` and `watchdog_s` are None where nobody listens."""

    def __init__(self, environ: Mapping[str, str] = os.environ, now_s: Callable[[], float] = time.monotonic) -> None:
        address = environ.get("NOTIFY_SOCKET")
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        watchdog_us = environ.get("WATCHDOG_USEC", "")
        self._watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() else None
        self._now_s = now_s
        self._fed_at_s = float("-inf")

    def ready(self, config: SiteConfig) -> None:
        """The plant runs on `config`, also after a reload. A watchdog that is shorter than its cycles is lengthened."""
        lines = ["READY=1"]
        if self._watchdog_s is not None:
            slowest_s = 2 * SLOWEST_CYCLE * config.control.interval_s + 5.0
            lines.append(f"WATCHDOG_USEC={round(max(self._watchdog_s, slowest_s) * 1e6)}")
        self._send(*lines)

    def stopping(self) -> None:
        """The devices are being handed back."""
        self._send("STOPPING=1", "STATUS=handing the devices back")

    def tell(self, message: object) -> None:
        """A cycle was decided: feed the watchdog, once a second at most. In the site's thread."""
        if not isinstance(message, CycleResult) or self._now_s() - self._fed_at_s < FEED_EVERY_S:
            return
        self._fed_at_s = self._now_s()
        away = f", away: {' '.join(message.snapshot.away)}" if message.snapshot.away else ""
        self._send("WATCHDOG=1", f"STATUS=cycle {message.cycle}, {message.mode}{away}")

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as trouble:
            log.warning("systemd cannot be told (%s)", trouble)
