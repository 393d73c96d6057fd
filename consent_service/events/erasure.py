"""Delete rows for good reason: an erasure of receipts, or the end of a retention period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import duckdb

_COUNT = """
    SELECT receipt_id, count(*) FROM event WHERE receipt_id IN (SELECT unnest($1::UUID[])) GROUP BY receipt_id
"""

# In this order: the first two find their rows through the events that the last one deletes.
_ERASE = (
    """
    DELETE FROM recent_event WHERE (site_id, event_id) IN (
        SELECT (site_id, event_id) FROM event WHERE receipt_id IN (SELECT unnest($1::UUID[])))
    """,
    """
    DELETE FROM open_visit WHERE (site_id, visitor_id) IN (
        SELECT (site_id, visitor_id) FROM event WHERE receipt_id IN (SELECT unnest($1::UUID[])))
    """,
    "DELETE FROM event WHERE receipt_id IN (SELECT unnest($1::UUID[]))",
)

_RETAIN = """
    DELETE FROM event WHERE rowid IN (
        SELECT rowid FROM event WHERE site_id = $1 AND occurred_at < $2 LIMIT $3)
"""


def erase(connection: duckdb.DuckDBPyConnection, receipt_ids: Sequence[str]) -> dict[str, int]:
    """Delete in the running transaction all that belongs to the receipts; count event rows per receipt."""
    counts = dict.fromkeys(receipt_ids, 0)
    receipts = [UUID(hex=receipt_id) for receipt_id in counts]
    for receipt, count in connection.execute(_COUNT, [receipts]).fetchall():
        counts[receipt.hex] = count
    for statement in _ERASE:
        connection.execute(statement, [receipts]).fetchall()
    return counts


def retain(connection: duckdb.DuckDBPyConnection, site_id: int, before: datetime, limit: int) -> int:
    """Delete in the running transaction at most `limit` events that occurred before a time; count them."""
    [(count,)] = connection.execute(_RETAIN, [site_id, before, limit]).fetchall()
    return int(count)
