"""Move events from the embedded store to ClickHouse; what broke off is taken up where it stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, delete, insert, select

from consent_service.db.event_tables import (
    event_deletion,
    event_erasure,
    event_recent,
    event_watermark,
)
from consent_service.events.clickhouse import COLUMNS, read_ddl
from consent_service.events.clickhouse_server import Server, write_rows
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.outbox import keep_visits, remember
from consent_service.events.rows import EVENT_COLUMNS, VISIT_COLUMNS, read_visit
from consent_service.events.store import Row

ROWS_AT_ONCE: Final = 50_000
_TABLES: Final = ("event", "held_event")

# A site and a day, UTC.
Place = tuple[int, date]


class MoveError(Exception):
    """Tell why events cannot be moved, or were not; the embedded store is as before."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Tell how many events were moved now, how many were there already, and on how many days of sites they are."""

    events: int
    already: int
    days: int


@dataclass(frozen=True, slots=True)
class Move:
    """Hold both stores; nothing else may use either of them meanwhile."""

    source: DuckDBStore
    server: Server
    engine: Engine

    def count(self) -> int:
        """Give the number of events that are to be in ClickHouse in the end."""
        return sum(sum(self._source_counts(table).values()) for table in _TABLES)

    def run(self, progress: Callable[[int], None]) -> Moved:
        """Move everything, telling how many events each step dealt with; raises MoveError.

        Every day of every site is counted on both sides before anything but the events themselves is moved.
        """
        self._refuse_what_is_in_use()
        for statement in read_ddl(self.server.url.cluster):
            self.server.run(statement)
        moved = already = days = 0
        for table in _TABLES:
            wanted, present = self._source_counts(table), self._target_counts(table)
            days += len(wanted)
            already += sum(present.values())
            _refuse_more(wanted, present)
            progress(sum(present.values()))
            for month in sorted({day.replace(day=1) for _, day in wanted}):
                missing = {each for each in wanted if each[1].replace(day=1) == month and wanted[each] != present[each]}
                for rows in self._missing_rows(table, month, missing, present):
                    self.server.insert(table, COLUMNS[table], write_rows(rows))
                    moved += len(rows)
                    progress(len(rows))
            if (left := _difference(wanted, self._target_counts(table))) is not None:
                raise MoveError(f"after the move the numbers differ: {left}; try again")
        self._move_drops()
        self._move_state()
        return Moved(moved, already, days)

    def _refuse_what_is_in_use(self) -> None:
        with self.engine.connect() as connection:
            if connection.execute(select(event_watermark.c.inbox_id).limit(1)).first() is not None:
                raise MoveError("ClickHouse is in use already: what was erased there would come back from the file")

    def _source_counts(self, table: str) -> dict[Place, int]:
        sql = f"SELECT site_id, CAST(occurred_at AS DATE), count(*) FROM {table} GROUP BY ALL"  # noqa: S608
        return {(site_id, day): n for site_id, day, n in self.source.fetch(sql, []).rows}

    def _target_counts(self, table: str) -> dict[Place, int]:
        sql = f"SELECT site_id, toDate(occurred_at) AS day, count() FROM {table} GROUP BY site_id, day"  # noqa: S608
        found = {(site_id, day): n for site_id, day, n in self.server.fetch(sql).rows}
        return defaultdict(int, found)

    def _missing_rows(
        self, table: str, month: date, missing: set[Place], present: dict[Place, int]
    ) -> Iterator[list[Row]]:
        """Give the rows of a month that ClickHouse does not have, in lists of a bounded length."""
        if not missing:
            return
        there = {each: self._ids(table, each) for each in missing if present[each]}
        names = ", ".join(EVENT_COLUMNS)
        sql = f"SELECT {names} FROM {table} WHERE date_trunc('month', CAST(occurred_at AS DATE)) = $1"  # noqa: S608
        site, at, event_id = (EVENT_COLUMNS.index(name) for name in ("site_id", "occurred_at", "event_id"))
        kept: list[Row] = []
        for rows in self.source.stream(sql, [month], ROWS_AT_ONCE):
            for row in rows:
                place = (row[site], row[at].date())
                if place in missing and row[event_id] not in there.get(place, ()):
                    kept.append(row)
            if len(kept) >= ROWS_AT_ONCE:
                yield kept
                kept = []
        if kept:
            yield kept

    def _ids(self, table: str, place: Place) -> set[UUID]:
        where = "site_id = {p1:Int64} AND toDate(occurred_at) = {p2:Date}"
        sql = f"SELECT event_id FROM {table} WHERE {where}"  # noqa: S608
        return {row[0] for row in self.server.fetch(sql, list(place)).rows}

    def _move_drops(self) -> None:
        sql = "SELECT site_id, day, reason, n FROM drop_count"
        there = {row[:3] for row in self.server.fetch(sql).rows}
        rows = [row for row in self.source.fetch(sql, []).rows if row[:3] not in there]
        if rows:
            self.server.insert("drop_count", COLUMNS["drop_count"], write_rows(rows))

    def _move_state(self) -> None:
        """Move what goes beside the events in one transaction; with it the move is done."""
        read = self.source.fetch
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(delete(event_recent))
            sql = "SELECT site_id, event_id, received_at FROM recent_event"
            for rows in self.source.stream(sql, [], ROWS_AT_ONCE):
                remember(connection, rows)
            visits = read(f"SELECT {', '.join(VISIT_COLUMNS)} FROM open_visit", []).rows  # noqa: S608
            keep_visits(connection, [read_visit(row) for row in visits])
            for table, sql in (
                (event_erasure, "SELECT erasure_id, events, erased_at, true AS is_settled FROM erasure_count"),
                (event_deletion, "SELECT 1 AS deletion, deleted_at FROM deletion"),
                (event_watermark, "SELECT inbox_id, last_seq FROM watermark"),
            ):
                found = read(sql, [])
                connection.execute(delete(table))
                values: list[dict[str, Any]] = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
                if values:
                    connection.execute(insert(table), values)


def _refuse_more(wanted: dict[Place, int], present: dict[Place, int]) -> None:
    for place, n in present.items():
        if n > wanted.get(place, 0):
            raise MoveError(
                f"ClickHouse holds {n} events of site {place[0]} on {place[1]} where the file holds "
                f"{wanted.get(place, 0)}; name an empty database"
            )


def _difference(wanted: dict[Place, int], present: dict[Place, int]) -> str | None:
    for (site_id, day), n in wanted.items():
        if present[site_id, day] != n:
            return f"{present[site_id, day]} of {n} events of site {site_id} on {day}"
    return None
