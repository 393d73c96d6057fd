"""Delete rows for good reason: an erasure of receipts, or the end of a retention period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import duckdb

_OF_RECEIPTS = "receipt_id IN (SELECT unnest($1::UUID[]))"
# Held events too: whoever asks for the erasure of a receipt has seen to it that nothing holds it any more.
_TABLES = ("event", "held_event")

_COUNTS = tuple(f"SELECT receipt_id, count(*) FROM {each} WHERE {_OF_RECEIPTS} GROUP BY 1" for each in _TABLES)  # noqa: S608

# For each table in this order: the first two find their rows through the events that the last one deletes.
_ERASE = tuple(
    statement
    for each in _TABLES
    for statement in (
        f"""
        DELETE FROM recent_event WHERE (site_id, event_id) IN (
            SELECT (site_id, event_id) FROM {each} WHERE {_OF_RECEIPTS})
        """,  # noqa: S608
        f"""
        DELETE FROM open_visit WHERE (site_id, visitor_id) IN (
            SELECT (site_id, visitor_id) FROM {each} WHERE {_OF_RECEIPTS})
        """,  # noqa: S608
        f"DELETE FROM {each} WHERE {_OF_RECEIPTS}",  # noqa: S608 - all names are this module's own
    )
)

_ERASED_BEFORE = "SELECT erasure_id, events FROM erasure_count WHERE erasure_id IN (SELECT unnest($1::VARCHAR[]))"
_KEEP_COUNTS = """
    INSERT INTO erasure_count SELECT unnest($1::VARCHAR[]), unnest($2::BIGINT[]), $3
    ON CONFLICT (erasure_id) DO UPDATE SET events = excluded.events, erased_at = excluded.erased_at
"""

_RETAIN = """
    DELETE FROM event WHERE rowid IN (
        SELECT rowid FROM event
        WHERE site_id = $1 AND policy_version IN (SELECT unnest($2::INTEGER[])) AND occurred_at < $3 LIMIT $4)
"""
_NOTE = "INSERT INTO deletion SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM deletion)"


def erase(connection: duckdb.DuckDBPyConnection, jobs: Mapping[str, str], now: datetime) -> dict[str, int]:
    """Delete in the running transaction all that belongs to the jobs' receipts, as `EventStore.erase` says."""
    counts = dict.fromkeys(jobs.values(), 0)
    receipts = [UUID(hex=receipt_id) for receipt_id in counts]
    for statement in _COUNTS:
        for receipt, count in connection.execute(statement, [receipts]).fetchall():
            counts[receipt.hex] += count
    for statement in _ERASE:
        connection.execute(statement, [receipts]).fetchall()
    if any(counts.values()):
        connection.execute(_NOTE, [now]).fetchall()
    before = dict(connection.execute(_ERASED_BEFORE, [list(jobs)]).fetchall())
    erased = {erasure_id: before.get(erasure_id, 0) + counts[receipt_id] for erasure_id, receipt_id in jobs.items()}
    connection.execute(_KEEP_COUNTS, [list(erased), list(erased.values()), now]).fetchall()
    return erased


def retain(
    connection: duckdb.DuckDBPyConnection,
    site_id: int,
    policy_versions: Sequence[int],
    before: datetime,
    limit: int,
    now: datetime,
) -> int:
    """Delete in the running transaction at most `limit` events, as `EventStore.retain` says; count them."""
    [(count,)] = connection.execute(_RETAIN, [site_id, list(policy_versions), before, limit]).fetchall()
    if count:
        connection.execute(_NOTE, [now]).fetchall()
    return int(count)
