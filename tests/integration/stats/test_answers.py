"""Answers: their shape, order, pages, labels and what an empty store says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent_service.events.schema import Batch
from consent_service.events.store import EventStore
from consent_service.stats.parse import parse_query
from consent_service.stats.query import Site
from consent_service.stats.runner import run
from tests.integration.reading import StoreReader
from tests.integration.stores import STORES, opened_store
from tests.unit.events.made import NOON, make_grant, make_row

NOW = NOON + timedelta(days=1)
EVERY = ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration", "views_per_visit"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    with opened_store(request.param, tmp_path, request) as store:
        yield store


def answer(store: EventStore, zone: str = "Europe/Paris", **members: Any) -> dict[str, Any]:
    document = {"site_id": "news.example", "date_range": "7d", "metrics": ["visitors"], **members}
    return run(StoreReader(store), parse_query(document, Site(1, zone), NOW)).document()


def test_an_answer_has_this_shape(store: EventStore) -> None:
    store.apply(Batch([make_row(0, source="Google"), make_row(2, source="x"), make_row(5, visitor_id=2)]), NOON)
    assert answer(
        store,
        metrics=EVERY,
        dimensions=["visit:source"],
        filters=[["contains", "event:page", ["/"]]],
        include={"total_rows": True, "imports": True},
        pagination={"limit": 5},
    ) == {
        "results": [
            {"dimensions": ["Direct / None"], "metrics": [1, 1, 1, 1, 100.0, 0, 1.0]},
            {"dimensions": ["Google"], "metrics": [1, 1, 2, 2, 0.0, 120, 2.0]},
        ],
        "meta": {"imports_included": False, "imports_skip_reason": "no_imported_data", "total_rows": 2},
        "query": {
            "site_id": "news.example",
            "metrics": EVERY,
            "date_range": ["2026-03-04T00:00:00+01:00", "2026-03-10T23:59:59+01:00"],
            "dimensions": ["visit:source"],
            "filters": [["contains", "event:page", ["/"]]],
            "order_by": [["visitors", "desc"]],
            "include": {"total_rows": True, "imports": True},
            "pagination": {"limit": 5, "offset": 0},
        },
    }


@pytest.mark.parametrize("metrics", [["visits"], ["visits", "bounce_rate"], EVERY])
def test_a_visit_that_spans_a_publication_counts_once_under_what_its_first_event_says(
    store: EventStore, metrics: list[str]
) -> None:
    # The second version declares no country, so the row stored under it has none.
    later = make_row(5, country="")
    rows = [make_row(0, country="FR"), replace(later, grant=make_grant(policy_version=2))]
    store.apply(Batch([*rows, make_row(0, country="DE", visitor_id=2)]), NOON)
    found = answer(store, metrics=metrics, dimensions=["visit:country"])["results"]
    counted = {row["dimensions"][0]: dict(zip(metrics, row["metrics"], strict=True)) for row in found}
    assert {country: counts["visits"] for country, counts in counted.items() if counts["visits"]} == {"FR": 1, "DE": 1}
    if "bounce_rate" in metrics:
        assert (counted["FR"]["bounce_rate"], counted["DE"]["bounce_rate"]) == (0.0, 100.0)
    if "pageviews" in metrics:
        assert {country: counts["pageviews"] for country, counts in counted.items()} == {
            "FR": 1,
            "DE": 1,
            "(not set)": 1,
        }


@pytest.mark.parametrize("date_range", ["7d", "all"])
def test_an_empty_store_answers_with_nought(store: EventStore, date_range: str) -> None:
    found = answer(store, metrics=EVERY, date_range=date_range)
    assert found["results"] == [{"dimensions": [], "metrics": [0, 0, 0, 0, 0, 0, 0]}]
    found = answer(store, metrics=EVERY, date_range=date_range, dimensions=["event:page"], include={"total_rows": True})
    assert (found["results"], found["meta"]) == ([], {"total_rows": 0})


def test_all_time_starts_on_the_day_of_the_first_event(store: EventStore) -> None:
    store.apply(Batch([make_row(-60 * 24 * 30), make_row(0), make_row(-(10**6), site_id=2)]), NOON)
    found = answer(store, date_range="all", metrics=["events"], dimensions=["time"])
    assert found["query"]["date_range"] == ["2026-02-08T00:00:00+01:00", "2026-03-11T23:59:59+01:00"]
    assert [row["dimensions"] for row in found["results"]] == [["2026-02-08"], ["2026-03-10"]]


def test_pages_are_cut_from_one_order_in_which_nothing_is_equal(store: EventStore) -> None:
    store.apply(Batch([make_row(minute, path=f"/{minute:02}") for minute in range(10)]), NOON)
    pages = [
        answer(store, dimensions=["event:page"], pagination={"limit": 4, "offset": offset})["results"]
        for offset in (0, 4, 8)
    ]
    assert [row["dimensions"][0] for page in pages for row in page] == [f"/{number:02}" for number in range(10)]
    found = answer(store, dimensions=["event:page"], order_by=[["event:page", "desc"]], pagination={"limit": 1})
    assert found["results"][0]["dimensions"] == ["/09"]


def test_labels_name_the_buckets_without_data_too(store: EventStore) -> None:
    store.apply(Batch([make_row()]), NOON)
    found = answer(store, dimensions=["time:day"], include={"time_labels": True})
    assert [row["dimensions"] for row in found["results"]] == [["2026-03-10"]]
    assert found["meta"]["time_labels"] == [f"2026-03-{day:02}" for day in range(4, 11)]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_every_bucket_of_an_answer_is_among_its_labels(store: EventStore, zone: str) -> None:
    first = datetime(2018, 10, 1, tzinfo=UTC)
    rows = [make_row(occurred_at=first + timedelta(minutes=97 * number), visitor_id=number) for number in range(900)]
    store.apply(Batch(rows), NOON)
    for unit in ("hour", "day", "week", "month"):
        found = answer(
            store,
            zone,
            date_range=["2018-10-05", "2018-11-25"],
            metrics=["events", "visits"],
            dimensions=[f"time:{unit}"],
            include={"time_labels": True},
        )
        labels = found["meta"]["time_labels"]
        buckets = [row["dimensions"][0] for row in found["results"]]
        assert set(buckets) <= set(labels)
        assert buckets == sorted(buckets)


def test_a_visit_past_midnight_is_one_visit_of_its_first_day(store: EventStore) -> None:
    # 22:50 and 23:05 UTC are 23:50 and 00:05 in Paris.
    store.apply(Batch([make_row(650), make_row(665)]), NOON)
    found = answer(
        store,
        date_range=["2026-03-10", "2026-03-11"],
        metrics=["visits", "visitors", "visit_duration"],
        dimensions=["time:day"],
    )
    assert found["results"] == [
        {"dimensions": ["2026-03-10"], "metrics": [1, 1, 900]},
        {"dimensions": ["2026-03-11"], "metrics": [0, 1, 0]},
    ]


def test_engagement_lengthens_a_visit_and_is_not_counted(store: EventStore) -> None:
    store.apply(Batch([make_row(0), make_row(3, name="engagement", engaged_ms=180_000)]), NOON)
    assert answer(store, metrics=EVERY)["results"][0]["metrics"] == [1, 1, 1, 1, 100.0, 180, 1.0]


def test_hostile_texts_are_only_texts(store: EventStore) -> None:
    hostile = "%_'; DROP TABLE event; -- \\"
    store.apply(Batch([make_row(path=hostile, props={hostile: hostile}), make_row(1, path="/")]), NOON)
    for operator in ("is", "contains"):
        found = answer(
            store,
            metrics=["events"],
            dimensions=[f"event:props:{hostile}"],
            filters=[
                [operator, "event:page", [hostile]],
                [operator, f"event:props:{hostile}", [hostile], {"case_sensitive": False}],
            ],
        )
        assert found["results"] == [{"dimensions": [hostile], "metrics": [1]}]
