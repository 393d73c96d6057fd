"""Keep events in one DuckDB file that only this process opens."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

import duckdb
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ClauseElement

from consent_service.events import erasure, holding
from consent_service.events.dialect import DIALECT, compile_statement
from consent_service.events.drain import Writing
from consent_service.events.files import Files
from consent_service.events.schema import VISIT_ATTRIBUTES, Batch, events_metadata
from consent_service.events.store import (
    CompactionResult,
    EventStoreError,
    Row,
    Rows,
    StoreBusy,
    StoreUnavailable,
)
from consent_service.events.turns import Turns

_PRUNE_EVERY: Final = timedelta(hours=1)
CLOSE_SECONDS: Final = 10.0


class DuckDBStore:
    """Store events in one file: one writer at a time, any number of reading threads that never block it.

    A transaction is whole or absent after a crash. `compact` turns everyone away while it swaps the file.
    """

    def __init__(self, path: Path | str, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        self._files = Files(Path(path), memory_limit, threads)
        self._turns = Turns()
        self._write_lock = Lock()
        self._streams: set[duckdb.DuckDBPyConnection] = set()
        self._pruned_at: datetime | None = None
        self._files.tidy()
        self._connection: duckdb.DuckDBPyConnection | None = self._files.open()
        _create(self._connection)

    def apply(self, batch: Batch, now: datetime) -> int:
        """Store a batch in one transaction, each event id of a site once in eight days; count the rows that are new."""
        with self._transaction() as connection:
            writing = Writing(connection, lambda: secrets.randbits(63))
            stored = writing.store(batch)
            if self._pruned_at is None or now - self._pruned_at >= _PRUNE_EVERY:
                writing.prune(now)
                self._pruned_at = now
            return stored

    def watermark(self, inbox_id: str) -> int:
        """Give the last sequence number of the inbox that is stored, 0 when there is none."""
        found = self.fetch("SELECT last_seq FROM watermark WHERE inbox_id = $1", [inbox_id]).rows
        return int(found[0][0]) if found else 0

    def erase(self, jobs: Mapping[str, str], now: datetime) -> dict[str, int]:
        """Delete the rows, open visits and remembered ids of receipts; `jobs` gives them by the id of the erasure.

        Gives the rows that each erasure deleted. A job that is done again gives what it deleted the first time too.
        """
        with self._transaction() as connection:
            return erasure.erase(connection, jobs, now)

    def restrict(self, receipts: Collection[str], sites: Collection[int]) -> int:
        """Let exactly these receipts, and these sites as a whole, be held: out of what `fetch` and `stream` read.

        Holds for what `apply` stores from then on too. Gives how many events went out of sight or came back.
        """
        with self._transaction() as connection:
            return holding.restrict(connection, receipts, sites)

    def retain(self, site_id: int, policy_versions: Sequence[int], before: datetime, limit: int, now: datetime) -> int:
        """Delete at most `limit` of the site's events under some policy versions that occurred before a time.

        Gives how many were deleted.
        """
        with self._transaction() as connection:
            return erasure.retain(connection, site_id, policy_versions, before, limit, now)

    def count_before(self, site_id: int, policy_versions: Sequence[int], before: datetime) -> int:
        """Count the site's events under some policy versions that occurred before a time."""
        sql = """
            SELECT count(*) FROM event
            WHERE site_id = $1 AND policy_version IN (SELECT unnest($2::INTEGER[])) AND occurred_at < $3
        """
        return int(self.fetch(sql, [site_id, list(policy_versions), before]).rows[0][0])

    def deleted_at(self) -> datetime | None:
        """Tell since when bytes of deleted events may be on the disk; None when there are none."""
        found: datetime | None = self.fetch("SELECT min(deleted_at) FROM deletion", []).rows[0][0]
        return found

    def compact(self) -> CompactionResult:
        """Rewrite the store so that deleted bytes leave the disk; who asks meanwhile gets StoreBusy at once.

        A stream that is half read ends with StoreBusy at its next chunk.
        """
        with self._write_lock, self._turns.alone():
            started, before = time.monotonic(), self._files.size()
            try:
                self._shut()
                self._files.rewrite()
            except duckdb.Error as error:
                raise EventStoreError(f"the event store was not rewritten and is as before: {error}") from error
            finally:
                self._connection = self._files.open()
            return CompactionResult(before, self._files.size(), time.monotonic() - started)

    def copy(self, path: Path) -> None:
        """Copy the store as it stands into a new file; what writes waits meanwhile, what reads does not."""
        with self._write_lock, self._turns.shared():
            self._open()
            self._files.copy(path)

    def compile(self, statement: ClauseElement) -> tuple[str, list[Any]]:
        """Write a statement as text and values that `fetch` and `stream` take."""
        return compile_statement(statement)

    def fetch(self, sql: str, params: Sequence[Any]) -> Rows:
        """Run a compiled statement and give every row."""
        with self._turns.shared():
            try:
                with self._open().cursor() as cursor:
                    cursor.execute(sql, list(params))
                    columns = tuple(column[0] for column in cursor.description or ())
                    return Rows(columns, cursor.fetchall())
            except duckdb.Error as error:
                raise _failure(error) from error

    def stream(self, sql: str, params: Sequence[Any], chunk: int) -> Iterator[list[Row]]:
        """Run a compiled statement and give its rows in lists of at most `chunk`."""
        with self._turns.shared():
            cursor = self._open().cursor()
            self._streams.add(cursor)
        try:
            with self._reading(cursor):
                cursor.execute(sql, list(params))
            while True:
                with self._reading(cursor):
                    rows = cursor.fetchmany(chunk)
                if not rows:
                    return
                yield rows
        finally:
            self._streams.discard(cursor)
            cursor.close()

    def close(self) -> None:
        """Write everything down and let go of the files; closing twice is fine."""
        # A reader that does not end in time is left to the end of the process: what is committed is on disk.
        with suppress(StoreBusy), self._write_lock, self._turns.alone(CLOSE_SECONDS):
            if self._connection is not None:
                self._shut()
                self._files.tidy()

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreUnavailable("the event store is closed")
        return self._connection

    @contextmanager
    def _reading(self, stream: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with self._turns.shared():
            if stream not in self._streams:
                raise StoreBusy("the event store was rewritten meanwhile; ask again")
            try:
                yield
            except duckdb.Error as error:
                raise _failure(error) from error

    def _shut(self) -> None:
        """Close every connection: one that stays open keeps the old file, and its bytes, alive."""
        connection, self._connection = self._open(), None
        try:
            while self._streams:
                self._streams.pop().close()
            connection.execute("FORCE CHECKPOINT")
        finally:
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._write_lock, self._turns.shared():
            try:
                # A cursor that closes before it commits leaves nothing behind.
                with self._open().cursor() as cursor:
                    cursor.begin()
                    yield cursor
                    cursor.commit()
            except duckdb.Error as error:
                raise _failure(error) from error


def compact_copy(path: Path) -> None:
    """Rewrite a copy of a store, which nobody else opens, so that deleted bytes are not in it."""
    store = DuckDBStore(path)
    try:
        store.compact()
    finally:
        store.close()


def _failure(error: duckdb.Error) -> EventStoreError:
    """Wrap an error of the library without its text, in which values of rows may stand."""
    # After these the library does nothing more for this process.
    is_last = isinstance(error, (duckdb.FatalException, duckdb.InternalException))
    return (StoreUnavailable if is_last else EventStoreError)(f"the event store failed: {type(error).__name__}")


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    for table in events_metadata.sorted_tables:
        connection.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=DIALECT)))
    _add_texts(connection)


def _add_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Give an older file the attributes of a visit that came later; in its rows they are unknown, which is empty."""
    sql = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
    present = set(connection.execute(sql).fetchall())
    for table in events_metadata.sorted_tables:
        for name in (column.name for column in table.columns if column.name in VISIT_ATTRIBUTES):
            if (table.name, name) not in present:
                connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {name} TEXT DEFAULT ''")
