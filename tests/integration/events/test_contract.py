"""What every event store promises, asked of each: DuckDB in a file, and ClickHouse beside PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, table

from consent_service.db.engine import make_engine
from consent_service.events.clickhouse import ClickHouseStore
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch, InboxRange, drop_count, event
from consent_service.events.store import EventStore
from consent_service.events_url import parse_events_url
from tests.integration.reading import StoreReader
from tests.unit.events.made import NOON, make_grant, make_row

# Where ClickHouse's state lies in PostgreSQL, by the name of its table in DuckDB.
BESIDE = {"recent_event": "event_recent", "open_visit": "event_visit", "erasure_count": "event_erasure"}


@dataclass
class Deployment:
    """Hold a store, and how to open it again and to count what is in it."""

    store: EventStore
    open: Callable[[], EventStore]
    count_beside: Callable[[str], int]

    def reopen(self) -> EventStore:
        """End the store as its process ends, and open it anew."""
        self.store.close()
        self.store = self.open()
        return self.store

    def count(self, name: str = "event") -> int:
        """Count the rows of a table."""
        if name in BESIDE:
            return self.count_beside(name)
        return int(self.store.fetch(f"SELECT count(*) FROM {name}", []).rows[0][0])


@pytest.fixture(params=["duckdb", "clickhouse"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    if request.param == "duckdb":

        def open_file() -> EventStore:
            return DuckDBStore(tmp_path / "events.duckdb", threads=1)

        def count_in_file(name: str) -> int:
            return int(deployment.store.fetch(f"SELECT count(*) FROM {name}", []).rows[0][0])

        deployment = Deployment(open_file(), open_file, count_in_file)
    else:
        url = parse_events_url(request.getfixturevalue("clickhouse_url"))
        engine = make_engine(request.getfixturevalue("own_postgres_database"))

        def count_beside(name: str) -> int:
            with engine.connect() as connection:
                return int(connection.execute(select(func.count()).select_from(table(BESIDE[name]))).scalar_one())

        deployment = Deployment(ClickHouseStore(url, engine), lambda: ClickHouseStore(url, engine), count_beside)
    yield deployment
    deployment.store.close()
    if request.param == "clickhouse":
        engine.dispose()


@pytest.fixture
def store(held: Deployment) -> EventStore:
    return held.store


def receipt(visitor_id: int) -> str:
    return f"{visitor_id:032x}"


def test_a_row_comes_back_as_it_went_in(store: EventStore) -> None:
    row = make_row(
        props={"author": "Ève", "mood": ""},
        path="/a'b\\c\t\n%s\0/日本",
        revenue_amount=Decimal("12.5"),
        revenue_currency="EUR",
        engaged_ms=1200,
        scroll=80,
        source="Google",
        country="FR",
        occurred_at=NOON + timedelta(microseconds=123_456),
    )
    assert store.apply(Batch([row]), NOON) == 1
    [values] = StoreReader(store).fetch(select(event))
    found = dict(zip(event.c.keys(), values, strict=True))
    for name in (
        "event_id",
        "occurred_at",
        "received_at",
        "name",
        "path",
        "props",
        "revenue_amount",
        "engaged_ms",
        "scroll",
        "source",
    ):
        assert found[name] == getattr(row, name)
    assert (found["receipt_id"], found["decision_id"]) == (UUID(row.grant.receipt_id), UUID(row.grant.decision_id))
    assert (found["visit_started_at"], list(found["purposes"])) == (row.occurred_at, ["analytics"])
    assert found["occurred_at"].utcoffset() == timedelta(0)
    assert found["visit_id"] >= 0
    store.apply(Batch([make_row(60)]), NOON)
    second = StoreReader(store).fetch(select(event).where(event.c.occurred_at > row.occurred_at))[0]
    found = dict(zip(event.c.keys(), second, strict=True))
    assert (found["revenue_amount"], found["engaged_ms"], found["scroll"], found["props"]) == (None, None, None, {})


def test_an_event_sent_again_is_stored_once(held: Deployment) -> None:
    row, other_site = make_row(), make_row(site_id=2)
    same_id = [row, row, make_row(event_id=row.event_id, path="/again"), make_row(site_id=2, event_id=row.event_id)]
    assert held.store.apply(Batch(same_id), NOON) == 2
    assert held.store.apply(Batch([row, other_site]), NOON + timedelta(days=7)) == 1
    assert held.count() == 3


def test_ids_and_visits_are_forgotten_when_they_are_of_no_more_use(held: Deployment) -> None:
    held.store.apply(Batch([make_row()]), NOON)
    held.store.apply(Batch(), NOON + timedelta(days=5))
    assert (held.count("recent_event"), held.count("open_visit")) == (1, 0)
    held.store.apply(Batch(), NOON + timedelta(days=9))
    assert (held.count("recent_event"), held.count()) == (0, 1)


def test_a_visit_goes_on_across_batches_and_restarts(held: Deployment) -> None:
    held.store.apply(Batch([make_row(0, source="Google")]), NOON)
    store = held.reopen()
    store.apply(Batch([make_row(20, source="Bing"), make_row(60)]), NOON)
    rows = store.fetch("SELECT visit_id, source FROM event ORDER BY occurred_at", []).rows
    assert rows[0] == rows[1]
    assert rows[2][0] != rows[0][0]


def test_drops_add_up_and_watermarks_move_with_the_rows(store: EventStore) -> None:
    day = date(2026, 3, 10)
    for last in (10, 20):
        store.apply(Batch([make_row()], {(1, day, "bot"): 3, (1, day, "too_old"): 1}, [InboxRange("w1", last)]), NOON)
    assert store.watermark("w1") == 20
    assert store.watermark("w2") == 0
    c = drop_count.c
    summed = select(c.site_id, c.day, c.reason, func.sum(c.n)).group_by(c.site_id, c.day, c.reason).order_by(c.reason)
    assert StoreReader(store).fetch(summed) == [(1, day, "bot", 6), (1, day, "too_old", 2)]


def test_erasing_takes_rows_open_visits_and_remembered_ids(held: Deployment) -> None:
    store = held.store
    store.apply(
        Batch([make_row(0), make_row(1), make_row(2, visitor_id=2), make_row(3, site_id=2, visitor_id=3)]), NOON
    )
    jobs = {"e1": receipt(1), "e3": receipt(3), "e9": receipt(9)}
    assert store.erase(jobs, NOON) == {"e1": 2, "e3": 1, "e9": 0}
    assert [held.count(table) for table in ("event", "recent_event", "open_visit")] == [1, 1, 1]
    assert store.erase({"later": receipt(1)}, NOON) == {"later": 0}
    assert store.erase({}, NOON) == {}


def test_an_erasure_that_is_done_again_tells_what_it_deleted_the_first_time(held: Deployment) -> None:
    held.store.apply(Batch([make_row(0), make_row(1), make_row(2, visitor_id=2)]), NOON)
    assert held.store.erase({"e1": receipt(1)}, NOON) == {"e1": 2}
    store = held.reopen()
    assert store.erase({"e1": receipt(1), "e2": receipt(2)}, NOON) == {"e1": 2, "e2": 1}
    store.apply(Batch([make_row(3)]), NOON)
    assert store.erase({"e1": receipt(1)}, NOON) == {"e1": 3}
    store.apply(Batch(), NOON + timedelta(days=31))
    assert held.count("erasure_count") == 0


def test_what_is_held_is_out_of_sight_and_comes_back_as_often_as_it_is_lifted(held: Deployment) -> None:
    store = held.store
    store.apply(Batch([make_row(0), make_row(1, visitor_id=2), make_row(2, visitor_id=3, site_id=2)]), NOON)
    for _ in range(2):
        assert store.restrict([receipt(1)], [2]) == 2
        assert (held.count(), held.count("held_event")) == (1, 2)
        assert store.restrict([receipt(1)], []) == 1
        assert store.restrict([], []) == 1
        assert (held.count(), held.count("held_event")) == (3, 0)
    store.restrict([receipt(1)], [2])
    store.apply(Batch([make_row(3), make_row(4, visitor_id=2)]), NOON)
    assert (held.count(), held.count("held_event")) == (2, 3)
    assert store.erase({"e1": receipt(1)}, NOON) == {"e1": 2}
    assert (held.count(), held.count("held_event")) == (2, 1)


def test_retention_deletes_the_site_s_old_events(held: Deployment) -> None:
    store = held.store
    kept = [make_row(0, site_id=2), make_row(0, grant=make_grant(policy_version=3))]
    store.apply(
        Batch([make_row(minute, grant=make_grant(policy_version=1 + minute % 2)) for minute in range(10)] + kept), NOON
    )
    before = NOON + timedelta(minutes=6)
    assert store.count_before(1, [1, 2], before) == 6
    assert store.count_before(1, [1], before) == 3
    deleted = [store.retain(1, [1, 2], before, 4, NOON) for _ in range(3)]
    assert (sum(deleted), deleted[-1]) == (6, 0)
    assert held.count() == 6


def test_the_store_knows_since_when_deleted_bytes_are_on_the_disk(held: Deployment) -> None:
    store = held.store
    store.apply(Batch([make_row(minute, visitor_id=minute % 2) for minute in range(4)]), NOON)
    assert store.erase({"e7": receipt(7)}, NOON) == {"e7": 0}
    assert store.deleted_at() is None
    store.retain(1, [1], NOON + timedelta(minutes=1), 10, NOON + timedelta(hours=1))
    store.erase({"e1": receipt(1)}, NOON + timedelta(hours=2))
    store = held.reopen()
    assert store.deleted_at() == NOON + timedelta(hours=1)
    store.compact()
    assert (store.deleted_at(), held.count()) == (None, 1)
    store.erase({"e0": receipt(0)}, NOON + timedelta(hours=3))
    assert store.deleted_at() == NOON + timedelta(hours=3)


def test_a_stream_gives_all_rows_in_chunks(store: EventStore) -> None:
    store.apply(Batch([make_row(minute) for minute in range(3000)]), NOON)
    chunks = list(StoreReader(store).stream(select(event.c.event_id).order_by(event.c.event_id), 1000))
    assert [len(chunk) for chunk in chunks] == [1000, 1000, 1000]
    assert len({row for chunk in chunks for row in chunk}) == 3000
