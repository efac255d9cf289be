"""How far the bench is: a bar on a terminal, plain lines elsewhere. Both on standard error, the results are not.

Only the main thread draws, and only when it is told to: a bar that redraws itself would be measured as well.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

REFRESH_EVERY_S = 0.5


class Watch(Protocol):
    """Is told what is being measured."""

    def begin(self, text: str) -> None:
        """The next part of the bench begins; the one before it is done."""

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass, visibly."""

    def done(self, part: float) -> None:
        """So much (0 to 1) of what is being measured is done."""


@contextmanager
def watch(parts: int) -> Iterator[Watch]:
    """Show the progress through `parts` parts of the bench."""
    if not sys.stderr.isatty():
        yield Lines(parts)
        return
    columns = (TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        yield Bar(progress, parts)


class Lines:
    """One line for each part."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self._begun = 0

    def begin(self, text: str) -> None:
        self._begun += 1
        print(f"[{self._begun}/{self._parts}] {text}", file=sys.stderr, flush=True)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def done(self, part: float) -> None:
        """Lines say only what begins."""


class Bar:
    """A bar of all parts, and the name of the present one."""

    def __init__(self, progress: Progress, parts: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=parts)
        self._begun = 0

    def begin(self, text: str) -> None:
        self._progress.update(self._task, description=text, completed=self._begun, refresh=True)
        self._begun += 1

    def wait(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, REFRESH_EVERY_S))
            self._progress.refresh()

    def done(self, part: float) -> None:
        self._progress.update(self._task, completed=self._begun - 1 + part, refresh=True)
