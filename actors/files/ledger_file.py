"""The SQLite file of the ledger: one row for each excess. Written by the ledger actor alone, read by `report`.

Every commit is synced to the disk, so that neither a killed process nor a lost power supply costs a row that was
written. A file that is damaged, or not ours, is set aside beside its place and never deleted.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import ValidationError, convert, to_builtins

from orchestrator.errors import OrchestratorError
from orchestrator.ledger.excess import Excess, Outcome, SiteContext
from orchestrator.reason import Reason

log = logging.getLogger(__name__)

FILE_NAME: Final = "ledger.sqlite3"
APPLICATION_ID: Final = 0x6F6C6467  # "oldg"
SCHEMA_VERSION: Final = 1
MOST_ROWS: Final = 100_000
"""About 50 MB. Beyond it the oldest rows go, whatever their age."""
WAIT_FOR_LOCK_S: Final = 1.0

_SCHEMA: Final = f"""
CREATE TABLE excess (
    limit_name TEXT NOT NULL,
    began_at TEXT NOT NULL,
    duration_s REAL NOT NULL,
    peak_watts REAL NOT NULL,
    watt_hours REAL NOT NULL,
    limit_watts REAL NOT NULL,
    source TEXT NOT NULL,
    outcome TEXT NOT NULL,
    context TEXT NOT NULL,
    PRIMARY KEY (began_at, limit_name)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
_UPSERT: Final = """
INSERT INTO excess VALUES (:limit_name, :began_at, :duration_s, :peak_watts, :watt_hours, :limit_watts, :source,
    :outcome, :context)
ON CONFLICT DO UPDATE SET duration_s = excluded.duration_s, peak_watts = excluded.peak_watts,
    watt_hours = excluded.watt_hours, limit_watts = excluded.limit_watts, source = excluded.source,
    outcome = excluded.outcome, context = excluded.context
"""


class LedgerUnreadable(OrchestratorError):
    """The ledger cannot be read; the text says which file and why."""


class _Foreign(Exception):
    """The file is a database, and not our ledger."""


class LedgerFile:
    """The ledger, open for writing. For one thread; only one program may write it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, wall_now: datetime) -> LedgerFile:
        """Open or make the file. What was left open there by a program that was killed becomes `unseen`.

        A file that cannot be a ledger is set aside, and said. Raises OSError or sqlite3.Error where the folder cannot
        be written or the file is locked.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(_prepared(path))
        except (_Foreign, sqlite3.DatabaseError) as trouble:
            if isinstance(trouble, sqlite3.OperationalError):  # no right, no space, locked: the file may be fine
                raise
            _set_aside(path, wall_now, str(trouble))
        return cls(_prepared(path))

    def record(self, excesses: Sequence[Excess]) -> None:
        """Write rows, each in place of the one before with the same limit and begin. They are on disk on return.

        Raises sqlite3.Error.
        """
        with self._connection:
            self._connection.executemany(_UPSERT, [_row(excess) for excess in excesses])

    def prune(self, before: datetime, most_rows: int = MOST_ROWS) -> int:
        """Forget what began before, and what is beyond `most_rows`; how many rows that were. Raises sqlite3.Error."""
        with self._connection:
            old = self._connection.execute("DELETE FROM excess WHERE began_at < ?", (_utc_text(before),)).rowcount
            beyond = self._connection.execute(
                "DELETE FROM excess WHERE began_at < "
                "(SELECT began_at FROM excess ORDER BY began_at DESC LIMIT 1 OFFSET ?)",
                (most_rows - 1,),
            ).rowcount
        return old + beyond

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def read_excesses(path: Path, begin: datetime, end: datetime) -> list[Excess]:
    """The excesses that began from `begin` to before `end` (both with a time zone), oldest first.

    The orchestrator may go on writing meanwhile. No file is an empty ledger. Raises LedgerUnreadable.
    """
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            if _is_new(connection):
                return []
            if _number(connection, "application_id") != APPLICATION_ID:
                raise LedgerUnreadable(f"{path} is not a ledger of this program")
            rows = connection.execute(
                "SELECT limit_name, began_at, duration_s, peak_watts, watt_hours, limit_watts, source, outcome, context"
                " FROM excess WHERE began_at >= ? AND began_at < ? ORDER BY began_at, limit_name",
                (_utc_text(begin), _utc_text(end)),
            ).fetchall()
        return [_excess(row) for row in rows]
    except (sqlite3.Error, ValueError, TypeError, KeyError, ValidationError) as trouble:
        raise LedgerUnreadable(f"{path} cannot be read: {trouble}") from trouble


def _prepared(path: Path) -> sqlite3.Connection:
    """A connection to a ledger that is sound. Closed again where it is not."""
    connection = sqlite3.connect(path, timeout=WAIT_FOR_LOCK_S)
    try:
        _check(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        with connection:
            connection.execute("UPDATE excess SET outcome = ? WHERE outcome = ?", (Outcome.UNSEEN, Outcome.OPEN))
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Make the table in a new file; raise _Foreign or sqlite3.DatabaseError for a file that is no sound ledger."""
    application = _number(connection, "application_id")
    if _is_new(connection):
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        return
    if application != APPLICATION_ID:
        raise _Foreign("it is another program's database")
    if _number(connection, "user_version") != SCHEMA_VERSION:
        raise _Foreign("it was written by another version of this program")
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _Foreign(f"it is damaged: {verdict}")


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing was written yet: a file that is just being made, or whose maker was killed while making it."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables and _number(connection, "application_id") == 0


def _set_aside(path: Path, wall_now: datetime, reason: str) -> None:
    """Move the file, and what SQLite keeps beside it, to a name that says when it was found unusable."""
    aside = path.with_name(f"{path.name}.unusable-{wall_now:%Y%m%dT%H%M%S}")
    for suffix in ("", "-wal", "-shm", "-journal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    log.error("the ledger %s cannot be used (%s): it is kept as %s, and a new one is begun", path, reason, aside.name)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _utc_text(at: datetime) -> str:
    """RFC 3339 in UTC to the millisecond, always of one length: texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _row(excess: Excess) -> dict[str, Any]:
    return {
        "limit_name": excess.limit,
        "began_at": _utc_text(excess.began_at),
        "duration_s": excess.duration_s,
        "peak_watts": excess.peak_watts,
        "watt_hours": excess.watt_hours,
        "limit_watts": excess.limit_watts,
        "source": excess.source,
        "outcome": excess.outcome.value,
        "context": json.dumps(to_builtins(excess.context)),
    }


def _excess(row: Sequence[Any]) -> Excess:
    limit, began_at, duration_s, peak_watts, watt_hours, limit_watts, source, outcome, context = row
    return Excess(
        limit=limit,
        began_at=datetime.fromisoformat(began_at),
        limit_watts=limit_watts,
        source=source,
        duration_s=duration_s,
        peak_watts=peak_watts,
        watt_hours=watt_hours,
        outcome=Outcome(outcome),
        context=_context(context),
    )


def _context(text: str) -> SiteContext:
    """As it was written. Reasons of another version that cannot be read are left out: their words stay."""
    values = json.loads(text)
    why = values.pop("why", ())
    with contextlib.suppress(ValidationError):
        return replace(convert(values, SiteContext), why=convert(why, tuple[Reason, ...]))
    return convert(values, SiteContext)
