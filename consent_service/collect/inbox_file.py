"""Keep an inbox in a file: open it, read it, and know when it is damaged."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

BUSY_TIMEOUT_SECONDS: Final = 10.0
# The low byte of SQLite's extended codes.
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS inbox (inbox_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS item (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body BLOB NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Item:
    """Hold one row of an inbox: accepted events (`events`) or counts of refusals and drops (`counts`)."""

    seq: int
    kind: str
    body: dict[str, Any]


Count = tuple[int, date, str]


class InboxError(Exception):
    """Tell that an inbox cannot be read at present."""


class InboxDamaged(InboxError):
    """Tell that the file of an inbox holds something else than was written."""


def open_inbox(path: Path) -> sqlite3.Connection:
    """Open an inbox file so that a commit survives a power cut (WAL, synchronous=FULL)."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    # Keeper and worker may open a new file at the same moment. Leaving the rollback journal needs the file alone, and
    # SQLite does not wait for that; once one of them did it, it is done for both.
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while not _is_write_ahead(connection) and time.monotonic() < deadline:
        time.sleep(0.005)
    for pragma in ("synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        connection.execute(statement)
    if connection.execute("SELECT count(*) FROM inbox").fetchone()[0] == 0:
        connection.execute("INSERT INTO inbox VALUES (?)", (uuid4().hex,))
    connection.execute("COMMIT")
    return connection


def _is_write_ahead(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute("PRAGMA journal_mode=WAL").fetchall() == [("wal",)]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False


def inbox_files(directory: Path) -> list[Path]:
    """Give every inbox that may be read, of living and of dead processes."""
    return [path for path in sorted(directory.glob("inbox-*.sqlite")) if not damage_mark(path).exists()]


def damaged_files(directory: Path) -> list[str]:
    """Name the inboxes that nobody reads or writes any more because they are damaged."""
    return [path.name for path in sorted(directory.glob("inbox-*.sqlite")) if damage_mark(path).exists()]


def damage_mark(path: Path) -> Path:
    """Name the file whose presence says that an inbox is damaged: its writer goes on in another one."""
    return path.with_name(f"{path.name}.damaged")


class InboxReader:
    """Read one inbox for the keeper and delete what is stored.

    Every method raises InboxDamaged when the file holds something else than was written, and InboxError when it
    cannot be read at present: it is busy, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Whether what was read last ended at a row that cannot be read; those before it are given first.
        self.is_damaged = False
        with self._reading():
            self._connection = open_inbox(path)
            self.inbox_id: str = self._connection.execute("SELECT inbox_id FROM inbox").fetchone()[0]

    def items(self, after: int, limit: int) -> list[Item]:
        """Give up to `limit` rows with a higher number than `after`, oldest first; fewer where damage follows."""
        return self._read("SELECT seq, kind, body FROM item WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)

    def newest(self, after: int, before: int, limit: int) -> list[Item]:
        """Give up to `limit` rows between two numbers, newest first: from this end are found those behind damage."""
        between = "SELECT seq, kind, body FROM item WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?"
        return self._read(between, after, before, limit)

    def last(self) -> int:
        """Give the number of the newest row that waits, 0 when none does."""
        with self._reading():
            return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM item").fetchone()[0])

    def delete_through(self, seq: int) -> None:
        """Delete every row up to a number; the bytes are overwritten (secure_delete)."""
        with self._reading():
            self._connection.execute("DELETE FROM item WHERE seq <= ?", (seq,))

    def shrink(self) -> None:
        """Empty the write-ahead log, so that no deleted row stays readable in it."""
        with self._reading():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def copy(self, path: Path) -> None:
        """Copy what waits, under the same id, into a new file."""
        with self._reading():
            target = sqlite3.connect(path)
            try:
                self._connection.backup(target)
            finally:
                target.close()
        path.chmod(0o600)

    def depth(self) -> tuple[int, str | None]:
        """Give how many rows wait, and when the oldest batch of events was received (ISO 8601)."""
        first = "SELECT seq, kind, body FROM item WHERE kind = 'events' ORDER BY seq LIMIT 1"
        with self._reading():
            rows = self._connection.execute("SELECT count(*) FROM item").fetchone()[0]
        return rows, next((item.body["received_at"] for item in self._read(first)), None)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _read(self, statement: str, *values: int) -> list[Item]:
        found: list[Item] = []
        self.is_damaged = False
        try:
            with self._reading():
                for seq, kind, body in self._connection.execute(statement, values):
                    found.append(Item(seq, kind, _checked(kind, orjson.loads(body))))
        except InboxDamaged:
            self.is_damaged = True
            if not found:
                raise
        return found

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind = InboxDamaged if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE else InboxError
            raise kind(str(error)) from error
        except (ValueError, TypeError) as error:
            raise InboxDamaged(f"a row is not what was written ({type(error).__name__})") from error


def _checked(kind: str, body: Any) -> dict[str, Any]:
    """Give the body of a row; raises TypeError when it does not have its kind's members."""
    match kind, body:
        case "events", {"grant": {}, "received_at": str(), "events": list()}:
            return dict(body)
        case "counts", {"counts": list()}:
            return dict(body)
    raise TypeError(kind)


def count_items(item: Item) -> Iterator[tuple[Count, int]]:
    """Read the counts of a `counts` row."""
    for site_id, day, reason, n in item.body["counts"]:
        yield (site_id, date.fromisoformat(day), reason), n
