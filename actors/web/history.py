"""The curves as they are collected, written and read. The disk is touched by one thread of its own, and by readers.

A disk that is full or hangs costs the curves and nothing else: rows wait in memory, as many as fit, and the oldest go.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from actors.files.history_file import FILE_NAME, HistoryFile, read_history
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.telemetry.history import Means, Row, Values, history_payload, step_for

log = logging.getLogger(__name__)

WRITE_EVERY_S: Final = 60.0
"""A memory card wears: so much is lost by a power cut."""
MOST_WAITING: Final = 20_000
"""Rows that wait in memory: a day of the site and of a few inverters, about 3 MB."""
CLOSE_WITHIN_S: Final = 2.0


class History:
    """`take` is for the actor, `read` for any thread. `close` writes what still waits."""

    def __init__(self, state_dir: Path, days: int, wall_s: Callable[[], float] = time.time) -> None:
        self._path = state_dir / FILE_NAME
        self._days = days
        self._wall_s = wall_s
        self._means = Means()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, int], Row] = {}
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._told = False
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def take(self, result: CycleResult) -> None:
        """One more cycle. It never waits for the disk."""
        self._add(self._means.take(result, self._wall_s()))

    def read(self, subject: str, hours: int) -> Payload:
        """The columns of the last `hours`; what is not written yet is in them. Raises sqlite3.Error."""
        end_s = int(self._wall_s()) + 1
        begin_s, step_s = end_s - hours * 3600, step_for(hours, subject)
        with self._lock:
            waiting = [row for row in self._waiting.values() if row.subject == subject]
        rows = dict(read_history(self._path, subject, begin_s, end_s, step_s))
        rows |= _means_of(waiting, step_s, rows)
        return history_payload(subject, rows, begin_s, end_s, step_s)

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return len(self._waiting)

    def flush(self) -> None:
        """Have what waits written soon."""
        self._wanted.set()

    def close(self) -> None:
        """Write what still waits; a disk that hangs is left behind."""
        self._add(self._means.rest())
        self._closed.set()
        self._wanted.set()
        self._thread.join(CLOSE_WITHIN_S)

    def _add(self, rows: list[Row]) -> None:
        if not rows:
            return
        with self._lock:
            self._waiting |= {(row.subject, row.at_s): row for row in rows}
            while len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wanted.wait(WRITE_EVERY_S)
            self._wanted.clear()
            self._write()

    def _write(self) -> None:
        with self._lock:
            rows = list(self._waiting.values())
        if not rows:
            return
        try:
            file = HistoryFile.open(self._path)
            try:
                file.write(rows, now_s=int(self._wall_s()), days=self._days)
            finally:
                file.close()
        except (OSError, sqlite3.Error) as trouble:
            if not self._told:
                log.error("the curves in %s cannot be written (%s): it is tried again", self._path, trouble)
            self._told = True
            return
        self._told = False
        with self._lock:
            for row in rows:
                if self._waiting.get((row.subject, row.at_s)) is row:
                    del self._waiting[row.subject, row.at_s]


def _means_of(waiting: list[Row], step_s: int, written: dict[int, Values]) -> dict[int, Values]:
    """The steps that only rows in memory know of; one that has begun on disk is shown as it is there."""
    found: dict[int, list[Row]] = {}
    for row in waiting:
        at_s = row.at_s // step_s * step_s
        if at_s not in written:
            found.setdefault(at_s, []).append(row)
    means = {}
    for at_s, rows in found.items():
        columns = [[row.values[i] for row in rows if row.values[i] is not None] for i in range(len(rows[0].values))]
        means[at_s] = tuple(sum(v for v in each if v is not None) / len(each) if each else None for each in columns)
    return means
