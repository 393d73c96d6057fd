"""Open the event store that the settings name, for the one process that writes to it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine

from consent_service.config import UNMOVED, Config
from consent_service.events.store import EventStore, StoreUnavailable

MEMORY_LIMIT: Final = "1GB"


def open_store(config: Config, engine: Engine, *, memory_limit: str = MEMORY_LIMIT) -> EventStore:
    """Open the file of the data directory, or connect to ClickHouse; raises StoreUnavailable with the mend.

    ClickHouse is first asked when something is to be done: one that is away is no reason not to start.
    """
    if config.events_url is None:
        from consent_service.events.duckdb import DuckDBStore

        return DuckDBStore(config.events_path, memory_limit=memory_limit)
    if config.has_unmoved_events:
        raise StoreUnavailable(f"{config.events_path} {UNMOVED}")
    from consent_service.events.clickhouse import ClickHouseStore

    return ClickHouseStore(config.events_url, engine)
