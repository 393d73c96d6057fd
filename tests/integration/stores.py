"""Event stores for tests that are to hold on every engine: `@pytest.fixture(params=STORES)`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consent_service.db.engine import make_engine
from consent_service.events.clickhouse import ClickHouseStore
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.store import EventStore
from consent_service.events_url import parse_events_url
from tests.clickhouse import ClickHouse

STORES = ("duckdb", "clickhouse")


@contextmanager
def opened_store(kind: str, directory: Path, request: pytest.FixtureRequest) -> Iterator[EventStore]:
    """Give an empty store of a kind; ClickHouse's state lies in the module's PostgreSQL, emptied before."""
    if kind == "duckdb":
        store: EventStore = DuckDBStore(directory / "events.duckdb", threads=1)
        yield store
        store.close()
        return
    server: ClickHouse = request.getfixturevalue("clickhouse")
    engine = make_engine(request.getfixturevalue("postgres_database"))
    with engine.begin() as connection:
        names = "event_watermark, event_recent, event_visit, event_outbox, event_erasure, event_deletion, event_held"
        connection.exec_driver_sql(f"TRUNCATE {names}")
    with server.database() as url:
        store = ClickHouseStore(parse_events_url(url), engine)
        yield store
        store.close()
    engine.dispose()
