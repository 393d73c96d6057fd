"""Write a batch into the store within one transaction: duplicates, visits, rows, counts and watermarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb

from consent_service.events.holding import is_held
from consent_service.events.rows import (
    EVENT_COLUMNS,
    VISIT_COLUMNS,
    first_of_each,
    read_visit,
    row_values,
    visit_values,
)
from consent_service.events.schema import (
    REMEMBER_ERASURES_FOR,
    REMEMBER_IDS_FOR,
    Batch,
    EventRow,
)
from consent_service.events.visits import JOINABLE_FOR, assign

_KNOWN_IDS: Final = """
    SELECT site_id, event_id FROM recent_event WHERE event_id IN (SELECT unnest($1::UUID[]))
"""
_KNOWN_VISITS: Final = f"""
    SELECT {", ".join(VISIT_COLUMNS)} FROM open_visit WHERE visitor_id IN (SELECT unnest($1::BIGINT[]))
"""  # noqa: S608 - the names are this module's own
_COUNT_DROPS: Final = """
    INSERT INTO drop_count (site_id, day, reason, n) VALUES ($1, $2, $3, $4)
    ON CONFLICT (site_id, day, reason) DO UPDATE SET n = drop_count.n + excluded.n
"""
_MOVE_WATERMARK: Final = """
    INSERT INTO watermark (inbox_id, last_seq) VALUES ($1, $2)
    ON CONFLICT (inbox_id) DO UPDATE SET last_seq = excluded.last_seq
"""


@dataclass(frozen=True, slots=True)
class Writing:
    """Write within the running transaction of a connection; `new_id` makes ids of visits."""

    connection: duckdb.DuckDBPyConnection
    new_id: Callable[[], int]

    def store(self, batch: Batch) -> int:
        """Write the rows that are not there yet, the drops and the watermarks; count those rows."""
        fresh = self._unknown(batch.rows)
        if fresh:
            self._store_rows(fresh)
        for (site_id, day, reason), count in batch.drops.items():
            self.connection.execute(_COUNT_DROPS, [site_id, day, reason, count]).fetchall()
        for inbox in batch.watermarks:
            self.connection.execute(_MOVE_WATERMARK, [inbox.inbox_id, inbox.last_seq]).fetchall()
        return len(fresh)

    def prune(self, now: datetime) -> None:
        """Forget what is of no more use: old ids, visits that no event can join any more, counts noted elsewhere."""
        for statement, before in (
            ("DELETE FROM recent_event WHERE received_at < $1", now - REMEMBER_IDS_FOR),
            ("DELETE FROM open_visit WHERE last_at < $1", now - JOINABLE_FOR),
            ("DELETE FROM erasure_count WHERE erased_at < $1", now - REMEMBER_ERASURES_FOR),
        ):
            self.connection.execute(statement, [before]).fetchall()

    def _unknown(self, rows: Sequence[EventRow]) -> list[EventRow]:
        first = first_of_each(rows)
        if first:
            ids = [event_id for _, event_id in first]
            for known in self.connection.execute(_KNOWN_IDS, [ids]).fetchall():
                first.pop(known, None)
        return list(first.values())

    def _store_rows(self, rows: list[EventRow]) -> None:
        visitors = list({row.grant.visitor_id for row in rows})
        known = self.connection.execute(_KNOWN_VISITS, [visitors]).fetchall()
        assignment = assign(rows, map(read_visit, known), self.new_id)
        stored = zip(rows, assignment.visits, is_held(self.connection, rows), strict=True)
        tables: dict[str, list[tuple[Any, ...]]] = {"event": [], "held_event": []}
        for row, visit, is_row_held in stored:
            tables["held_event" if is_row_held else "event"].append(row_values(row, visit))
        for table, values in tables.items():
            if values:
                self._append(table, EVENT_COLUMNS, values)
        self._append(
            "recent_event",
            ["site_id", "event_id", "received_at"],
            ((row.grant.site_id, row.event_id, row.received_at) for row in rows),
        )
        if known:
            self.connection.execute(
                "DELETE FROM open_visit WHERE visit_id IN (SELECT unnest($1::BIGINT[]))",
                [[visit.visit_id for visit in assignment.changed]],
            ).fetchall()
        self._append("open_visit", VISIT_COLUMNS, map(visit_values, assignment.changed))

    def _append(self, table: str, columns: list[str], rows: Iterable[Sequence[Any]]) -> None:
        with self.connection.appender(table, columns=columns) as appender:
            appender.append_rows(rows)
