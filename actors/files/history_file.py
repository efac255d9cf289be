"""The SQLite file of the curves: means of some seconds for a day, of five minutes for a month, and no more.

Curves are worth less than the ledger: a write is not synced by itself, and a file that cannot be used is replaced.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from orchestrator.telemetry.history import COARSE_STEP_S, FINE_FOR_S, Row, Values, columns_of

log = logging.getLogger(__name__)

FILE_NAME: Final = "history.sqlite3"
APPLICATION_ID: Final = 0x6F686973  # "ohis"
SCHEMA_VERSION: Final = 1
WAIT_FOR_LOCK_S: Final = 1.0
MOST_VALUES: Final = 6
"""Columns of the subject with the most; which they are says `telemetry.history`."""
KEPT_LONGER_S: Final = 3600
"""Fine rows are kept a little beyond their day, so that a day is whole."""

_COLUMNS: Final = ", ".join(f"v{index} REAL" for index in range(MOST_VALUES))
_NAMES: Final = ", ".join(f"v{index}" for index in range(MOST_VALUES))
_MEANS: Final = ", ".join(f"avg(v{index})" for index in range(MOST_VALUES))
_TABLES: Final = ("fine", "coarse")
_SCHEMA: Final = "".join(
    f"CREATE TABLE {table} (subject TEXT NOT NULL, at INTEGER NOT NULL, {_COLUMNS}, PRIMARY KEY (subject, at)) "
    "WITHOUT ROWID; "
    for table in _TABLES
)


class HistoryFile:
    """The curves, open for writing. For one thread; only one program may write it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> HistoryFile:
        """Open or make the file. One that is damaged, or of another version, is set aside as `.unusable`.

        Raises OSError or sqlite3.Error where the folder cannot be written or the file is locked.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(_prepared(path))
        except sqlite3.DatabaseError as trouble:
            if isinstance(trouble, sqlite3.OperationalError):  # no right, no space, locked: the file may be fine
                raise
            _set_aside(path, trouble)
        return cls(_prepared(path))

    def write(self, rows: Iterable[Row], *, now_s: int, days: int) -> None:
        """Add rows, make the coarse ones that they belong to, and forget what is too old at `now_s` (since 1970).

        Raises sqlite3.Error, with nothing written.
        """
        rows = list(rows)
        filled = [(row.subject, row.at_s, *row.values, *(None,) * (MOST_VALUES - len(row.values))) for row in rows]
        marks = ", ".join("?" * (MOST_VALUES + 2))
        with self._connection:
            self._connection.executemany(f"INSERT OR REPLACE INTO fine VALUES ({marks})", filled)
            for subject, at_s in {(row.subject, row.at_s // COARSE_STEP_S * COARSE_STEP_S) for row in rows}:
                self._connection.execute(
                    f"INSERT OR REPLACE INTO coarse SELECT subject, ?, {_MEANS} FROM fine "
                    "WHERE subject = ? AND at >= ? AND at < ? GROUP BY subject",
                    (at_s, subject, at_s, at_s + COARSE_STEP_S),
                )
            for table, kept_s in (("fine", FINE_FOR_S + KEPT_LONGER_S), ("coarse", days * 86400)):
                for subject in self._subjects(table):
                    # A clock that was far ahead left rows of the future; they are no history.
                    self._connection.execute(
                        f"DELETE FROM {table} WHERE subject = ? AND (at < ? OR at > ?)",
                        (subject, now_s - kept_s, now_s + 86400),
                    )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _subjects(self, table: str) -> list[str]:
        return [row[0] for row in self._connection.execute(f"SELECT DISTINCT subject FROM {table}")]


def read_history(path: Path, subject: str, begin_s: int, end_s: int, step_s: int) -> Mapping[int, Values]:
    """The means of `subject` from `begin_s` to before `end_s` (since 1970), by the begin of each step of `step_s`.

    The orchestrator may go on writing meanwhile. No file is no history. Raises sqlite3.Error.
    """
    if not path.exists():
        return {}
    table = "coarse" if step_s >= COARSE_STEP_S else "fine"
    names = columns_of(subject)
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_FOR_LOCK_S)) as found:
        rows = found.execute(
            f"SELECT at / ? * ?, {_MEANS} FROM {table} WHERE subject = ? AND at >= ? AND at < ? GROUP BY 1",
            (step_s, step_s, subject, begin_s // step_s * step_s, end_s),
        ).fetchall()
    return {at_s: tuple(values[: len(names)]) for at_s, *values in rows}


def _prepared(path: Path) -> sqlite3.Connection:
    """A connection to a history that is sound. Closed again where it is not."""
    connection = sqlite3.connect(path, timeout=WAIT_FOR_LOCK_S)
    try:
        application, version = _number(connection, "application_id"), _number(connection, "user_version")
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] and not application:
            identity = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
            connection.executescript(f"BEGIN; {_SCHEMA} {identity} COMMIT;")
        elif (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
            raise sqlite3.DatabaseError("it is another program's, or of another version")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path, trouble: Exception) -> None:
    """Only the newest unusable file is kept: this must not fill the disk."""
    aside = path.with_name(f"{path.name}.unusable")
    path.replace(aside)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    log.error("the curves in %s cannot be used (%s): kept as %s, and begun anew", path, trouble, aside.name)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
