"""A deployment whose events are in ClickHouse: collected, reported, exported, withdrawn, backed up and restored."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.db.event_tables import event_recent
from consent_service.ledger.guard import begin_log
from consent_service.secrets import write_secrets
from consent_service.serve.backup import BadBackup, write_backup
from consent_service.serve.restore import check_backup, restore_backup
from consent_service.services import EXTENSION
from tests.clickhouse import ClickHouse
from tests.integration.clock import Clock
from tests.integration.conftest import TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


@pytest.fixture
def config(data_dir: Path, own_postgres_database: str, clickhouse_url: str, now: Clock) -> Config:
    """Give settings with both servers."""
    write_secrets(data_dir, now())
    begin_log(data_dir, now())
    settings = {"DATABASE_URL": own_postgres_database, "EVENTS_URL": clickhouse_url, "RATE_LIMITS": "off"}
    return load_config({f"CONSENT_SERVICE_{name}": value for name, value in settings.items()}, data_dir=data_dir)


def count(keeper: KeeperInHand) -> int:
    return int(keeper.store.fetch("SELECT count() FROM event", []).rows[0][0])


def test_from_the_visitor_s_event_to_the_officer_s_report_and_back_to_nothing(
    app: Flask, visitor: Visitor, keeper: KeeperInHand, api_token: TokenMaker, core: Core, config: Config
) -> None:
    visitor.accept()
    for path in ("/a", "/a", "/b"):
        assert visitor.pageview(path).status_code == 202
    assert keeper.turn() == 3
    token = api_token("stats:read", "events:export")
    asked = {
        "site_id": visitor.site_key,
        "metrics": ["pageviews"],
        "date_range": "day",
        "dimensions": ["event:page"],
    }
    bearer = {"Authorization": f"Bearer {token}"}
    # Whoever asks needs no keeper for it.
    answer = visitor.client.post("/api/v2/query", json=asked, headers=bearer).get_json()
    assert [(row["dimensions"], row["metrics"]) for row in answer["results"]] == [(["/a"], [2]), (["/b"], [1])]
    exported = visitor.client.get(f"/api/v1/events?site={visitor.site_key}", headers=bearer)
    assert len(exported.text.splitlines()) == 3
    assert visitor.withdraw().get_json()["erasure"]["status"] == "pending"
    keeper.turn()
    assert count(keeper) == 0
    assert not config.events_path.exists()
    app.extensions[EXTENSION].reader.close()


def test_a_question_while_clickhouse_is_away_is_a_503_that_says_when_to_come_again(
    app: Flask, visitor: Visitor, keeper: KeeperInHand, api_token: TokenMaker, clickhouse: ClickHouse
) -> None:
    visitor.accept()
    keeper.turn()
    clickhouse.kill()
    try:
        asked = {"site_id": visitor.site_key, "metrics": ["pageviews"], "date_range": "day"}
        bearer = {"Authorization": f"Bearer {api_token('stats:read')}"}
        answer = visitor.client.post("/api/v2/query", json=asked, headers=bearer)
        assert (answer.status_code, answer.headers["Retry-After"] != "") == (503, True)
        ready = visitor.client.get("/readyz")
        assert (ready.status_code, ready.get_json()["stores"]) == (503, {"database": True, "events": False})
    finally:
        clickhouse.start()
    app.extensions[EXTENSION].reader.close()


def test_a_backup_holds_all_but_the_events_and_its_restore_forgets_and_doubles_nobody(
    visitor: Visitor, keeper: KeeperInHand, core: Core, config: Config, now: Clock, tmp_path: Path
) -> None:
    kept, gone, stranger = visitor, visitor.another(), visitor.another()
    for each in (kept, gone):
        each.accept()
        each.pageview()
    event = kept.event("/twice")
    kept.send(event)
    keeper.turn()
    file = tmp_path / "today.backup"
    write_backup(core, file, lambda place: keeper.keeping.do("snapshot", {"directory": str(place)}))
    with zipfile.ZipFile(file) as archive:
        assert not any(name.startswith("events") for name in archive.namelist())
    now.move(minutes=30)
    gone.withdraw()
    stranger.accept()
    stranger.pageview()
    keeper.turn()
    assert count(keeper) == 3
    keeper.close()
    core.engine.dispose()
    check_backup(file, now())
    with pytest.raises(BadBackup, match="set EVENTS_URL"):
        restore_backup(replace(config, events_url=None), file, now)
    restored = restore_backup(config, file, now)
    assert (restored.replayed["withdrawals"], restored.strangers) == (1, 1)
    again = KeeperInHand(config, core)
    again.turn()
    # Of the two that were kept none is lost; what is sent again is known, though no backup held its id.
    assert count(again) == 2
    with core.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(event_recent)).scalar_one() == 2
    core.sites.revision.forget()
    kept.send(event)
    again.turn()
    assert count(again) == 2
    again.close()


def test_a_server_starts_without_clickhouse_and_goes_on_when_it_comes(
    visitor: Visitor, config: Config, core: Core, clickhouse: ClickHouse
) -> None:
    visitor.accept()
    visitor.pageview()
    clickhouse.kill()
    keeper = KeeperInHand(config, core)
    try:
        keeper.keeping._turn()
        # What is not the event store's goes on meanwhile.
        assert keeper.sign()
    finally:
        clickhouse.start()
    assert keeper.turn() == 1
    keeper.close()
