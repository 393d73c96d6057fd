"""Keep accepted events on disk until the keeper has stored them: an answer of 202 means fsynced here."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Final
from uuid import uuid4

import orjson

from consent_service.consent.gate import Grant, write_grant
from consent_service.errors import Unavailable
from consent_service.locks import Locked, take

GROUP_SIZE: Final = 500
MAX_SLOTS: Final = 256
# How long counts of refusals may wait for company before they are written on their own.
COUNT_DELAY_SECONDS: Final = 0.5
BUSY_TIMEOUT_SECONDS: Final = 10.0
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


class Inbox:
    """Write this process's inbox; one thread commits for all, so that many requests share one fsync.

    The file belongs to the process for as long as it lives (flock); another takes it over afterwards.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path, self._lock_file = _take_slot(directory)
        self._queue: SimpleQueue[tuple[bytes, Future[None]] | None] = SimpleQueue()
        self._counts: Counter[Count] = Counter()
        self._counts_lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="inbox-writer", daemon=True)
        self._thread.start()

    def append(self, grant: Grant, received_at: datetime, events: Sequence[dict[str, Any]]) -> None:
        """Keep events under their grant; they are on disk when this returns.

        Raises Unavailable when they cannot be written: nothing was kept then.
        """
        self.append_many([(grant, received_at, events)])

    def append_many(self, requests: Iterable[tuple[Grant, datetime, Sequence[dict[str, Any]]]]) -> None:
        """Keep the events of many requests; all of them are on disk when this returns. Raises like `append`."""
        waiting: list[Future[None]] = []
        for grant, received_at, events in requests:
            body = {
                "grant": write_grant(grant),
                "received_at": received_at.isoformat(),
                "events": list(events),
            }
            future: Future[None] = Future()
            self._queue.put((orjson.dumps(body), future))
            waiting.append(future)
        for future in waiting:
            future.result()

    def count(self, site_id: int, day: date, reason: str) -> None:
        """Count a refusal or a drop; it reaches the disk within a second, and nothing else is kept of it."""
        with self._counts_lock:
            self._counts[(site_id, day, reason)] += 1

    def close(self) -> None:
        """Write what waits, then let the file go."""
        self._queue.put(None)
        self._thread.join()
        self._lock_file.close()

    def _loop(self) -> None:
        connection: sqlite3.Connection | None = None
        is_last = False
        while not is_last:
            group, is_last = self._collect()
            counts = self._take_counts()
            if not group and not counts:
                continue
            try:
                connection = connection or open_inbox(self.path)
                _commit(connection, [body for body, _ in group], counts)
            except sqlite3.Error as error:
                self._give_counts_back(counts)
                if connection is not None:
                    connection.close()
                    connection = None
                _fail(group, error)
                continue
            for _, future in group:
                future.set_result(None)
        if connection is not None:
            connection.close()

    def _collect(self) -> tuple[list[tuple[bytes, Future[None]]], bool]:
        group: list[tuple[bytes, Future[None]]] = []
        try:
            item = self._queue.get(timeout=COUNT_DELAY_SECONDS)
            while item is not None:
                group.append(item)
                if len(group) >= GROUP_SIZE:
                    return group, False
                item = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _take_counts(self) -> Counter[Count]:
        with self._counts_lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def _give_counts_back(self, counts: Counter[Count]) -> None:
        with self._counts_lock:
            self._counts.update(counts)


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
    """Give every inbox there is, of living and of dead processes."""
    return sorted(directory.glob("inbox-*.sqlite"))


class InboxReader:
    """Read one inbox for the keeper, oldest first, and delete what is stored."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_inbox(path)
        self.inbox_id: str = self._connection.execute("SELECT inbox_id FROM inbox").fetchone()[0]

    def items(self, after: int, limit: int) -> list[Item]:
        """Give up to `limit` rows with a higher number than `after`."""
        rows = self._connection.execute(
            "SELECT seq, kind, body FROM item WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()
        return [Item(seq, kind, orjson.loads(body)) for seq, kind, body in rows]

    def last(self) -> int:
        """Give the number of the newest row that waits, 0 when none does."""
        return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM item").fetchone()[0])

    def delete_through(self, seq: int) -> None:
        """Delete every row up to a number; the bytes are overwritten (secure_delete)."""
        self._connection.execute("DELETE FROM item WHERE seq <= ?", (seq,))

    def shrink(self) -> None:
        """Empty the write-ahead log, so that no deleted row stays readable in it."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def depth(self) -> tuple[int, str | None]:
        """Give how many rows wait, and when the oldest batch of events was received (ISO 8601)."""
        row = self._connection.execute("SELECT count(*), min(seq) FROM item").fetchone()
        first = self._connection.execute("SELECT body FROM item WHERE kind = 'events' ORDER BY seq LIMIT 1").fetchone()
        return row[0], orjson.loads(first[0])["received_at"] if first else None

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()


def count_items(item: Item) -> Iterator[tuple[Count, int]]:
    """Read the counts of a `counts` row."""
    for site_id, day, reason, n in item.body["counts"]:
        yield (site_id, date.fromisoformat(day), reason), n


def _take_slot(directory: Path) -> tuple[Path, IO[str]]:
    for slot in range(MAX_SLOTS):
        try:
            lock_file = take(directory / f"inbox-{slot:03}.lock")
        except Locked:
            continue
        return directory / f"inbox-{slot:03}.sqlite", lock_file
    raise RuntimeError(f"all {MAX_SLOTS} inboxes of {directory} are in use")


def _commit(connection: sqlite3.Connection, bodies: Sequence[bytes], counts: Counter[Count]) -> None:
    rows = [("events", body) for body in bodies]
    if counts:
        listed = [[site_id, day.isoformat(), reason, n] for (site_id, day, reason), n in counts.items()]
        rows.append(("counts", orjson.dumps({"counts": listed})))
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT INTO item (kind, body) VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _fail(group: Sequence[tuple[bytes, Future[None]]], error: sqlite3.Error) -> None:
    for _, future in group:
        failure = Unavailable("the events cannot be written right now; send them again with the same ids")
        failure.__cause__ = error
        future.set_exception(failure)
