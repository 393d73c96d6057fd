"""A demo's events are moved to ClickHouse: broken off and taken up again, counted, and every report as before."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_service.cli import commands
from consent_service.cli.output import Refused
from consent_service.config import Config, load_config
from consent_service.core import make_core
from consent_service.db.event_tables import event_recent, event_visit, event_watermark
from consent_service.demo.run import prepare
from consent_service.events import moving
from consent_service.events.clickhouse_reading import ClickHouseReader
from consent_service.events.clickhouse_server import Server
from consent_service.events.duckdb import DuckDBStore
from consent_service.events.moving import Move, MoveError
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


def test_a_move_that_broke_off_is_taken_up_and_every_report_is_as_before(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    core = make_core(filled.config, Clock())
    site_id = core.sites.all()[0].site_id
    source, url = DuckDBStore(filled.config.events_path, threads=1), filled.config.events_url
    assert url is not None
    server = Server(url)
    source.apply(Batch([], {(site_id, NOW.date(), "bot"): 7}, [InboxRange("gone", 1)]), NOW)
    before = answers(StoreReader(source), site_id)
    remembered = source.fetch("SELECT count(*) FROM recent_event", []).rows[0][0]
    stored = source.fetch("SELECT count(*) FROM event", []).rows[0][0]
    monkeypatch.setattr(moving, "ROWS_AT_ONCE", 40)
    told: list[int] = []

    def break_off(count: int) -> None:
        told.append(count)
        if sum(told) > 600:
            raise KeyboardInterrupt

    move = Move(source, server, core.engine)
    with pytest.raises(KeyboardInterrupt):
        move.run(break_off)
    # A day of which only a part arrived.
    [(part,)] = server.fetch("SELECT count() FROM event").rows
    assert 0 < part < stored
    source.close()

    for name, value in filled.environ.items():
        monkeypatch.setenv(name, value)
    directory = ["--data-dir", str(filled.config.data_dir)]
    with pytest.raises(Refused, match="not yet in ClickHouse; run: consent-service migrate-events"):
        commands.main(["site", "list", *directory], standalone_mode=False)
    capsys.readouterr()
    commands.main(["migrate-events", "--json", *directory], standalone_mode=False)
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert (document["already"], document["events"] + document["already"]) == (part, stored)
    assert f"migrate-events: {stored} of {stored} events moved" in output.err
    kept = Path(document["file"])
    assert kept.exists()
    assert not filled.config.events_path.exists()

    reader = ClickHouseReader(url)
    after = answers(reader, site_id)
    for name, answer in before.items():
        assert after[name] == answer, name
    assert before["drops"]["total"] == 7
    with core.engine.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (event_recent, event_visit, event_watermark)
        ]
    assert counts[0] == remembered
    assert counts[2] > 0

    kept.rename(filled.config.events_path)
    source = DuckDBStore(filled.config.events_path, threads=1)
    with pytest.raises(MoveError, match="in use already"):
        Move(source, server, core.engine).run(lambda count: None)
    source.close()
    kept.write_bytes(b"")
    filled.config.events_path.unlink()
    with pytest.raises(Refused, match="nothing to move"):
        commands.main(["migrate-events", *directory], standalone_mode=False)
    server.close()
    reader.close()
    core.close()
