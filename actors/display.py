"""What `orchestrator run` shows: one refreshing table on a terminal, one line every few seconds elsewhere.

The site actor tells it cycles; the main thread draws them. Nothing that goes wrong while drawing stops the plant.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.logging import RichHandler
from rich.text import Text

from orchestrator.config import SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.table import plain_line, render

LINE_EVERY_S = 5.0


class Display(Protocol):
    """Takes cycles in any thread (`tell`); everything else is for the main thread."""

    def tell(self, message: Any) -> None:
        """Keep the newest cycle; other messages are not for display."""

    def start(self, hints: tuple[str, ...]) -> None:
        """The plant has started; `hints` help a newcomer on."""

    def refresh(self) -> None:
        """Show what is new, if it is time."""

    def configure(self, config: SiteConfig) -> None:
        """The plant runs on `config` from now on."""

    def stop(self) -> None:
        """Leave the last picture and draw no more."""


@contextmanager
def make_display(config: SiteConfig) -> Iterator[Display]:
    """A table where standard output is a terminal, else lines. Sets up the log to go beside it."""
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        handler: logging.Handler = RichHandler(console=console, show_path=False, omit_repeated_times=False)
        display: Display = TableDisplay(config, console)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        display = LineDisplay(config)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield display
    finally:
        display.stop()
        root.removeHandler(handler)


def hints(config: SiteConfig, program: str, site_file: str) -> tuple[str, ...]:
    """How to go on from here: set a setpoint, see metrics, stop."""
    lines = []
    if config.setpoints.mqtt:
        lines.append(f"set a limit   {program} set {site_file} '{{\"opModExpLimW\": 0}}'")
        lines.append(f"withdraw it   {program} set {site_file} ''")
    if config.publish.mqtt:
        broker = config.publish.mqtt
        lines.append(f"state         mosquitto_sub -h {broker.host} -p {broker.port} -t '{broker.topic}/#' -v")
    if config.metrics:
        lines.append(f"metrics       http://{config.metrics.host}:{config.metrics.port}/metrics")
    return (*lines, "stop          Ctrl-C")


class _Latest:
    """The newest cycle. One assignment passes it between threads."""

    def __init__(self, config: SiteConfig) -> None:
        self.configure(config)
        self._latest: CycleResult | None = None

    def configure(self, config: SiteConfig) -> None:
        self._site = config.site.name
        self._shadow = not config.control.enabled

    def tell(self, message: Any) -> None:
        if isinstance(message, CycleResult):
            self._latest = message


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

    def stop(self) -> None:
        self._live.stop()


class LineDisplay(_Latest):
    """Prints a line every few seconds. When nobody reads any more (a closed pipe), it falls silent."""

    def __init__(self, config: SiteConfig) -> None:
        super().__init__(config)
        self._next_s = 0.0
        self._open = True

    def start(self, hints: tuple[str, ...]) -> None:
        for hint in hints:
            self._print(hint)

    def refresh(self) -> None:
        now_s = time.monotonic()
        if self._latest is not None and now_s >= self._next_s:
            self._next_s = now_s + LINE_EVERY_S
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
