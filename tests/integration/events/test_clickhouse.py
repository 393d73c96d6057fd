"""What ClickHouse brings along: rows that arrive once whatever breaks off, and ids that stay in none of its files."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from consent_service.db.engine import make_engine
from consent_service.events.clickhouse import ClickHouseStore, read_ddl
from consent_service.events.clickhouse_server import Server
from consent_service.events.outbox import Outbox
from consent_service.events.schema import Batch, InboxRange, drop_count, event
from consent_service.events.store import EventStoreError
from consent_service.events_url import parse_events_url
from tests.clickhouse import ClickHouse
from tests.integration.reading import StoreReader
from tests.unit.events.made import NOON, make_row


@pytest.fixture
def engine(own_postgres_database: str) -> Iterator[Engine]:
    made = make_engine(own_postgres_database)
    yield made
    made.dispose()


@pytest.fixture
def store(clickhouse_url: str, engine: Engine) -> Iterator[ClickHouseStore]:
    made = ClickHouseStore(parse_events_url(clickhouse_url), engine)
    yield made
    made.close()


class Lost(Exception):
    """Stand for the process that dies at a point."""


def die(*args: Any, **members: Any) -> Any:
    raise Lost


def reopened(url: str, engine: Engine) -> ClickHouseStore:
    return ClickHouseStore(parse_events_url(url), engine)


def ids(store: ClickHouseStore) -> list[UUID]:
    return sorted(row[0] for row in store.fetch("SELECT event_id FROM event", []).rows)


# Where a keeper may die: before anything is sent, between two partitions' tables, and before it knows of the arrival.
POINTS = {
    "before the insert": (Server, "insert"),
    "after the insert": (Outbox, "settle"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_batch_that_broke_off_is_there_once_whole(
    clickhouse_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    day = NOON.date()
    rows = [make_row(minute, visitor_id=minute) for minute in range(5)] + [make_row(60 * 24 * 40)]
    batch = Batch(rows, {(1, day, "bot"): 3}, [InboxRange("w1", 7)])
    store = reopened(clickhouse_url, engine)
    assert store.watermark("w1") == 0
    with monkeypatch.context() as dying:
        dying.setattr(*POINTS[point], die)
        with pytest.raises(Lost):
            store.apply(batch, NOON)
    store.close()
    store = reopened(clickhouse_url, engine)
    assert store.watermark("w1") == 7
    assert ids(store) == sorted(row.event_id for row in rows)
    # What the inbox still holds comes again with what came in since.
    later = make_row(3, visitor_id=9)
    assert store.apply(replace(batch, rows=[*rows, later], drops={}), NOON) == 1
    assert ids(store) == sorted(row.event_id for row in [*rows, later])
    assert StoreReader(store).fetch(select(drop_count.c.n)) == [(3,)]
    store.close()


def test_a_batch_that_arrived_in_part_is_completed(
    clickhouse_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = reopened(clickhouse_url, engine)
    rows = [make_row(0), make_row(60 * 24 * 40)]
    insert = Server.insert

    def insert_march(self: Server, table: str, columns: list[str], body: bytes, token: str | None = None) -> None:
        # A server that dies in the middle of an insert has stored some months' rows whole and others not at all.
        march, _ = gzip.decompress(body).splitlines()
        insert(self, table, columns, gzip.compress(march), token)
        raise Lost

    with monkeypatch.context() as dying:
        dying.setattr(Server, "insert", insert_march)
        with pytest.raises(Lost):
            store.apply(Batch(rows, {(1, NOON.date(), "bot"): 3}, [InboxRange("w1", 7)]), NOON)
    assert ids(store) == [rows[0].event_id]
    store.close()
    store = reopened(clickhouse_url, engine)
    assert store.watermark("w1") == 7
    assert StoreReader(store).fetch(select(drop_count.c.n)) == [(3,)]
    assert ids(store) == sorted(row.event_id for row in rows)
    store.close()


def test_a_row_on_its_way_is_erased_with_the_others(
    clickhouse_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = reopened(clickhouse_url, engine)
    store.apply(Batch([make_row(0)]), NOON)
    with monkeypatch.context() as dying:
        dying.setattr(Server, "insert", die)
        with pytest.raises(Lost):
            store.apply(Batch([make_row(1)]), NOON)
    assert store.erase({"e1": f"{1:032x}"}, NOON) == {"e1": 2}
    assert ids(store) == []
    store.close()


@pytest.mark.parametrize("point", ["_delete", "_find_erased"])
def test_an_erasure_that_broke_off_counts_what_it_deleted(
    clickhouse_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    store = reopened(clickhouse_url, engine)
    store.apply(Batch([make_row(minute) for minute in range(3)]), NOON)
    with monkeypatch.context() as dying:
        dying.setattr(ClickHouseStore, point, die)
        with pytest.raises(Lost):
            store.erase({"e1": f"{1:032x}"}, NOON)
    store.close()
    store = reopened(clickhouse_url, engine)
    assert store.erase({"e1": f"{1:032x}"}, NOON) == {"e1": 3}
    assert store.erase({"e1": f"{1:032x}"}, NOON) == {"e1": 3}
    assert ids(store) == []
    store.close()


def test_an_erasure_that_broke_off_after_the_deletion_knows_what_it_deleted(
    clickhouse_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = reopened(clickhouse_url, engine)
    store.apply(Batch([make_row(minute) for minute in range(3)]), NOON)
    with monkeypatch.context() as dying:
        dying.setattr(Outbox, "settle_erasures", die)
        with pytest.raises(Lost):
            store.erase({"e1": f"{1:032x}"}, NOON)
    assert ids(store) == []
    assert store.erase({"e1": f"{1:032x}"}, NOON) == {"e1": 3}
    store.close()


def files_hold(directory: Path, *needles: bytes) -> list[str]:
    """Name the files in which any of the bytes are."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [path.name for needle in needles if needle in content]
    return found


def test_after_compaction_no_id_and_no_byte_of_an_erased_event_is_on_the_disk(
    store: ClickHouseStore, clickhouse: ClickHouse
) -> None:
    secret, kept = "/secret-3f9c1a77", "/kept-77aa01"
    receipt = UUID("5ec7e700-1234-4abc-8def-0123456789ab")
    erased = make_row(path=secret, props={"k": secret})
    erased = replace(erased, grant=replace(erased.grant, receipt_id=receipt.hex))
    rows = [make_row(minute, visitor_id=2, path=kept) for minute in range(50)]
    store.apply(Batch([*rows, erased]), NOON)
    # A UUID is written as two little-endian halves.
    halves = receipt.bytes[:8][::-1] + receipt.bytes[8:][::-1]
    needles = (secret.encode(), halves, str(receipt).encode(), receipt.hex.encode())
    assert store.erase({"e1": receipt.hex}, NOON) == {"e1": 1}
    assert files_hold(clickhouse.directory, halves)
    # The parts are compressed: the engine is asked whether it can still read the path from any of them.
    assert store.fetch("SELECT count() FROM event SETTINGS apply_deleted_mask = 0", []).rows == [(51,)]
    result = store.compact()
    assert files_hold(clickhouse.directory, *needles) == []
    assert store.fetch("SELECT count() FROM event SETTINGS apply_deleted_mask = 0", []).rows == [(50,)]
    assert store.fetch(
        "SELECT count() FROM system.parts WHERE database = currentDatabase() AND NOT active", []
    ).rows == [(0,)]
    assert store.fetch("SELECT count() FROM erasing", []).rows == [(0,)]
    assert result.after_bytes > 0
    assert store.deleted_at() is None


def test_the_tables_have_the_columns_of_every_other_engine(store: ClickHouseStore) -> None:
    store.apply(Batch(), NOON)
    for name in ("event", "held_event"):
        of_table = "database = currentDatabase() AND table = {p1:String} ORDER BY position"
        sql = f"SELECT name FROM system.columns WHERE {of_table}"
        assert [row[0] for row in store.fetch(sql, [name]).rows] == event.c.keys()


def test_a_server_that_is_away_or_silent_is_an_error_without_values_and_nothing_is_lost(
    store: ClickHouseStore, clickhouse: ClickHouse, engine: Engine
) -> None:
    store.apply(Batch([make_row(0)], {}, [InboxRange("w1", 1)]), NOON)
    clickhouse.kill()
    try:
        with pytest.raises(EventStoreError) as failed:
            store.apply(Batch([make_row(1, path="/a-secret-value")], {}, [InboxRange("w1", 2)]), NOON)
        with pytest.raises(EventStoreError):
            store.fetch("SELECT count(*) FROM event", [])
    finally:
        clickhouse.start()
    assert "a-secret-value" not in str(failed.value)
    assert store.watermark("w1") == 2
    assert len(ids(store)) == 2


def test_every_statement_for_a_cluster_is_understood_by_the_engine(store: ClickHouseStore) -> None:
    # No cluster can be had here: that these do what they say is not shown, only that the engine can read them.
    statements = read_ddl("main")
    for statement in statements:
        [(text,)] = store.fetch("SELECT formatQuery({p1:String})", [statement]).rows
        assert text.startswith("CREATE TABLE IF NOT EXISTS")
        assert "ON CLUSTER main" in text
    with pytest.raises(EventStoreError):
        store.fetch("SELECT formatQuery({p1:String})", [statements[0].replace("PARTITION BY", "PARTED BY")])
    [event_local, *_] = statements
    single = read_ddl(None)[0]
    between = "(\n{}\n)\nENGINE"
    columns = single.partition("(\n")[2].partition("\n)\nENGINE")[0]
    assert between.format(columns) in event_local
    assert sum("Distributed(main" in statement for statement in statements) == 3
