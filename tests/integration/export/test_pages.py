"""The export read page by page is the export read at once, each row with its consent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch
from consent_service.export.rows import Cursor, read_rows, statement
from tests.integration.reading import StoreReader
from tests.unit.events.made import NOON, make_row


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    store = DuckDBStore(tmp_path / "events.duckdb", threads=1)
    # Seven rows of one moment: the event id decides their order.
    same = [make_row(5, visitor_id=number + 1) for number in range(7)]
    store.apply(Batch([*same, make_row(0), make_row(9, props={"author": "Ève"}), make_row(1, site_id=2)]), NOON)
    yield store
    store.close()


def read(store: DuckDBStore, cursor: Cursor | None, limit: int) -> list[dict[str, Any]]:
    asked = statement(1, NOON, NOON + timedelta(hours=1), cursor).limit(limit)
    return [row for chunk in read_rows("thesitekey01", StoreReader(store).stream(asked, 2)) for row in chunk]


def test_pages_follow_each_other_without_gap_or_overlap(store: DuckDBStore) -> None:
    whole = read(store, None, 100)
    assert len(whole) == 9
    pages: list[dict[str, Any]] = []
    cursor: Cursor | None = None
    while page := read(store, cursor, 2):
        pages += page
        last = store.fetch("SELECT received_at FROM event WHERE event_id = $1", [UUID(page[-1]["event_id"])]).rows[0][0]
        cursor = (last, UUID(page[-1]["event_id"]))
    assert pages == whole


def test_a_row_carries_its_consent_and_ids_in_their_outside_form(store: DuckDBStore) -> None:
    row = read(store, None, 100)[-1]
    assert (row["site"], row["visitor_id"], row["receipt_id"]) == ("thesitekey01", f"{1:016x}", f"{1:032x}")
    assert (row["decision_id"], row["policy_version"], row["purposes"]) == (str(UUID(int=1)), 1, ["analytics"])
    assert (row["occurred_at"], row["props"]) == ("2026-03-10T12:09:00.000000Z", {"author": "Ève"})
    assert len(row["visit_id"]) == 16
