"""Every figure of a filled demo is the one its generator counted, and what was withdrawn is gone."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from consent_service.core import Core, make_core
from consent_service.db.tables import decision, erasure_job, receipt, user
from consent_service.demo.run import BEGUN_FILE, DONE_FILE, DemoError, prepare
from consent_service.locks import SERVER, take
from consent_service.sites.changes import add_site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.demo.conftest import EVENTS, NOW, Demo, make_demo_config

METRICS = ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration", "views_per_visit"]
DIMENSIONS = [
    "event:page",
    "visit:source",
    "visit:channel",
    "visit:device",
    "visit:browser",
    "visit:os",
    "visit:country",
]
PERIODS = ["year", "28d", "2026-11-24", "2026-11-23", "2026-07-04"]


@pytest.mark.parametrize("period", PERIODS)
def test_every_total_is_the_truth(demo: Demo, period: str) -> None:
    told = demo.truth["periods"][period]
    [row] = demo.query(metrics=METRICS, date_range=[told["from"], told["to"]])
    assert dict(zip(METRICS, row["metrics"], strict=True)) == told["total"]


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_row_of_a_breakdown_is_the_truth(demo: Demo, period: str, dimension: str) -> None:
    told = demo.truth["periods"][period]
    rows = demo.query(metrics=METRICS, dimensions=[dimension], date_range=[told["from"], told["to"]])
    found = {row["dimensions"][0]: dict(zip(METRICS, row["metrics"], strict=True)) for row in rows}
    assert found == told[dimension]


def test_every_day_is_the_truth(demo: Demo) -> None:
    year = demo.truth["periods"]["year"]
    rows = demo.query(metrics=METRICS, dimensions=["time:day"], date_range=[year["from"], year["to"]])
    found = {row["dimensions"][0]: dict(zip(METRICS, row["metrics"], strict=True)) for row in rows}
    assert found == demo.truth["days"]


def test_the_last_28_days_are_those_the_api_means(demo: Demo) -> None:
    [row] = demo.query(metrics=METRICS, date_range="28d")
    assert dict(zip(METRICS, row["metrics"], strict=True)) == demo.truth["periods"]["28d"]["total"]


def test_every_figure_of_consent_is_the_truth(demo: Demo) -> None:
    year = demo.truth["periods"]["year"]
    answer = demo.client.get(
        f"/api/v1/consent?site={demo.truth['site']}&from={year['from']}&to={year['to']}&by=day",
        headers={"Authorization": f"Bearer {demo.token}"},
    )
    assert answer.status_code == 200, answer.text
    kinds = ("accepted", "refused", "customised", "withdrawn")
    document = answer.get_json()
    rows = (
        document if isinstance(document, list) else next(item for item in document.values() if isinstance(item, list))
    )
    found = {row["day"]: {kind: row[kind] for kind in kinds} for row in rows}
    assert {day: counts for day, counts in found.items() if any(counts.values())} == demo.truth["consent"]["days"]


def test_as_many_events_are_stored_as_were_asked_for_each_under_its_consent(demo: Demo) -> None:
    sql = "SELECT receipt_id, decision_id, occurred_at, decided_at, received_at FROM event"
    rows = demo.keeper.store.fetch(sql, []).rows
    assert len(rows) == EVENTS
    with demo.core.engine.connect() as connection:
        decided = connection.execute(select(decision.c.decision_id, decision.c.receipt_id))
        known = {row.decision_id: row.receipt_id for row in decided}
    for receipt_id, decision_id, occurred_at, decided_at, received_at in rows:
        assert known[str(decision_id)] == UUID(str(receipt_id)).hex
        assert decided_at < occurred_at <= received_at


def test_what_was_withdrawn_has_no_row_and_its_job_is_done(demo: Demo) -> None:
    with demo.core.engine.connect() as connection:
        jobs = connection.execute(select(erasure_job)).all()
        left = connection.execute(select(receipt.c.receipt_id).where(receipt.c.withdrawn_at.is_not(None))).scalars()
        withdrawn = set(left)
    assert len(jobs) == len(withdrawn) == demo.truth["consent"]["total"]["withdrawn"] > 10
    for job in jobs:
        assert job.status == "done"
        assert job.events > 0
        assert job.requested_at < job.done_at <= job.due_at
        assert job.compacted_at - job.done_at < timedelta(days=1)
    sql = "SELECT count(*) FROM event WHERE receipt_id IN (SELECT unnest($1::UUID[]))"
    assert demo.keeper.store.fetch(sql, [[UUID(hex=item) for item in withdrawn]]).rows == [(0,)]


def test_refusals_hold_no_receipt_and_no_country(demo: Demo) -> None:
    with demo.core.engine.connect() as connection:
        count = connection.execute(
            select(func.count())
            .select_from(decision)
            .where(
                decision.c.action == "refuse_all",
                decision.c.receipt_id.is_(None),
                decision.c.country.is_(None),
                decision.c.device.is_(None),
            )
        ).scalar_one()
    assert count == demo.truth["consent"]["total"]["refused"]


def test_a_complete_demo_is_not_filled_again_and_gets_a_new_login_link(demo: Demo) -> None:
    lines = prepare(demo.core, 99)
    assert lines[0] == demo.lines[0] == "Demo page  http://127.0.0.1:8123/demo/"
    assert lines[1] != demo.lines[1]
    assert demo.keeper.store.fetch("SELECT count(*) FROM event", []).rows == [(EVENTS,)]
    link = lines[1].split()[1].removeprefix("http://127.0.0.1:8123")
    assert demo.client.get(link).status_code in (200, 302, 303)


def test_a_demo_that_was_killed_while_it_was_filled_says_so(tmp_path: Path) -> None:
    core = make_core(make_demo_config(tmp_path), Clock(NOW))
    (tmp_path / BEGUN_FILE).write_text("{}")
    with pytest.raises(DemoError, match="remove the directory"):
        prepare(core, 10)
    core.close()


def test_a_deployment_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    core = make_core(make_demo_config(tmp_path), Clock(NOW))
    settings = SiteSettings(name="A", domain="a.example")
    core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=NOW))
    core.sites.revision.forget()
    with pytest.raises(DemoError, match="no demo"):
        prepare(core, 10)
    assert not (tmp_path / DONE_FILE).exists()
    core.close()


def test_a_directory_in_use_is_not_filled(tmp_path: Path) -> None:
    core = make_core(make_demo_config(tmp_path), Clock(NOW))
    with take(tmp_path / SERVER), pytest.raises(DemoError, match="another process"):
        prepare(core, 10)
    core.close()


def test_a_demo_that_is_being_served_is_not_changed_under_its_server() -> None:
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        config = make_demo_config(Path(name))
        core = make_core(config, Clock(NOW))
        prepare(core, 0)
        core.close()
        elsewhere = make_core(replace(config, public_url="http://127.0.0.1:9999"), Clock(NOW))
        before = (elsewhere.sites.all()[0].origins, links(elsewhere))
        with take(Path(name) / SERVER), pytest.raises(DemoError, match="another process"):
            prepare(elsewhere, 0)
        elsewhere.sites.revision.forget()
        assert (elsewhere.sites.all()[0].origins, links(elsewhere)) == before
        prepare(elsewhere, 0)
        elsewhere.sites.revision.forget()
        assert "http://127.0.0.1:9999" in elsewhere.sites.all()[0].origins
        assert links(elsewhere) != before[1]
        elsewhere.close()


def links(core: Core) -> list[str | None]:
    """Give the hash of each person's one-time link."""
    with core.engine.connect() as connection:
        return list(connection.execute(select(user.c.setup_hash)).scalars())


def test_a_demo_without_events_is_a_site_with_a_policy() -> None:
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        core = make_core(make_demo_config(Path(name)), Clock(NOW))
        assert len(prepare(core, 0)) == 4
        core.sites.revision.forget()
        [site] = core.sites.all()
        publication = core.publications.of(site)
        assert publication is not None
        assert publication.current.version == 1
        core.close()
