"""Questions and answers on a terminal; or none at all, where the answers were given on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm, Prompt
from rich.table import Table

from orchestrator.errors import UsageError

AnswerT = TypeVar("AnswerT")


class Dialogue(Protocol):
    """Whoever answers. `given` is an answer of the command line: then nothing is asked."""

    @property
    def is_asked(self) -> bool:
        """Whether there is somebody who can be asked once more."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def heading(self, text: str) -> None:
        """What the next questions are about."""

    def show(self, table: Table) -> None:
        """A table that stays."""

    def ask(self, question: str, default: str, check: Callable[[str], AnswerT], given: str | None = None) -> AnswerT:
        """An answer that `check` takes. Raises UsageError where `given` is wrong, or a default that nobody can mend."""

    def agree(self, question: str, *, default: bool, given: bool | None = None) -> bool:
        """Yes or no."""


class Unasked:
    """Nobody is asked: what is not given is as `default` says."""

    is_asked = False

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """See `Dialogue`."""
        self._console.print(escape(text), highlight=False, soft_wrap=not self._console.is_terminal)

    def heading(self, text: str) -> None:
        """See `Dialogue`."""
        self._console.print(f"\n[bold]{escape(text)}[/bold]", highlight=False)

    def show(self, table: Table) -> None:
        """See `Dialogue`."""
        self._console.print(table)

    def ask(self, question: str, default: str, check: Callable[[str], AnswerT], given: str | None = None) -> AnswerT:
        """See `Dialogue`."""
        answer = default if given is None else given
        value = check(answer)
        self.say(f"{question}: {answer}")
        return value

    def agree(self, question: str, *, default: bool, given: bool | None = None) -> bool:
        """See `Dialogue`."""
        answer = default if given is None else given
        self.say(f"{question} {'yes' if answer else 'no'}")
        return answer


class Asked(Unasked):
    """Somebody at a terminal: what is typed wrong is asked for again, with what is wrong."""

    is_asked = True

    def ask(self, question: str, default: str, check: Callable[[str], AnswerT], given: str | None = None) -> AnswerT:
        """See `Dialogue`. Raises EOFError at Ctrl-D."""
        if given is not None:
            return super().ask(question, default, check, given)
        while True:
            answer = Prompt.ask(escape(question), console=self._console, default=default)
            try:
                return check(answer.strip())
            except UsageError as wrong:
                self.say(f"  {wrong}")

    def agree(self, question: str, *, default: bool, given: bool | None = None) -> bool:
        """See `Dialogue`. Raises EOFError at Ctrl-D."""
        if given is not None:
            return super().agree(question, default=default, given=given)
        return Confirm.ask(escape(question), console=self._console, default=default)
