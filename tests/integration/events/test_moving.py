"""A demo's events are moved to ClickHouse: broken off and taken up again, counted, and every report as before."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_service.cli import commands
from consent_service.cli.output import Refused
from consent_service.config import Config, load_config
from consent_service.core import Core, make_core
from consent_service.db.event_tables import event_recent, event_watermark
from consent_service.demo.run import prepare
from consent_service.events import moving
from consent_service.events.clickhouse_reading import ClickHouseReader
from consent_service.events.clickhouse_server import Server
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.moving import Move
from consent_service.events.schema import Batch, InboxRange
from consent_service.ledger.guard import begin_log
from consent_service.secrets import write_secrets
from consent_service.stats.drops import drops_by_reason
from consent_service.stats.parse import parse_query
from consent_service.stats.query import Site
from consent_service.stats.runner import run
from tests.clickhouse import ClickHouse
from tests.integration.clock import Clock
from tests.integration.reading import StoreReader

NOW = Clock()()
EVENTS = 1_500
METRICS = ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration", "views_per_visit"]
DIMENSIONS = [
    "event:page",
    "event:name",
    "event:hostname",
    "time:hour",
    "time:day",
    "time:week",
    "time:month",
    "visit:entry_page",
    "visit:exit_page",
    *(f"visit:{name}" for name in ("source", "channel", "referrer", "utm_campaign", "device", "browser", "os")),
    *(f"visit:{name}" for name in ("os_version", "browser_version", "screen", "country", "region", "city")),
]


@dataclass
class Filled:
    """Hold a demo in PostgreSQL and DuckDB, and where its events may be moved."""

    config: Config
    environ: dict[str, str]


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, postgres_database: str, clickhouse: ClickHouse
) -> Iterator[Filled]:
    directory = tmp_path_factory.mktemp("demo")
    write_secrets(directory, NOW)
    begin_log(directory, NOW)
    environ = {"CONSENT_SERVICE_DATABASE_URL": postgres_database, "CONSENT_SERVICE_RATE_LIMITS": "off"}
    core = make_core(load_config(environ, data_dir=directory, is_demo=True), Clock())
    prepare(core, EVENTS)
    core.close()
    with clickhouse.database() as url:
        environ["CONSENT_SERVICE_EVENTS_URL"] = url
        yield Filled(load_config(environ, data_dir=directory), environ)


def answers(reader: Any, site_id: int) -> dict[str, Any]:
    """Ask for everything that reports show."""
    found: dict[str, Any] = {}
    for dimension in [None, *DIMENSIONS]:
        by = [] if dimension is None else [dimension]
        is_hit = dimension in ("event:name", "event:hostname")
        for date_range in ("all", "28d") if dimension in (None, "event:page", "time:day") else ("all",):
            document = {
                "site_id": "demo",
                "metrics": METRICS[:4] if is_hit else METRICS,
                "date_range": date_range,
                "dimensions": by,
                "pagination": {"limit": 1000},
                "include": {"total_rows": True},
            }
            query = parse_query(document, Site(site_id, "Europe/Paris"), NOW)
            found[f"{dimension} {date_range}"] = run(reader, query).document()
    found["drops"] = drops_by_reason(reader, site_id, NOW.date().replace(year=NOW.year - 1), NOW.date())
    return found


@pytest.fixture
def core(filled: Filled) -> Iterator[Core]:
    made = make_core(filled.config, Clock())
    yield made
    made.close()


@pytest.fixture
def server(filled: Filled) -> Iterator[Server]:
    assert filled.config.events_url is not None
    made = Server(filled.config.events_url)
    yield made
    made.close()


def break_off_after(number: int) -> Callable[[int], None]:
    """Give a progress that is interrupted, as by Ctrl+C, once it was told of so many events."""
    told: list[int] = []

    def progress(count: int) -> None:
        told.append(count)
        if sum(told) > number:
            raise KeyboardInterrupt

    return progress


def migrate(config: Config, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """Run the command; gives its document and what it said on the way."""
    capsys.readouterr()
    commands.main(["migrate-events", "--json", "--data-dir", str(config.data_dir)], standalone_mode=False)
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_a_move_that_broke_off_is_taken_up_and_every_report_is_as_before(
    filled: Filled,
    core: Core,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, site_id = filled.config, core.sites.all()[0].site_id
    source = DuckDBStore(config.events_path, threads=1)
    source.apply(Batch([], {(site_id, NOW.date(), "bot"): 7}, [InboxRange("gone", 1)]), NOW)
    before = answers(StoreReader(source), site_id)
    counts = [source.fetch(f"SELECT count(*) FROM {name}", []).rows[0][0] for name in ("event", "recent_event")]
    monkeypatch.setattr(moving, "ROWS_AT_ONCE", 40)
    with pytest.raises(KeyboardInterrupt):
        Move(source, server, core.engine).run(break_off_after(600))
    source.close()
    [(part,)] = server.fetch("SELECT count() FROM event").rows
    assert 0 < part < counts[0]

    for name, value in filled.environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused, match="not yet in ClickHouse; run: consent-service migrate-events"):
        commands.main(["site", "list", "--data-dir", str(config.data_dir)], standalone_mode=False)
    document, said = migrate(config, capsys)
    assert (document["already"], document["events"] + document["already"]) == (part, counts[0])
    assert f"migrate-events: {counts[0]} of {counts[0]} events moved" in said
    assert (Path(document["file"]), config.events_path.exists()) == (config.moved_events_path, False)

    assert config.events_url is not None
    reader = ClickHouseReader(config.events_url)
    after = answers(reader, site_id)
    reader.close()
    for name, answer in before.items():
        assert after[name] == answer, name
    assert before["drops"]["total"] == 7
    with core.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(event_recent)).scalar_one() == counts[1]
        assert connection.execute(select(func.count()).select_from(event_watermark)).scalar_one() > 0


def test_once_clickhouse_is_in_use_nothing_comes_back_from_the_file(
    filled: Filled, core: Core, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = filled.config
    for name, value in filled.environ.items():
        monkeypatch.setenv(name, value)
    if config.events_path.exists():
        migrate(config, capsys)
    with pytest.raises(Refused, match="nothing to move"):
        migrate(config, capsys)
    shutil.copy(config.moved_events_path, config.events_path)
    with pytest.raises(Refused, match="in use already"):
        migrate(config, capsys)
    config.events_path.unlink()
