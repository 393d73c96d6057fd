"""Every metric, by every kind of dimension and under every kind of filter, against plain counting."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from consent_service.events.schema import Batch, EventRow, event
from consent_service.events.store import EventStore
from consent_service.stats.parse import parse_query
from consent_service.stats.query import Site
from consent_service.stats.runner import run
from tests.integration.reading import StoreReader
from tests.integration.stats.counting import VISIT_METRICS, Fits, Stored, count
from tests.integration.stores import opened_store
from tests.unit.events.made import make_row

ZONE = "Europe/Paris"
# Around the night on which Paris repeats an hour, with visits on both sides of every midnight.
FIRST = datetime(2026, 10, 23, 20, tzinfo=UTC)
START, END = datetime(2026, 10, 23, 22, tzinfo=UTC), datetime(2026, 10, 26, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAYS = ["2026-10-24", "2026-10-26"]
PLAIN = ["visitors", "visits", "pageviews", "events"]


def random_rows(seed: int, site_id: int, number: int) -> list[EventRow]:
    """Give events of a few visitors whose visits often begin, pause and cross midnight."""
    chance, rows = random.Random(seed), list[EventRow]()
    for visitor in range(number):
        at = FIRST + timedelta(seconds=chance.randrange(80 * 3600))
        for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
            rows.append(
                make_row(
                    visitor_id=visitor + 1,
                    site_id=site_id,
                    occurred_at=at,
                    received_at=at + timedelta(seconds=1),
                    name=chance.choice(["pageview"] * 6 + ["signup", "engagement"]),
                    path=chance.choice(["/", "/a", "/b", "/Archive", ""]),
                    hostname=chance.choice(["news.example", "www.news.example"]),
                    source=chance.choice(["", "Google", "Bing"]),
                    device=chance.choice(["Desktop", "Mobile", ""]),
                    props=chance.choice([{}, {"author": "Ève"}, {"author": "bob", "x": "y"}]),
                )
            )
            at += timedelta(
                seconds=chance.choice([1, 61, 600, 1799, 1800, 2400, 40000]), microseconds=chance.randrange(10**6)
            )
    return rows


@pytest.fixture(scope="module", params=[("duckdb", 1), ("duckdb", 2), ("clickhouse", 1)], ids=lambda param: param[0])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    kind, seed = request.param
    rows = random_rows(seed, 1, 120)
    noise = random_rows(seed + 100, 2, 40)
    refused = [make_row(visitor_id=999, occurred_at=START + timedelta(hours=hour)) for hour in range(60)]
    with opened_store(kind, tmp_path_factory.mktemp("store"), request) as store:
        store.apply(Batch([*rows, *noise, *refused], {(1, START.date(), "withdrawn"): 60}), NOW)
        store.erase({"e1": f"{999:032x}"}, NOW)
        yield store


def stored_rows(store: EventStore) -> list[Stored]:
    columns = event.c
    rows = StoreReader(store).fetch(
        select(
            columns.occurred_at,
            columns.name,
            columns.path,
            columns.hostname,
            columns.source,
            columns.device,
            columns.props,
            columns.visitor_id,
            columns.visit_id,
            columns.visit_started_at,
        ).where(columns.site_id == 1)
    )
    return [
        Stored(at, name, page, hostname, source, device, props.get("author", ""), *ids)
        for at, name, page, hostname, source, device, props, *ids in rows
    ]


def answer(store: EventStore, **members: Any) -> dict[str, Any]:
    document = {"site_id": "news.example", "date_range": DAYS, **members}
    return run(StoreReader(store), parse_query(document, Site(1, ZONE), NOW)).document()


FILTERS: dict[str, tuple[list[Any], Fits]] = {
    "none": ([], lambda row, visit: True),
    "a page": ([["is", "event:page", ["/a", "/b"]]], lambda row, visit: row.page in ("/a", "/b")),
    "no page": ([["is_not", "event:page", ["(not set)"]]], lambda row, visit: row.page != ""),
    "a piece": ([["contains", "event:page", ["A"]]], lambda row, visit: "A" in row.page),
    "a piece of any case": (
        [["contains", "event:page", ["A"], {"case_sensitive": False}]],
        lambda row, visit: "a" in row.page.lower(),
    ),
    "not a piece": ([["contains_not", "event:hostname", ["www", "zzz"]]], lambda row, visit: "www" not in row.hostname),
    "of any case": (
        [["is", "visit:source", ["GOOGLE"], {"case_sensitive": False}]],
        lambda row, visit: row.source == "Google",
    ),
    "no source": ([["is", "visit:source", ["Direct / None"]]], lambda row, visit: row.source == ""),
    "two of one event": (
        [["is", "event:name", ["signup"]], ["is", "event:props:author", ["Ève"]]],
        lambda row, visit: row.name == "signup" and row.author == "Ève",
    ),
    "without a prop": ([["is", "event:props:author", ["(not set)"]]], lambda row, visit: row.author == ""),
    "or and not": (
        [
            [
                "or",
                [
                    ["is", "visit:device", ["Mobile"]],
                    ["not", ["and", [["is", "event:page", ["/"]], ["is", "visit:source", ["Bing"]]]]],
                ],
            ]
        ],
        lambda row, visit: row.device == "Mobile" or not (row.page == "/" and row.source == "Bing"),
    ),
    "where it began": ([["is", "visit:entry_page", ["/a"]]], lambda row, visit: visit.entry_page == "/a"),
    "where it did not end": ([["is_not", "visit:exit_page", ["/a"]]], lambda row, visit: visit.exit_page != "/a"),
}

GROUPINGS: list[list[str]] = [
    [],
    ["time:hour"],
    ["time:day"],
    ["time:week"],
    ["time:month"],
    ["event:page"],
    ["event:name"],
    ["event:hostname"],
    ["event:props:author"],
    ["visit:source"],
    ["visit:device"],
    ["visit:entry_page"],
    ["visit:exit_page"],
    ["event:page", "event:hostname"],
    ["time:day", "event:page"],
    ["visit:source", "visit:device"],
    ["event:name", "visit:source", "time:day"],
    ["event:page", "visit:entry_page"],
]


@pytest.mark.parametrize("wanted", FILTERS)
def test_every_metric_equals_plain_counting(store: EventStore, wanted: str) -> None:
    filters, fits = FILTERS[wanted]
    rows = stored_rows(store)
    for dimensions in GROUPINGS:
        by_event = any(name.startswith("event:") for name in dimensions)
        is_entry = "event:page" in dimensions or not by_event
        metrics = [*PLAIN, *(sorted(VISIT_METRICS) if is_entry else []), *(["percentage"] if dimensions else [])]
        expected = count(rows, dimensions, fits, START, END, ZONE)
        found = answer(store, metrics=metrics, dimensions=dimensions, filters=filters)["results"]
        assert {tuple(row["dimensions"]): row["metrics"] for row in found} == {
            key: [numbers[name] for name in metrics] for key, numbers in expected.items()
        }, (dimensions, wanted)
        assert len(found) == len(expected)


@pytest.mark.parametrize("metric", [*PLAIN, *sorted(VISIT_METRICS)])
def test_a_metric_asked_for_alone_is_the_same_as_beside_others(store: EventStore, metric: str) -> None:
    for dimensions in ([], ["time:day"], ["event:page"], ["visit:source"]):
        together = answer(store, metrics=[*PLAIN, *sorted(VISIT_METRICS)], dimensions=dimensions)["results"]
        place = [*PLAIN, *sorted(VISIT_METRICS)].index(metric)
        beside = {tuple(row["dimensions"]): row["metrics"][place] for row in together}
        alone = {
            tuple(row["dimensions"]): row["metrics"][0]
            for row in answer(store, metrics=[metric], dimensions=dimensions)["results"]
        }
        assert {key: number for key, number in beside.items() if number} == {
            key: number for key, number in alone.items() if number
        }


def test_daily_visits_add_up_to_the_period_s(store: EventStore) -> None:
    daily = answer(store, metrics=["visits"], dimensions=["time:day"])["results"]
    [total] = answer(store, metrics=["visits"])["results"]
    assert sum(row["metrics"][0] for row in daily) == total["metrics"][0]
