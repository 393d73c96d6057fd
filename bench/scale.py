"""`python -m bench.scale [EVENTS]`: what the two event stores take to write, keep, ask, erase and compact.

Prints one row a figure for DuckDB in a file and for ClickHouse: the real engine behind the tests' HTTP front, both in
one process, its state in the PostgreSQL that CONSENT_TEST_POSTGRES_URL names or that runs here. Needs what tests need.
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, make_url, text

from consent_service.consent.gate import Grant
from consent_service.db.engine import make_engine
from consent_service.db.migrate import upgrade
from consent_service.events.clickhouse import ClickHouseStore
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.reading import StoreReader
from consent_service.events.schema import Batch, EventRow, InboxRange
from consent_service.events.store import EventStore
from consent_service.events_url import parse_events_url
from consent_service.stats.parse import parse_query
from consent_service.stats.query import Site
from consent_service.stats.runner import run
from tests.clickhouse import ClickHouse
from tests.postgres import find_programs, find_server, make_cluster
from tests.unit.events.made import make_grant

DAYS = 90
BATCH = 5_000
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ERASED = 200
ASKED = {
    "totals": ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"],
    "time:day": ["visitors", "visits", "pageviews"],
    "event:page": ["visitors", "pageviews"],
    "visit:source": ["visitors", "visits", "bounce_rate"],
}


def main() -> None:
    """Measure both stores with the same events and print the table."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{events:,} events over {DAYS} days in batches of {BATCH:,}; {describe_machine()}")
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        directory = Path(name)
        store: EventStore = DuckDBStore(directory / "duckdb" / "events.duckdb", memory_limit="1GB")
        found["DuckDB"] = measure(store, events, lambda: size(directory / "duckdb"), lambda: 0)
        store.close()
    with clickhouse() as (store, directory, engine):
        data = directory / "data"
        found["ClickHouse"] = measure(store, events, lambda: size(data), lambda: beside(engine))
    width = max(len(name) for name in found["DuckDB"])
    print(f"{'':{width}}  {'DuckDB':>12}  {'ClickHouse':>12}")
    for name in found["DuckDB"]:
        print(f"{name:{width}}  {found['DuckDB'][name]:>12,.1f}  {found['ClickHouse'][name]:>12,.1f}")


def measure(
    store: EventStore, events: int, on_disk: Callable[[], int], in_postgres: Callable[[], int]
) -> dict[str, float]:
    """Write, ask, erase and compact; gives seconds, milliseconds and bytes by name."""
    figures: dict[str, float] = {}
    times: list[float] = []
    begun, written = time.monotonic(), 0
    # Far more days go by here than would in this time: at a moment that stands still nothing is forgotten in between.
    now = NOW - timedelta(days=DAYS)
    for number, batch in enumerate(batches(events)):
        started = time.monotonic()
        store.apply(Batch(batch, {}, [InboxRange("bench", number + 1)]), now)
        times.append(time.monotonic() - started)
        written += len(batch)
        if not number % 10:
            tell(f"{type(store).__name__}: {written:,} events in {time.monotonic() - begun:.0f} s")
    figures["drain, events/s"] = written / sum(times)
    figures[f"batch of {BATCH}, ms p50"] = statistics.median(times) * 1000
    figures[f"batch of {BATCH}, ms p99"] = statistics.quantiles(times, n=100)[98] * 1000
    figures["wall seconds, with making the rows"] = time.monotonic() - begun
    reader = StoreReader(store)
    for name, metrics in ASKED.items():
        dimensions = [] if name == "totals" else [name]
        document = {"site_id": "x", "metrics": metrics, "date_range": "30d", "dimensions": dimensions}
        query = parse_query(document, Site(1, "Europe/Paris"), NOW)
        tell(f"asking for {name}")
        figures[f"30 days, {name}, ms"] = statistics.median(timed(lambda: run(reader, query)) for _ in range(5)) * 1000  # noqa: B023
    jobs = {f"e{visitor}": f"{visitor:032x}" for visitor in range(1, ERASED + 1)}
    figures[f"erasing {ERASED} receipts, ms"] = timed(lambda: store.erase(jobs, NOW)) * 1000
    figures["compaction, s"] = timed(store.compact)
    figures["bytes an event on disk"] = on_disk() / written
    figures["bytes a remembered id in PostgreSQL"] = in_postgres() / written
    return figures


def tell(text: str) -> None:
    """Say on stderr how far it is."""
    print(text, file=sys.stderr, flush=True)


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that something takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def batches(events: int) -> Iterator[list[EventRow]]:
    """Give events of believable visitors in the order in which they arrive, the same for every store."""
    chance = random.Random(1)
    pages = [f"/articles/{chance.randrange(10**6)}-{'-'.join(chance.choices(WORDS, k=4))}" for _ in range(2_000)]
    weights = [1 / (place + 1) for place in range(len(pages))]
    step, at, rows = timedelta(days=DAYS) / events, NOW - timedelta(days=DAYS), list[EventRow]()
    grants: dict[int, Grant] = {}
    for number in range(events):
        at += step
        visitor = chance.randrange(1, events // 8 + 2)
        grant = grants.get(visitor)
        if grant is None:
            ids = UUID(int=chance.getrandbits(128)), UUID(int=chance.getrandbits(128))
            site = 1 if visitor % 5 < 3 else 2 + visitor % 7
            made = make_grant(visitor if visitor <= ERASED else chance.getrandbits(63), site)
            receipt = f"{visitor:032x}" if visitor <= ERASED else ids[0].hex
            grant = grants[visitor] = _with_ids(made, receipt, str(ids[1]), at)
        rows.append(row(chance, grant, at, chance.choices(pages, weights)[0] if number % 3 else "/"))
        if len(rows) == BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


WORDS = "la ville marché école route eau prix soir conseil projet budget vote histoire été région train".split()


def row(chance: random.Random, grant: Grant, at: datetime, path: str) -> EventRow:
    """Give one pageview."""
    return EventRow(
        grant=grant,
        event_id=UUID(int=chance.getrandbits(128)),
        received_at=at,
        occurred_at=at,
        name="pageview",
        hostname="nouvelles.example",
        path=path,
        referrer=chance.choice(["", "", "www.google.com/", "news.google.com/", "t.co/x"]),
        source=chance.choice(["", "", "Google", "Google News", "X"]),
        channel=chance.choice(["Direct", "Organic Search", "Organic Social"]),
        device=chance.choice(["Mobile", "Mobile", "Desktop"]),
        browser=chance.choice(["Chrome", "Safari", "Firefox"]),
        browser_version=str(chance.randrange(120, 140)),
        os=chance.choice(["Android", "iOS", "Windows", "macOS"]),
        country=chance.choice(["FR", "FR", "FR", "BE", "CH", "CA"]),
        screen=chance.choice(["Mobile", "Laptop", "Desktop"]),
        props={"author": chance.choice(WORDS)} if chance.random() < 0.3 else {},
    )


def _with_ids(grant: Grant, receipt_id: str, decision_id: str, at: datetime) -> Grant:
    return replace(grant, receipt_id=receipt_id, decision_id=decision_id, decided_at=at, granted_at=at)


@contextmanager
def clickhouse() -> Iterator[tuple[EventStore, Path, Engine]]:
    """Run the engine and give a store on it, with its directory and the engine of the main database."""
    directory = Path(tempfile.mkdtemp(prefix="bench-clickhouse-"))
    server = ClickHouse(directory)
    try:
        with postgres() as url, server.database() as place:
            engine = make_engine(url)
            upgrade(engine)
            store = ClickHouseStore(parse_events_url(place), engine)
            yield store, directory, engine
            store.close()
            engine.dispose()
    finally:
        server.kill()
        shutil.rmtree(directory)


@contextmanager
def postgres() -> Iterator[str]:
    """Give a new database with durable commits."""
    server = os.environ.get("CONSENT_TEST_POSTGRES_URL") or find_server()
    cluster = None
    if server is None:
        programs = find_programs()
        if programs is None:
            raise SystemExit("bench.scale needs PostgreSQL: install it or set CONSENT_TEST_POSTGRES_URL")
        cluster = make_cluster(programs, "-c listen_addresses=127.0.0.1")
        cluster.create()
        server = cluster.start()
    try:
        admin = make_engine(server)
        name = f"bench_scale_{os.getpid()}"
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
    finally:
        if cluster is not None:
            cluster.stop()


def beside(engine: Engine) -> int:
    """Give the bytes of the remembered ids beside ClickHouse, indexes included; the other tables there stay small."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_total_relation_size('event_recent')")).scalar_one())


def size(directory: Path) -> int:
    """Give the bytes of all files of a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def describe_machine() -> str:
    """Say on what the figures were measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
