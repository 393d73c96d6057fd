"""The export read page by page is the export read at once, each row with its consent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from consent_service.events.schema import Batch, event
from consent_service.events.store import EventStore
from consent_service.export.rows import Cursor, read_rows, statement
from tests.integration.reading import StoreReader
from tests.integration.stores import STORES, opened_store
from tests.unit.events.made import NOON, make_row


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    # Seven rows of one moment: the event id decides their order.
    same = [make_row(5, visitor_id=number + 1) for number in range(7)]
    with opened_store(request.param, tmp_path, request) as store:
        store.apply(Batch([*same, make_row(0), make_row(9, props={"author": "Ève"}), make_row(1, site_id=2)]), NOON)
        yield store


def read(store: EventStore, cursor: Cursor | None, limit: int) -> list[dict[str, Any]]:
    asked = statement(1, NOON, NOON + timedelta(hours=1), cursor).limit(limit)
    return [row for chunk in read_rows("thesitekey01", StoreReader(store).stream(asked, 2)) for row in chunk]


def test_pages_follow_each_other_without_gap_or_overlap(store: EventStore) -> None:
    whole = read(store, None, 100)
    assert len(whole) == 9
    pages: list[dict[str, Any]] = []
    cursor: Cursor | None = None
    while page := read(store, cursor, 2):
        pages += page
        last_id = UUID(page[-1]["event_id"])
        [(last,)] = StoreReader(store).fetch(select(event.c.received_at).where(event.c.event_id == last_id))
        cursor = (last, last_id)
    assert pages == whole


def test_a_row_carries_its_consent_and_ids_in_their_outside_form(store: EventStore) -> None:
    row = read(store, None, 100)[-1]
    assert (row["site"], row["visitor_id"], row["receipt_id"]) == ("thesitekey01", f"{1:016x}", f"{1:032x}")
    assert (row["decision_id"], row["policy_version"], row["purposes"]) == (str(UUID(int=1)), 1, ["analytics"])
    assert (row["occurred_at"], row["props"]) == ("2026-03-10T12:09:00.000000Z", {"author": "Ève"})
    assert len(row["visit_id"]) == 16
