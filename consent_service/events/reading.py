"""Read an event store of this process, as others read it through the keeper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from consent_service.events.store import EventStore, Row


@dataclass(frozen=True, slots=True)
class StoreReader:
    """Read a store as `Reader` says."""

    store: EventStore

    def fetch(self, statement: Select[Any]) -> list[Row]:
        """Give every row of the statement."""
        return self.store.fetch(*self.store.compile(statement)).rows

    def stream(self, statement: Select[Any], chunk: int = 2_000) -> Iterator[list[Row]]:
        """Give the rows of the statement in lists of at most `chunk`."""
        return self.store.stream(*self.store.compile(statement), chunk)
