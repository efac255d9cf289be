"""`orchestrator run --record FILE`: every cycle as a line of JSON, in a thread of its own, in bounded room.

The file is added to. When it has reached its size it becomes `FILE.1`, in place of the former one, and a new begins.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import UsageError
from orchestrator.telemetry.recording import to_line

log = logging.getLogger(__name__)

LARGEST_BYTES: Final = 64 * 1024 * 1024
"""About ten hours of three inverters; with the file before it twice as much."""

MOST_WAITING: Final = 120
"""Cycles that wait for a slow disk; what comes beyond is left out and counted."""


class Recorder:
    """A listener for CycleResult. `tell` returns at once; a disk that is full or slow costs lines, never the plant."""

    def __init__(self, path: Path, wall: Callable[[], datetime], largest_bytes: int = LARGEST_BYTES) -> None:
        self._path = path
        self._wall = wall
        self._largest_bytes = largest_bytes
        self._waiting: queue.Queue[tuple[datetime, CycleResult] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="recorder", daemon=True)
        self._left_out = 0
        self._trouble = ""

    def start(self) -> None:
        """Open the file, to find out now what would be wrong with it, and begin. Raises UsageError."""
        try:
            self._path.open("a").close()
        except OSError as error:
            raise UsageError(f"cannot record to {self._path}: {error.strerror or error}") from error
        self._thread.start()

    def tell(self, message: Any) -> None:
        """Leave a cycle to be written; other messages are not recorded."""
        if not isinstance(message, CycleResult):
            return
        try:
            self._waiting.put_nowait((self._wall(), message))
        except queue.Full:
            self._left_out += 1

    @property
    def waiting(self) -> int:
        """How many cycles wait to be written."""
        return self._waiting.qsize()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Write what waits, and end. A disk that hangs is not waited for any longer than `timeout_s`."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)

    def _write_all(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            at, result = waiting
            try:
                self._write(to_line(result, rfc3339(at)))
                self._say_left_out()
            except OSError as error:
                self._say(f"recording to {self._path} fails: {error.strerror or error}; the plant runs on")
            else:
                self._trouble = ""

    def _write(self, line: str) -> None:
        """Opened for each line: a file that somebody moved away begins anew, and nothing is left in a buffer."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
        if self._path.stat().st_size >= self._largest_bytes:
            os.replace(self._path, self._path.with_name(self._path.name + ".1"))

    def _say_left_out(self) -> None:
        left_out, self._left_out = self._left_out, 0
        if left_out:
            log.warning("recording to %s: %d cycles are left out, the disk is slow", self._path, left_out)

    def _say(self, trouble: str) -> None:
        """Once, until it is over."""
        if trouble != self._trouble:
            log.error("%s", trouble)
        self._trouble = trouble


@contextmanager
def recording_to(path: str | None) -> Iterator[tuple[Recorder, ...]]:
    """The recorder of a run as its listeners: none where nothing is to be recorded. Raises UsageError."""
    if path is None:
        yield ()
        return
    recorder = Recorder(Path(path), lambda: datetime.now(UTC))
    recorder.start()
    try:
        yield (recorder,)
    finally:
        recorder.stop()
