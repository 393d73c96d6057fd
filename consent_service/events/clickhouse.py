"""Keep events in ClickHouse, and in PostgreSQL what must change together with them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.sql.elements import ClauseElement

from consent_service.events import clickhouse_dialect
from consent_service.events.clickhouse_server import Server, write_rows
from consent_service.events.outbox import SENT_TABLES, Outbox, Outgoing
from consent_service.events.rows import EVENT_COLUMNS
from consent_service.events.schema import REMEMBER_IDS_FOR, Batch, drop_count
from consent_service.events.store import CompactionResult, EventStoreError, Row, Rows
from consent_service.events_url import EventsUrl

_PRUNE_EVERY: Final = timedelta(hours=1)
# The server removes parts that are of no more use every few seconds.
_PARTS_SECONDS: Final = 120.0
IDS_AT_ONCE: Final = 50_000
# A month in which nothing can have occurred.
_NO_PARTITION: Final = 190001
COLUMNS: Final = {
    "event": EVENT_COLUMNS,
    "held_event": EVENT_COLUMNS,
    "drop_count": [column.name for column in drop_count.columns],
}
_EVENT_TABLES: Final = ("event", "held_event")
_IS_ERASED: Final = "receipt_id IN (SELECT receipt_id FROM erasing)"
_IS_HELD: Final = """
    (receipt_id IN (SELECT receipt_id FROM held WHERE receipt_id IS NOT NULL)
     OR site_id IN (SELECT site_id FROM held WHERE site_id IS NOT NULL))
"""
_OLD: Final = """
    site_id = {p1:Int64} AND has({p2:Array(Int64)}, toInt64(policy_version)) AND occurred_at < {p3:DateTime64(6, 'UTC')}
"""


class ClickHouseStore:
    """Store events on a ClickHouse server or cluster; one writer, any number of readers anywhere.

    A batch is whole or absent: it is decided in PostgreSQL and sent until it has arrived, once. While the server is
    away every method raises EventStoreError, and what waits stays in the inboxes.
    """

    def __init__(self, url: EventsUrl, engine: Engine) -> None:
        self._server = Server(url)
        self._outbox = Outbox(engine, lambda: secrets.randbits(63))
        self._on = f" ON CLUSTER {url.cluster}" if url.cluster else ""
        self._cluster = url.cluster
        self._write_lock = Lock()
        self._is_prepared = False
        self._has_sent_all = False
        self._pruned_at: datetime | None = None

    def apply(self, batch: Batch, now: datetime) -> int:
        """Store a batch, each event id of a site once in eight days; count the rows that are new."""
        with self._writing():
            outgoing, stored = self._outbox.put(batch, now)
            self._send(outgoing)
            if self._pruned_at is None or now - self._pruned_at >= _PRUNE_EVERY:
                self._outbox.prune(now)
                self._pruned_at = now
            return stored

    def watermark(self, inbox_id: str) -> int:
        """Give the last sequence number of the inbox that is stored, 0 when there is none."""
        with self._write_lock:
            # Read where ClickHouse is away too, unless something is on its way: what is decided counts as stored then.
            if not self._has_sent_all:
                self._send_waiting()
            return self._outbox.watermark(inbox_id)

    def erase(self, jobs: Mapping[str, str], now: datetime) -> dict[str, int]:
        """Delete the rows, open visits and remembered ids of receipts; `jobs` gives them by the id of the erasure.

        Gives the rows that each erasure deleted. A job that is done again gives what it deleted the first time too.
        """
        receipts = sorted(set(jobs.values()))
        if not receipts:
            return {}
        with self._writing(everything=True):
            self._server.insert("erasing", ["receipt_id"], write_rows([UUID(hex=each)] for each in receipts))
            self._await_copies("erasing")
            counts = self._count_erased()
            # Noted before they go: a process that dies in between finds what it was about to delete.
            self._outbox.begin_erasures(jobs, counts, now)
            self._outbox.forget(*self._find_erased(now))
            if self._cluster or any(counts.values()):
                for table in _EVENT_TABLES:
                    self._delete(table, _IS_ERASED)
            return self._outbox.settle_erasures(jobs)

    def restrict(self, receipts: Collection[str], sites: Collection[int]) -> int:
        """Let exactly these receipts, and these sites as a whole, be held: out of what `fetch` and `stream` read.

        Holds for what `apply` stores from then on too. Gives how many events went out of sight or came back.
        """
        held = [(None, UUID(hex=each)) for each in receipts] + [(each, None) for each in sites]
        with self._writing(everything=True):
            self._outbox.hold(receipts, sites)
            self._server.run(f"TRUNCATE TABLE held{self._on} SYNC")
            if held:
                self._server.insert("held", ["site_id", "receipt_id"], write_rows(held))
                self._await_copies("held")
            return self._move("event", "held_event", _IS_HELD) + self._move("held_event", "event", f"NOT {_IS_HELD}")

    def retain(self, site_id: int, policy_versions: Sequence[int], before: datetime, limit: int, now: datetime) -> int:
        """Delete the site's events under some policy versions that occurred before a time: all of them at once.

        Gives how many were deleted. A mutation costs the same for few rows as for many, so `limit` is not looked at.
        """
        with self._writing(everything=True):
            count = self._count_old(site_id, policy_versions, before)
            if count:
                self._outbox.note_deletion(now)
                self._delete("event", _OLD, [site_id, list(policy_versions), before])
            return count

    def count_before(self, site_id: int, policy_versions: Sequence[int], before: datetime) -> int:
        """Count the site's events under some policy versions that occurred before a time."""
        return self._count_old(site_id, policy_versions, before)

    def deleted_at(self) -> datetime | None:
        """Tell since when bytes of deleted events may be on the disk; None when there are none."""
        return self._outbox.deleted_at()

    def compact(self) -> CompactionResult:
        """Rewrite what holds deleted rows, so that their bytes leave the disk; who asks meanwhile is answered."""
        with self._writing(everything=True):
            started, before = time.monotonic(), self._size()
            for table in _EVENT_TABLES:
                settings = {"mutations_sync": 2, "alter_sync": 2}
                self._server.run(f"ALTER TABLE {self._local(table)}{self._on} APPLY DELETED MASK", settings)
            # Only now may the ids go: a mutation that a server has not finished reads them.
            self._server.run(f"TRUNCATE TABLE erasing{self._on} SYNC")
            self._await_removal()
            self._outbox.note_compaction()
            return CompactionResult(before, self._size(), time.monotonic() - started)

    def copy(self, path: Path) -> None:
        """Copy nothing: ClickHouse is backed up by its own means, and PostgreSQL's part with the main database."""

    def compile(self, statement: ClauseElement) -> tuple[str, list[Any]]:
        """Write a statement as text and values that `fetch` and `stream` take."""
        return clickhouse_dialect.compile_statement(statement)

    def fetch(self, sql: str, params: Sequence[Any]) -> Rows:
        """Run a compiled statement and give every row."""
        return self._prepared().fetch(sql, params)

    def stream(self, sql: str, params: Sequence[Any], chunk: int) -> Iterator[list[Row]]:
        """Run a compiled statement and give its rows in lists of at most `chunk`."""
        return self._prepared().stream(sql, params, chunk)

    def close(self) -> None:
        """Let go of the connections; closing twice is fine."""
        self._server.close()

    @contextmanager
    def _writing(self, *, everything: bool = False) -> Iterator[None]:
        """Let one thread write at a time, after what waits to be sent; `everything`: other keepers' batches too."""
        with self._write_lock:
            self._prepared()
            if everything or not self._has_sent_all:
                self._send_waiting()
            yield

    def _send_waiting(self) -> None:
        for outgoing in self._outbox.waiting():
            self._send(outgoing)
        self._has_sent_all = True

    def _send(self, outgoing: Outgoing) -> None:
        self._has_sent_all = False
        for table in SENT_TABLES:
            if body := outgoing.bodies.get(table):
                self._prepared().insert(table, COLUMNS[table], body, outgoing.token)
        if outgoing.bodies:
            self._outbox.settle(outgoing.token)
        self._has_sent_all = True

    def _prepared(self) -> Server:
        """Give the server once its tables are there."""
        if not self._is_prepared:
            for statement in read_ddl(self._cluster):
                self._server.run(statement)
            self._recall()
            self._is_prepared = True
        return self._server

    def _recall(self) -> None:
        """Remember the events that are stored already, where a restore or a move has left no memory of them."""
        if self._outbox.remembers():
            return
        (newest,) = self._server.fetch("SELECT max(received_at) FROM event").rows[0]
        if newest is not None:
            sql = " UNION DISTINCT ".join(
                f"SELECT site_id, event_id, received_at FROM {table} WHERE received_at >= {{p1:DateTime64(6, 'UTC')}}"  # noqa: S608
                for table in _EVENT_TABLES
            )
            self._outbox.recall(self._server.stream(sql, [newest - REMEMBER_IDS_FOR], IDS_AT_ONCE))

    def _local(self, table: str) -> str:
        """Name the table of each server itself; under its plain name a cluster is asked as a whole."""
        return f"{table}_local" if self._cluster and table in COLUMNS else table

    def _delete(self, table: str, condition: str, params: Sequence[Any] = ()) -> None:
        sql = f"DELETE FROM {self._local(table)}{self._on} WHERE {condition}"  # noqa: S608 - this module's own
        # Every server has the ids it needs before this is said to any, so the subquery gives the same everywhere.
        settings = {"lightweight_deletes_sync": 2, "mutations_sync": 2, "allow_nondeterministic_mutations": 1}
        self._server.run(sql, settings, params)

    def _count_erased(self) -> dict[str, int]:
        """Count by receipt the events that are about to be erased, without naming any receipt to the server."""
        counts: dict[str, int] = {}
        for table in _EVENT_TABLES:
            sql = f"SELECT receipt_id, count() FROM {table} WHERE {_IS_ERASED} GROUP BY receipt_id"  # noqa: S608
            for receipt, count in self._server.fetch(sql).rows:
                counts[receipt.hex] = counts.get(receipt.hex, 0) + count
        return counts

    def _find_erased(self, now: datetime) -> tuple[set[tuple[int, UUID]], set[tuple[int, int]]]:
        """Give the ids that are still remembered, and the visitors, of the events that are about to be erased."""
        events: set[tuple[int, UUID]] = set()
        visitors: set[tuple[int, int]] = set()
        for table in _EVENT_TABLES:
            recent = f"received_at >= {{p1:DateTime64(6, 'UTC')}} AND {_IS_ERASED}"
            sql = f"SELECT site_id, event_id FROM {table} WHERE {recent}"  # noqa: S608
            events.update((row[0], row[1]) for row in self._server.fetch(sql, [now - REMEMBER_IDS_FOR]).rows)
            sql = f"SELECT DISTINCT site_id, visitor_id FROM {table} WHERE {_IS_ERASED}"  # noqa: S608
            visitors.update((row[0], row[1]) for row in self._server.fetch(sql).rows)
        return events, visitors

    def _move(self, source: str, target: str, condition: str) -> int:
        """Move rows so that one that is broken off can be done again: what has arrived is not sent twice."""
        count = int(self._server.fetch(f"SELECT count() FROM {source} WHERE {condition}").rows[0][0])  # noqa: S608
        if count:
            names = ", ".join(EVENT_COLUMNS)
            arrived = f"SELECT site_id, event_id FROM {target}"  # noqa: S608
            self._server.run(
                f"INSERT INTO {target} ({names}) SELECT {names} FROM {source} "  # noqa: S608 - this module's own names
                f"WHERE {condition} AND (site_id, event_id) NOT IN ({arrived})",
                # The same rows may go to and fro: they must not be taken for an insert that is repeated.
                {"insert_deduplicate": 0},
            )
            self._delete(source, condition)
        return count

    def _count_old(self, site_id: int, policy_versions: Sequence[int], before: datetime) -> int:
        sql = f"SELECT count() FROM event WHERE {_OLD}"  # noqa: S608 - this module's own
        return int(self.fetch(sql, [site_id, list(policy_versions), before]).rows[0][0])

    def _await_copies(self, table: str) -> None:
        """Wait until every server of a cluster has what was inserted."""
        if self._cluster:
            self._server.run(f"SYSTEM SYNC REPLICA{self._on} {table}")

    def _await_removal(self) -> None:
        """Wait until the files of parts that were replaced are removed; raises EventStoreError."""
        deadline = time.monotonic() + _PARTS_SECONDS
        while self._parts("count()", "NOT active"):
            if time.monotonic() > deadline:
                raise EventStoreError("parts with deleted rows are still on ClickHouse's disk; it is tried again")
            # An idle server looks for such files twice a minute, and whenever a partition is dropped: none is here.
            for table in _EVENT_TABLES:
                self._server.run(f"ALTER TABLE {self._local(table)}{self._on} DROP PARTITION {_NO_PARTITION}")
            self._server.run(f"TRUNCATE TABLE erasing{self._on} SYNC")
            time.sleep(0.2)

    def _size(self) -> int:
        return self._parts("coalesce(sum(bytes_on_disk), 0)", "active")

    def _parts(self, what: str, condition: str) -> int:
        """Ask for the parts of all tables in which events, or the ids of erased ones, ever were."""
        parts = f"clusterAllReplicas({self._cluster}, system.parts)" if self._cluster else "system.parts"
        tables = (*(self._local(table) for table in _EVENT_TABLES), "erasing")
        sql = f"SELECT {what} FROM {parts} WHERE database = currentDatabase() AND table IN {tables} AND {condition}"  # noqa: S608
        return int(self._server.fetch(sql).rows[0][0])


def read_ddl(cluster: str | None) -> list[str]:
    """Give the statements that make the tables, those of a cluster with its name in them."""
    single = _read_statements("single.sql")
    if cluster is None:
        return single
    columns = single[0].partition("(\n")[2].partition("\n)\nENGINE")[0]
    filled = {"{cluster_name}": cluster, "{event_columns}": columns}
    statements = _read_statements("cluster.sql")
    for place, text in filled.items():
        statements = [statement.replace(place, text) for statement in statements]
    return statements


def _read_statements(name: str) -> list[str]:
    text = files("consent_service.events").joinpath("ddl", name).read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
