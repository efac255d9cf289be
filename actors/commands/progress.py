"""How far a command is: a bar on a terminal, plain lines elsewhere. Both on standard error; results are not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINES = 10
"""How often plain output says how far it is."""


class Watch(Protocol):
    """Is told how far it is, by any thread."""

    def advance(self, steps: int = 1) -> None:
        """So many more steps are done."""

    def grow(self, steps: int) -> None:
        """There are so many more steps than was known."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


@contextmanager
def watch(title: str, steps: int) -> Iterator[Watch]:
    """Show the progress through `steps` steps."""
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(title, steps)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, title, steps)


class Lines:
    """One line for each tenth."""

    def __init__(self, title: str, steps: int) -> None:
        self._title, self._steps, self._done = title, steps, 0

    @property
    def done(self) -> int:
        """How many steps are done."""
        return self._done

    def advance(self, steps: int = 1) -> None:
        before, self._done = self._done, self._done + steps
        if before * LINES // max(self._steps, 1) != self._done * LINES // max(self._steps, 1):
            self.say(f"{self._title}: {self._done} of {self._steps}")

    def grow(self, steps: int) -> None:
        self._steps += steps

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")  # in one piece: several threads have something to say
        sys.stderr.flush()


class Bar:
    """A bar; what is said stands above it."""

    def __init__(self, progress: Progress, title: str, steps: int) -> None:
        self._progress, self._steps = progress, steps
        self._task = progress.add_task(title, total=steps)

    def advance(self, steps: int = 1) -> None:
        self._progress.advance(self._task, steps)

    def grow(self, steps: int) -> None:
        self._steps += steps
        self._progress.update(self._task, total=self._steps)

    def say(self, text: str) -> None:
        self._progress.console.print(escape(text), highlight=False)
