"""Insert rows that may be there already, the same way on SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; tells whether it was inserted."""
    result = connection.execute(_insert(connection, table).values(**values).on_conflict_do_nothing())
    return bool(result.rowcount)


def upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or replace what the one with its primary key says."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def add_to_counts(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add each row's `n` to the row with its primary key."""
    keys = [column.name for column in table.primary_key]
    sums: Counter[tuple[Any, ...]] = Counter()
    for values in rows:
        sums[tuple(values[key] for key in keys)] += values["n"]
    if not sums:
        return
    statement = _insert(connection, table)
    summed = {"n": table.c.n + statement.excluded.n}
    summing = statement.on_conflict_do_update(index_elements=keys, set_=summed)
    connection.execute(summing, [{**dict(zip(keys, values, strict=True)), "n": n} for values, n in sums.items()])


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
