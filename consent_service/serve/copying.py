"""Copy the main database row by row, the same way from and to SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, func, insert, select, text, update

from consent_service.db.columns import metadata
from consent_service.db.engine import is_sqlite
from consent_service.db.event_tables import event_outbox, event_recent
from consent_service.db.tables import login, user
from consent_service.events.wire import WireError, decode, encode

ROWS_AT_ONCE: Final = 1_000
# Whoever was logged in logs in again: a restored login might be one that was ended since. What was on its way to
# ClickHouse has arrived, and the ids of its events are read from it anew.
_LEFT_OUT: Final = (login, event_outbox, event_recent)
TABLES: Final = tuple(table for table in metadata.sorted_tables if table not in _LEFT_OUT)


class RowsDamaged(Exception):
    """Tell that the rows of a table are not what was written."""


def begin_reading(connection: Connection) -> None:
    """Let everything that a connection reads from here on be of one moment."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def read_table(connection: Connection, table: Table) -> Iterator[bytes]:
    """Give the rows of a table, each as one line."""
    streamed = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
    for row in streamed.execute(select(table)):
        yield encode(list(row)) + b"\n"


def empty_all(connection: Connection) -> None:
    """Delete every row of every table in the running transaction (PostgreSQL; on SQLite a new file is made)."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    quoted = connection.dialect.identifier_preparer.format_table
    for table in metadata.sorted_tables:
        # The append-only triggers guard against everything but this: that an owner brings back an earlier whole.
        connection.execute(text(f"ALTER TABLE {quoted(table)} DISABLE TRIGGER USER"))
    names = ", ".join(quoted(table) for table in metadata.sorted_tables)
    connection.execute(text(f"TRUNCATE {names}"))
    for table in metadata.sorted_tables:
        connection.execute(text(f"ALTER TABLE {quoted(table)} ENABLE TRIGGER USER"))


def write_table(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert the lines that `read_table` gave; counts them. Raises RowsDamaged."""
    names = [column.name for column in table.columns]
    written, rest = 0, iter(lines)
    while part := list(islice(rest, ROWS_AT_ONCE)):
        try:
            rows = [dict(zip(names, decode(line), strict=True)) for line in part]
        except (WireError, TypeError, ValueError) as error:
            raise RowsDamaged(f"the rows of {table.name} are not what was written") from error
        connection.execute(insert(table), rows)
        written += len(rows)
    return written


def finish_writing(connection: Connection) -> None:
    """Let numbering go on after the rows, and end the one-time links, which may have been used since."""
    connection.execute(update(user).values(setup_hash=None, setup_expires_at=None))
    if connection.dialect.name != "postgresql":
        return
    quoted = connection.dialect.identifier_preparer.format_table
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        newest = connection.execute(select(func.max(column))).scalar()
        if newest is not None:
            named: dict[str, Any] = {"name": quoted(table), "column": column.name, "newest": newest}
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, :column), :newest)"), named)


def settle_file(engine: Engine) -> None:
    """Bring everything into the one file of a SQLite database."""
    if is_sqlite(engine):
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
