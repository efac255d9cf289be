"""Files that are there as a whole: a kill or a power cut leaves the old text or the new one."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LEAST_GAP_S: Final = 1.0
"""Between two writes: a storm of changes must not wear out a memory card."""


def replace_file(path: Path, text: str) -> None:
    """Write `text` beside `path`, synced, and put it in its place. Raises OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NewestText:
    """A small file written by a thread of its own. The newest text wins; a disk that hangs holds up nobody."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: str | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False
        self.written: str | None = None
        """The newest text that is on the disk; None: none of these was written yet."""

    def put(self, text: str) -> None:
        """Have `text` written soon; returns at once. A text that still waits is superseded."""
        with self._changed:
            self._text = text
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._path.name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Write what still waits, and end the thread; a disk that hangs is left behind after `timeout_s`."""
        with self._changed:
            self._closed.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (text := self._wait()) is not None:
            self._write(text)
            self._closed.wait(LEAST_GAP_S)

    def _wait(self) -> str | None:
        with self._changed:
            while self._text is None and not self._closed.is_set():
                self._changed.wait()
            text, self._text = self._text, None
            return text

    def _write(self, text: str) -> None:
        try:
            replace_file(self._path, text)
            self.written = text
            self._failed = False
        except OSError as trouble:
            if not self._failed:
                log.error("%s cannot be written (%s): it will be missing after a restart", self._path, trouble)
            self._failed = True
