"""Describe the seam behind which events are stored: one writer, many readers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Select
from sqlalchemy.sql.elements import ClauseElement

from consent_service.events.schema import Batch

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """Say what a compaction changed: sizes in bytes, time in seconds."""

    before_bytes: int
    after_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Hold the rows of a statement beside the names of their columns."""

    columns: tuple[str, ...]
    rows: list[Row]


class EventStoreError(Exception):
    """Tell that the event store could not do what was asked."""


class StoreUnavailable(EventStoreError):
    """Tell that the event store cannot be opened or is closed."""


class StoreBusy(EventStoreError):
    """Tell that the event store is being rewritten, or cannot be because it is being read."""


class Reader(Protocol):
    """Answer statements over the event store; times come back aware UTC."""

    def fetch(self, statement: Select[Any]) -> list[Row]:
        """Give every row of the statement."""
        ...

    def stream(self, statement: Select[Any], chunk: int) -> Iterator[list[Row]]:
        """Give the rows of the statement in lists of at most `chunk`."""
        ...


class EventStore(Protocol):
    """Store events under grants and forget them on request; only the keeper writes."""

    def apply(self, batch: Batch, now: datetime) -> int:
        """Store a batch in one transaction, each event id of a site once in eight days; count the rows that are new."""
        ...

    def watermark(self, inbox_id: str) -> int:
        """Give the last sequence number of the inbox that is stored, 0 when there is none."""
        ...

    def erase(self, jobs: Mapping[str, str], now: datetime) -> Mapping[str, int]:
        """Delete the rows, open visits and remembered ids of receipts; `jobs` gives them by the id of the erasure.

        Gives the rows that each erasure deleted. A job that is done again gives what it deleted the first time too.
        """
        ...

    def restrict(self, receipts: Collection[str], sites: Collection[int]) -> int:
        """Let exactly these receipts, and these sites as a whole, be held: out of what `fetch` and `stream` read.

        Holds for what `apply` stores from then on too. Gives how many events went out of sight or came back.
        """
        ...

    def retain(self, site_id: int, policy_versions: Sequence[int], before: datetime, limit: int, now: datetime) -> int:
        """Delete the site's events under some policy versions that occurred before a time, or at least `limit` of them.

        Gives how many were deleted: 0 when none is left.
        """
        ...

    def count_before(self, site_id: int, policy_versions: Sequence[int], before: datetime) -> int:
        """Count the site's events under some policy versions that occurred before a time."""
        ...

    def deleted_at(self) -> datetime | None:
        """Tell since when bytes of deleted events may be on the disk; None when there are none."""
        ...

    def compact(self) -> CompactionResult:
        """Rewrite the store so that deleted bytes leave the disk; who asks meanwhile gets StoreBusy at once."""
        ...

    def compile(self, statement: ClauseElement) -> tuple[str, list[Any]]:
        """Write a statement as text and values that `fetch` and `stream` take."""
        ...

    def fetch(self, sql: str, params: Sequence[Any]) -> Rows:
        """Run a compiled statement and give every row."""
        ...

    def stream(self, sql: str, params: Sequence[Any], chunk: int) -> Iterator[list[Row]]:
        """Run a compiled statement and give its rows in lists of at most `chunk`."""
        ...

    def copy(self, path: Path) -> None:
        """Copy the store as it stands into a new file; what writes waits meanwhile, what reads does not."""
        ...

    def close(self) -> None:
        """Write everything down and let go of the files."""
        ...
