"""Read the consent report and log of a site with a million decisions: `python -m bench.report`."""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, func, insert, literal, make_url, select, text

from bench.report_rows import Rows
from consent_service.consent.asked import count_before
from consent_service.consent.report import consent_by_day, list_decisions
from consent_service.consent.report_by import By, consent_by
from consent_service.db.engine import make_engine
from consent_service.db.migrate import upgrade
from consent_service.db.tables import decision, decision_count, receipt, site
from tests.postgres import URL_SETTING, find_programs, find_server, make_cluster

DECISIONS = int(os.environ.get("BENCH_DECISIONS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
BATCH = 10_000
ZONE = ZoneInfo("Europe/Paris")
LAST_DAY = date(2026, 11, 30)
FIRST_DAY = LAST_DAY - timedelta(days=364)
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PAGE = 500
COPIES = "ghijklmno"
DATABASES = sys.argv[1:] or ["sqlite", "postgresql"]


def main() -> None:
    """Print for each database how long a year took by each thing it is counted by, and a page of the log."""
    for name in DATABASES:
        with _database(name) as engine:
            started = time.monotonic()
            fill(engine, DECISIONS)
            print(f"{name}: {DECISIONS} decisions of a year, filled in {time.monotonic() - started:.0f} s", flush=True)
            for label, read in reads().items():
                with engine.connect() as connection:
                    taken = sorted(_seconds(read, connection) for _ in range(ROUNDS))
                shown = f"median {1000 * statistics.median(taken):.0f} ms, slowest {1000 * taken[-1]:.0f} ms"
                print(f"{name}: {label}: {shown}", flush=True)


def reads() -> dict[str, Callable[[Connection], Any]]:
    """Give what is read, by what it is called."""
    asked = (1, FIRST_DAY, LAST_DAY, ZONE, NOW)
    found: dict[str, Callable[[Connection], Any]] = {
        "a year by day": lambda connection: consent_by_day(connection, *asked)
    }
    for by in By:
        if by is not By.DAY:
            found[f"a year by {by}"] = lambda connection, by=by: consent_by(connection, *asked, by)  # type: ignore[misc]
    late = (NOW - timedelta(days=7), "")
    return {
        **found,
        "whom a new version asks again": lambda connection: count_before(connection, 1, 5, 5, NOW),
        "the log's first page": lambda connection: list_decisions(connection, 1, None, PAGE),
        "a late page of the log": lambda connection: list_decisions(connection, 1, late, PAGE),
    }


def fill(engine: Engine, count: int) -> None:
    """Write a site and its decisions, spread evenly over the year; the database copies a tenth of them nine times."""
    made = count // (len(COPIES) + 1)
    rows = Rows(random.Random(5), NOW - timedelta(days=365), timedelta(days=365) / made)
    with engine.begin() as connection:
        connection.execute(insert(site).values(site_id=1, key="benchbenchbe", settings={}, created_at=rows.start))
    for first in range(0, made, BATCH):
        with engine.begin() as connection:
            decisions, receipts = rows.take(first, min(BATCH, made - first))
            connection.execute(insert(decision), decisions)
            connection.execute(insert(receipt), receipts)
    for letter in COPIES:
        with engine.begin() as connection:
            for table, names in ((decision, ("decision_id", "receipt_id")), (receipt, ("receipt_id", "decision_id"))):
                _copy(connection, table, names, letter)
    with engine.begin() as connection:
        connection.execute(insert(decision_count), rows.refusals(1))
    # What either database does by itself in the course of a year.
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))
        else:
            connection.execute(text("ANALYZE"))
            connection.commit()


def _copy(connection: Connection, table: Table, names: tuple[str, ...], letter: str) -> None:
    """Copy the rows first made under other ids: no id that was made has these letters."""
    columns = [
        literal(letter).op("||")(func.substr(column, 2)).label(column.name) if column.name in names else column
        for column in table.columns
    ]
    first = table.c[names[0]].op("<")("g")
    connection.execute(
        insert(table).from_select([column.name for column in table.columns], select(*columns).where(first))
    )


def _seconds(read: Callable[[Connection], Any], connection: Connection) -> float:
    started = time.monotonic()
    found = read(connection)
    assert found
    return time.monotonic() - started


@contextmanager
def _database(name: str) -> Iterator[Engine]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            yield from _engine(f"sqlite:///{Path(directory) / 'consent.sqlite'}")
    elif server := os.environ.get(URL_SETTING) or find_server():
        yield from _in_new_database(server)
    elif programs := find_programs():
        cluster = make_cluster(programs)
        try:
            cluster.create()
            yield from _in_new_database(cluster.start())
        finally:
            cluster.stop()
    else:
        raise SystemExit(f"No PostgreSQL: set {URL_SETTING}")


def _in_new_database(server: str) -> Iterator[Engine]:
    name = f"bench_{random.randrange(10**9)}"
    control = make_engine(make_url(server))
    run = control.connect().execution_options(isolation_level="AUTOCOMMIT")
    run.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield from _engine(make_url(server).set(database=name).render_as_string(hide_password=False))
    finally:
        run.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        run.close()
        control.dispose()


def _engine(url: str) -> Iterator[Engine]:
    engine = make_engine(make_url(url))
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
