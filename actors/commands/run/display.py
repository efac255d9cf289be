"""What `orchestrator run` shows: one refreshing table on a terminal, one line every few seconds elsewhere.

The site actor tells it cycles; the main thread draws them. Nothing that goes wrong while drawing stops the plant.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from orchestrator.config.sections import MetricsSection, SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.telemetry.table import plain_line, render

LINE_EVERY_S = 5.0
STATUS_EVERY_S = 60.0

log = logging.getLogger(__name__)


class Display(Protocol):
    """Takes cycles in any thread (`tell`); everything else is for the main thread."""

    def tell(self, message: Any) -> None:
        """Keep the newest cycle; other messages are not for display."""

    def start(self, hints: tuple[str, ...]) -> None:
        """The plant has started; `hints` help a newcomer on."""

    def refresh(self) -> None:
        """Show what is new, if it is time."""

    def log(self, level: int, text: str) -> None:
        """Show one line of the log, in any thread."""

    def configure(self, config: SiteConfig) -> None:
        """The plant runs on `config` from now on."""

    def stop(self) -> None:
        """Leave the last picture and draw no more."""


@contextmanager
def make_display(config: SiteConfig, log_format: str = "human") -> Iterator[Display]:
    """A table where standard output is a terminal, else lines. A log for machines has the lines in it."""
    console = Console()
    display: Display
    if log_format == "json":
        display = LogDisplay(config)
    elif console.is_terminal and not console.is_dumb_terminal:
        display = TableDisplay(config, console)
    else:
        display = LineDisplay(config)
    try:
        yield display
    finally:
        display.stop()


def hints(config: SiteConfig, program: str, site_file: str) -> tuple[str, ...]:
    """How to go on from here: open the page, set a setpoint, see metrics, stop."""
    lines = []
    if config.page.enabled and config.server is not None:
        lines.append(f"the page      {address_of(config.server)}/")
    if config.setpoints.mqtt:
        lines.append(f"set a limit   {program} set {site_file} '{{\"opModExpLimW\": 0}}'")
        lines.append(f"withdraw it   {program} set {site_file} ''")
    if config.publish.mqtt:
        broker = config.publish.mqtt
        lines.append(f"state         mosquitto_sub -h {broker.host} -p {broker.port} -t '{broker.topic}/#' -v")
    if config.metrics:
        lines.append(f"metrics       {address_of(config.metrics)}/metrics")
    return (*lines, "stop          Ctrl-C")


def address_of(server: MetricsSection) -> str:
    """Where a browser on this machine finds it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if server.certificate_file else 'http'}://{host}:{server.port}"


class _Latest:
    """The newest cycle. One assignment passes it between threads."""

    def __init__(self, config: SiteConfig) -> None:
        self.configure(config)
        self._latest: CycleResult | None = None
        self._next_s = 0.0

    def configure(self, config: SiteConfig) -> None:
        self._site = config.site.name
        self._shadow = not config.control.enabled

    def tell(self, message: Any) -> None:
        if isinstance(message, CycleResult):
            self._latest = message

    def _is_time(self, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + every_s
        return True

    def log(self, _level: int, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more
            print(text, file=sys.stderr, flush=True)


class TableDisplay(_Latest):
    """Redraws a table in place."""

    def __init__(self, config: SiteConfig, console: Console) -> None:
        super().__init__(config)
        self._live = Live(Text("starting ..."), console=console, auto_refresh=False)
        self._shown: CycleResult | None = None

    def start(self, hints: tuple[str, ...]) -> None:
        for hint in hints:  # above the table, which then needs less room
            self._live.console.print(Text(hint, style="dim"))
        self._live.start()

    def refresh(self) -> None:
        if self._latest is not None and self._latest is not self._shown:
            self._shown = self._latest
            self._live.update(render(self._shown, self._site, self._shadow), refresh=True)

    def log(self, level: int, text: str) -> None:
        style = "red" if level >= logging.ERROR else "yellow" if level >= logging.WARNING else "dim"
        self._live.console.print(Text(text, style=style))

    def stop(self) -> None:
        self._live.stop()


class LineDisplay(_Latest):
    """Prints a line every few seconds. When nobody reads any more (a closed pipe), it falls silent."""

    def __init__(self, config: SiteConfig) -> None:
        super().__init__(config)
        self._open = True

    def start(self, hints: tuple[str, ...]) -> None:
        for hint in hints:
            self._print(hint)

    def refresh(self) -> None:
        if self._latest is not None and self._is_time(LINE_EVERY_S):
            self._print(f"{datetime.now():%H:%M:%S} {plain_line(self._latest, self._shadow)}")

    def stop(self) -> None:
        """Nothing to leave behind."""

    def _print(self, line: str) -> None:
        if not self._open:
            return
        try:
            print(line, flush=True)
        except OSError:
            self._open = False


class LogDisplay(_Latest):
    """Logs a line a minute, so that all there is to read is the log."""

    def start(self, hints: tuple[str, ...]) -> None:
        """Hints are for people."""

    def refresh(self) -> None:
        if self._latest is not None and self._is_time(STATUS_EVERY_S):
            log.info("%s", plain_line(self._latest, self._shadow), extra={"event": "status"})

    def stop(self) -> None:
        """Nothing to leave behind."""
