"""Keep in PostgreSQL what must change together with events in ClickHouse, and the rows on their way there.

A batch is decided in one transaction: which events are new, their visits, the watermarks, and the rows to be sent. Only
then are they sent, under a token; whatever fails after the commit, the same bytes are sent again under the same token,
and ClickHouse stores them once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Engine,
    Uuid,
    any_,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)

from consent_service.db.event_tables import (
    event_deletion,
    event_erasure,
    event_held,
    event_outbox,
    event_recent,
    event_visit,
    event_watermark,
)
from consent_service.db.upsert import insert_missing, upsert
from consent_service.events.clickhouse_server import write_rows
from consent_service.events.rows import (
    VISIT_COLUMNS,
    find_held,
    first_of_each,
    read_visit,
    row_values,
    visit_values,
)
from consent_service.events.schema import REMEMBER_ERASURES_FOR, REMEMBER_IDS_FOR, Batch, EventRow
from consent_service.events.visits import JOINABLE_FOR, Visit, assign
from consent_service.ids import new_id

# The tables that a batch has rows for, in the order in which they are sent.
SENT_TABLES: Final = ("event", "held_event", "drop_count")
# How many columns of a visit come before its attributes, which are one column here.
_SPAN: Final = len(event_visit.c) - 1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Hold rows on their way: for each table its rows as they are sent."""

    token: str
    bodies: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Keep the state of an event store in the main database, which is PostgreSQL."""

    engine: Engine
    new_visit_id: Callable[[], int]

    def watermark(self, inbox_id: str) -> int:
        """Give the last sequence number of the inbox that is decided on, 0 when there is none."""
        query = select(event_watermark.c.last_seq).where(event_watermark.c.inbox_id == inbox_id)
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def put(self, batch: Batch, now: datetime) -> tuple[Outgoing, int]:
        """Decide on a batch in one transaction; gives what is to be sent, and how many of its events are new."""
        with self.engine.begin() as connection:
            fresh = _unknown(connection, batch.rows)
            bodies = _bodies(self._assigned(connection, fresh) if fresh else {}, batch)
            for inbox in batch.watermarks:
                upsert(connection, event_watermark, {"inbox_id": inbox.inbox_id, "last_seq": inbox.last_seq})
            # The id makes it this batch's alone: after a restore an inbox may count through the same numbers anew.
            token = ":".join([*(f"{each.inbox_id}:{each.last_seq}" for each in batch.watermarks), new_id()])
            if bodies:
                connection.execute(insert(event_outbox).values(token=token, made_at=now, **bodies))
            return Outgoing(token, bodies), len(fresh)

    def waiting(self) -> list[Outgoing]:
        """Give what is not known to have arrived, the oldest first."""
        query = select(event_outbox).order_by(event_outbox.c.made_at, event_outbox.c.token)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Outgoing(row["token"], {name: bytes(row[name]) for name in SENT_TABLES if row[name] is not None})
            for row in rows
        ]

    def settle(self, token: str) -> None:
        """Forget rows that have arrived."""
        with self.engine.begin() as connection:
            # If this commit is lost with the power the rows are sent again, which changes nothing.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(delete(event_outbox).where(event_outbox.c.token == token))

    def prune(self, now: datetime) -> None:
        """Forget what is of no more use: old ids, visits that no event can join any more, counts noted elsewhere."""
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            for column, before in (
                (event_recent.c.received_at, now - REMEMBER_IDS_FOR),
                (event_visit.c.last_at, now - JOINABLE_FOR),
                (event_erasure.c.erased_at, now - REMEMBER_ERASURES_FOR),
            ):
                connection.execute(delete(column.table).where(column < before))

    def forget(self, events: Collection[tuple[int, UUID]], visitors: Collection[tuple[int, int]]) -> None:
        """Forget events that are about to be erased, and their visitors' open visits."""
        with self.engine.begin() as connection:
            sites, ids = [site_id for site_id, _ in events], [event_id for _, event_id in events]
            gone = select(func.unnest(literal(sites, ARRAY(BigInteger))), func.unnest(literal(ids, ARRAY(Uuid))))
            connection.execute(
                delete(event_recent).where(tuple_(event_recent.c.site_id, event_recent.c.event_id).in_(gone))
            )
            for site_id, visitor_id in visitors:
                is_it = (event_visit.c.site_id == site_id, event_visit.c.visitor_id == visitor_id)
                connection.execute(delete(event_visit).where(*is_it))

    def begin_erasures(self, jobs: Mapping[str, str], counts: Mapping[str, int], now: datetime) -> None:
        """Note how many events each erasure is about to delete.

        One that was broken off is begun anew: what it noted is then gone or still there, so the larger number is kept.
        """
        with self.engine.begin() as connection:
            before = _erasures(connection, jobs)
            for erasure_id, receipt_id in jobs.items():
                events, is_settled = before.get(erasure_id, (0, True))
                count = counts.get(receipt_id, 0)
                total = events + count if is_settled else max(events, count)
                values = {"erasure_id": erasure_id, "events": total, "is_settled": False, "erased_at": now}
                upsert(connection, event_erasure, values)
            if any(counts.values()):
                insert_missing(connection, event_deletion, {"deletion": 1, "deleted_at": now})

    def settle_erasures(self, jobs: Iterable[str]) -> dict[str, int]:
        """Note that the events of erasures are deleted; gives how many each deleted, all runs of it together."""
        ids = list(jobs)
        with self.engine.begin() as connection:
            connection.execute(update(event_erasure).where(event_erasure.c.erasure_id.in_(ids)).values(is_settled=True))
            return {erasure_id: events for erasure_id, (events, _) in _erasures(connection, ids).items()}

    def note_deletion(self, now: datetime) -> None:
        """Note that bytes of deleted events may be on the disk from now on."""
        with self.engine.begin() as connection:
            insert_missing(connection, event_deletion, {"deletion": 1, "deleted_at": now})

    def deleted_at(self) -> datetime | None:
        """Tell since when bytes of deleted events may be on the disk."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.min(event_deletion.c.deleted_at))).scalar_one_or_none()

    def note_compaction(self) -> None:
        """Note that no bytes of deleted events are left, and let this database's own copies go."""
        with self.engine.begin() as connection:
            connection.execute(delete(event_deletion))
        # A deleted row's bytes stay in the file until it is written anew. Both are small.
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in (event_outbox, event_visit):
                connection.execute(text(f"VACUUM FULL {table.name}"))

    def hold(self, receipts: Collection[str], sites: Collection[int]) -> None:
        """Let exactly these be held from now on."""
        named: list[dict[str, Any]] = [{"site_id": None, "receipt_id": each} for each in receipts]
        named += [{"site_id": each, "receipt_id": None} for each in sites]
        with self.engine.begin() as connection:
            connection.execute(delete(event_held))
            if named:
                rows = [{"position": position, **row} for position, row in enumerate(named)]
                connection.execute(insert(event_held), rows)

    def remembers(self) -> bool:
        """Tell whether any event's id is remembered."""
        with self.engine.connect() as connection:
            return connection.execute(select(event_recent.c.site_id).limit(1)).first() is not None

    def recall(self, chunks: Iterable[Sequence[Sequence[Any]]]) -> None:
        """Remember events that are stored already, by site, id and time: all of them or none."""
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            for chunk in chunks:
                remember(connection, chunk)

    def _assigned(self, connection: Connection, rows: list[EventRow]) -> dict[str, list[tuple[Any, ...]]]:
        """Give the values of rows, each with its visit, by the table they belong to."""
        columns = (event_visit.c[name] for name in VISIT_COLUMNS[:_SPAN])
        visitors = literal(list({row.grant.visitor_id for row in rows}), ARRAY(BigInteger))
        query = select(*columns, event_visit.c.attributes).where(event_visit.c.visitor_id == any_(visitors))
        known = [read_visit((*span, *attributes)) for *span, attributes in connection.execute(query)]
        assignment = assign(rows, known, self.new_visit_id)
        keep_visits(connection, assignment.changed)
        remember(connection, [(row.grant.site_id, row.event_id, row.received_at) for row in rows])
        held = connection.execute(select(event_held.c.site_id, event_held.c.receipt_id)).all()
        is_held = find_held([(row.site_id, row.receipt_id) for row in held], rows)
        values: dict[str, list[tuple[Any, ...]]] = {"event": [], "held_event": []}
        for row, visit, is_row_held in zip(rows, assignment.visits, is_held, strict=True):
            values["held_event" if is_row_held else "event"].append(row_values(row, visit))
        return values


def _bodies(values: Mapping[str, list[tuple[Any, ...]]], batch: Batch) -> dict[str, bytes]:
    drops = [(*key, n) for key, n in batch.drops.items()]
    return {name: write_rows(rows) for name, rows in {**values, "drop_count": drops}.items() if rows}


def _unknown(connection: Connection, rows: Sequence[EventRow]) -> list[EventRow]:
    first = first_of_each(rows)
    if first:
        ids = literal([event_id for _, event_id in first], ARRAY(Uuid))
        query = select(event_recent.c.site_id, event_recent.c.event_id).where(event_recent.c.event_id == any_(ids))
        for site_id, event_id in connection.execute(query):
            first.pop((site_id, event_id), None)
    return list(first.values())


def remember(connection: Connection, ids: Sequence[Sequence[Any]]) -> None:
    """Remember events by site, id and time of arrival, none of which is remembered yet."""
    _copy(connection, "event_recent (site_id, event_id, received_at)", ids)


def keep_visits(connection: Connection, visits: Sequence[Visit]) -> None:
    """Keep visits as they are now."""
    ids = literal([visit.visit_id for visit in visits], ARRAY(BigInteger))
    connection.execute(delete(event_visit).where(event_visit.c.visit_id == any_(ids)))
    rows = [(*values[:_SPAN], orjson.dumps(values[_SPAN:]).decode()) for values in map(visit_values, visits)]
    _copy(connection, f"event_visit ({', '.join(VISIT_COLUMNS[:_SPAN])}, attributes)", rows)


def _copy(connection: Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows as PostgreSQL takes them fastest; part of the connection's transaction."""
    if rows:
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _erasures(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
    columns = (event_erasure.c.erasure_id, event_erasure.c.events, event_erasure.c.is_settled)
    query = select(*columns).where(event_erasure.c.erasure_id.in_(list(ids)))
    return {erasure_id: (events, is_settled) for erasure_id, events, is_settled in connection.execute(query)}
