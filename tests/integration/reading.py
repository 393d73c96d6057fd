"""Statements answered by a store in this process, where the product asks the keeper for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from consent_service.events.dialect import compile_statement
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.store import Row


@dataclass(frozen=True, slots=True)
class StoreReader:
    """Read a store as `Reader` says."""

    store: DuckDBStore

    def fetch(self, statement: Select[Any]) -> list[Row]:
        """Give every row of the statement."""
        return self.store.fetch(*compile_statement(statement)).rows

    def stream(self, statement: Select[Any], chunk: int) -> Iterator[list[Row]]:
        """Give the rows of the statement in lists of at most `chunk`."""
        return self.store.stream(*compile_statement(statement), chunk)
