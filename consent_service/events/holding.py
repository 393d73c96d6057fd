"""Keep held events in a table of their own, where no query looks for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import duckdb

from consent_service.events.rows import find_held
from consent_service.events.schema import EventRow, event

_COLUMNS: Final = ", ".join(column.name for column in event.columns)
_IS_HELD: Final = """
    (receipt_id IN (SELECT receipt_id FROM held WHERE receipt_id IS NOT NULL)
     OR site_id IN (SELECT site_id FROM held WHERE site_id IS NOT NULL))
"""
_NAME_RECEIPTS: Final = "INSERT INTO held SELECT NULL, unnest($1::UUID[])"
_NAME_SITES: Final = "INSERT INTO held SELECT unnest($1::BIGINT[]), NULL"
# Each pair copies and then deletes what the first has copied; the second pair finds nothing that the first has moved.
_MOVES: Final = tuple(
    statement
    for source, target, condition in (("event", "held_event", _IS_HELD), ("held_event", "event", f"NOT {_IS_HELD}"))
    for statement in (
        f"INSERT INTO {target} ({_COLUMNS}) SELECT {_COLUMNS} FROM {source} WHERE {condition}",  # noqa: S608
        f"DELETE FROM {source} WHERE {condition}",  # noqa: S608 - all names are this module's own
    )
)


def restrict(connection: duckdb.DuckDBPyConnection, receipts: Collection[str], sites: Collection[int]) -> int:
    """Move in the running transaction what is held from now on, and back what no longer is; count the rows."""
    connection.execute("DELETE FROM held").fetchall()
    for statement, values in ((_NAME_RECEIPTS, [UUID(hex=each) for each in receipts]), (_NAME_SITES, list(sites))):
        if values:
            connection.execute(statement, [values]).fetchall()
    moved = 0
    for statement in _MOVES:
        [(count,)] = connection.execute(statement).fetchall()
        moved += count if statement.startswith("INSERT") else 0
    return int(moved)


def is_held(connection: duckdb.DuckDBPyConnection, rows: Collection[EventRow]) -> list[bool]:
    """Tell for each row whether it is of a receipt or a site that is held."""
    found = connection.execute("SELECT site_id, receipt_id FROM held").fetchall()
    return find_held([(site_id, None if each is None else each.hex) for site_id, each in found], rows)
