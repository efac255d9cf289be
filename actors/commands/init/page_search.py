"""The search for devices that the set-up page has begun: one at a time, in a thread, with its progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from actors.commands.progress import Watch
from orchestrator.commissioning.scan_report import FoundDevice, Remark, ScanReport, report
from orchestrator.errors import DeviceError, OrchestratorError
from orchestrator.reason import Reason

Progress = Callable[[str, int], AbstractContextManager[Watch]]
Look = Callable[[str, Progress], ScanReport]
"""Looks for devices at a target that somebody typed, and says how far it is. Raises UsageError."""
STOPPED, FAILED = "stopped", "failed"
"""Why a search has ended early, beside the words of an error."""
STOP_WITHIN_S: Final = 15.0
"""What is being asked is waited for: a reply, or its time-out."""


class _Stopped(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True, slots=True)
class Search:
    """How far a search is. `found` counts what has answered; `trouble` is why it ended early, `why` as a value."""

    target: str
    done: int = 0
    steps: int = 0
    found: int = 0
    is_running: bool = True
    trouble: str | None = None
    why: Reason | None = None


class Searches:
    """All searches of one set-up, and what they have found together. Any thread may call it."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.latest: Search | None = None
        self.devices: tuple[FoundDevice, ...] = ()
        self.remarks: tuple[Remark, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self.latest is not None and self.latest.is_running

    def begin(self, target: str) -> bool:
        """Look at `target` too; False where another search is under way."""
        with self._lock:
            if self.is_running:
                return False
            self._stopped.clear()
            self.latest = Search(target)
            self._thread = threading.Thread(target=self._run, args=(target,), name="search", daemon=True)
            self._thread.start()
            return True

    def stop(self) -> None:
        """End what is under way; what it has found is forgotten. Returns when it has ended, or is very slow."""
        self._stopped.set()
        thread = self._thread
        if thread is not None:
            thread.join(STOP_WITHIN_S)

    def _run(self, target: str) -> None:
        trouble: str | None = FAILED
        why: Reason | None = None
        try:
            found = self._look(target, self._progress)
            with self._lock:
                self.devices = report((*self.devices, *found.devices, *found.again), ()).devices
                self.remarks = (*self.remarks, *found.remarks)
            trouble = None
        except _Stopped:
            trouble = STOPPED
        except DeviceError as error:
            trouble, why = str(error), error.why
        except OrchestratorError as error:
            trouble = str(error)
        finally:
            self._now(is_running=False, trouble=trouble, why=why)

    @contextmanager
    def _progress(self, _title: str, steps: int) -> Iterator[Watch]:
        self._now(steps=steps)
        yield _Steps(self)

    def _now(self, **changed: object) -> None:
        with self._lock:
            if self.latest is not None:
                self.latest = replace(self.latest, **changed)  # type: ignore[arg-type] # fields of Search

    def more(self, *, done: int = 0, steps: int = 0, found: int = 0) -> None:
        """So much more is known. Raises what ends the search where it was stopped."""
        if self._stopped.is_set():
            raise _Stopped
        with self._lock:
            latest = self.latest
            if latest is not None:
                self.latest = replace(
                    latest, done=latest.done + done, steps=latest.steps + steps, found=latest.found + found
                )


class _Steps:
    """The progress as a scan tells it."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def advance(self, steps: int = 1) -> None:
        self._searches.more(done=steps)

    def grow(self, steps: int) -> None:
        self._searches.more(steps=steps)

    def say(self, text: str) -> None:  # noqa: ARG002 - each line is one that has answered
        self._searches.more(found=1)
