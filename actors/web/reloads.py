"""Reloads that are asked for over HTTP: the main thread does them, as it does those of SIGHUP."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from actors.files.process import Answer
from actors.messages import Event
from orchestrator.reason import Reason, because

MOST_WAITING: Final = 4
SHOWN_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class ReloadAsked:
    """Somebody wants site.yaml to be read again; `answer` is what came of it."""

    who: Reason
    answer: Future[Answer] = field(default_factory=Future)


class ReloadDesk:
    """Where both threads meet."""

    def __init__(self) -> None:
        self._asked: queue.Queue[ReloadAsked] = queue.Queue(MOST_WAITING)

    def ask(self, who: Reason) -> Future[Answer] | None:
        """The answer to come; None where too many wait already."""
        asked = ReloadAsked(who)
        try:
            self._asked.put_nowait(asked)
        except queue.Full:
            return None
        return asked.answer

    def serve(self, reload: Callable[[], Answer], tell: Callable[[Event], None]) -> bool:
        """Do the next one that waits, for the main thread; whether there was one. Everybody hears who it was."""
        try:
            asked = self._asked.get_nowait()
        except queue.Empty:
            return False
        if not asked.answer.set_running_or_notify_cancel():  # who asked does not wait any more, and was told so
            return True
        answer = reload()
        name = "reloaded" if answer.accepted else "reload_refused"
        lines = "; ".join(answer.lines[:SHOWN_LINES])
        why = answer.why[:SHOWN_LINES] or None
        tell(Event.of(name, "site", because("read_again", lines=lines, lines_why=why, by=asked.who)))
        asked.answer.set_result(answer)
        return True
