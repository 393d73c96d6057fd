"""Migrations: up and down on both databases, the newest schema is the models', and what was stored comes along."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from consent_service.consent.kinds import kinds_of
from consent_service.db.columns import metadata
from consent_service.db.engine import make_engine
from consent_service.db.migrate import downgrade, upgrade
from consent_service.db.schema import state

FIRST = "20261124_main"
AT = "'2026-03-10 09:30:00+00'"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Give an empty database."""
    if request.param == "postgresql":
        url = str(request.getfixturevalue("empty_postgres_database"))
    else:
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'consent.sqlite'}"
    made = make_engine(url)
    downgrade(made, "base")
    yield made
    downgrade(made, "base")
    made.dispose()


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def ids(engine: Engine, table: str, column: str) -> list[str]:
    with engine.connect() as connection:
        return [str(value) for value in connection.execute(text(f"SELECT {column} FROM {table} ORDER BY 1")).scalars()]


def test_the_newest_schema_is_that_of_the_models(engine: Engine) -> None:
    upgrade(engine)
    assert state(engine).is_current
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_every_step_goes_down_and_up_again(engine: Engine) -> None:
    upgrade(engine)
    downgrade(engine, FIRST)
    assert state(engine).current == FIRST
    upgrade(engine)
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    assert state(engine).is_current


def test_what_deleted_records_left_behind_is_forgotten(engine: Engine) -> None:
    upgrade(engine, FIRST)
    kept, gone = "a" * 32, "b" * 32
    run(
        engine,
        f"INSERT INTO site (site_id, key, settings, created_at) VALUES (1, 'abcdefgh', '{{}}', {AT})",
        "INSERT INTO receipt (receipt_id, site_id, visitor_id, visitor_at, decision_id, decided_at, granted_at,"
        " expires_at, policy_version, notice_hash, purposes, withdrawn, created_at)"
        f" VALUES ('{kept}', 1, 7, {AT}, 'd1', {AT}, {AT}, {AT}, 1, '', '[]', '[]', {AT})",
        *(
            "INSERT INTO revocation (site_id, receipt_id, decision_id, purposes, revoked_at)"
            f" VALUES (1, '{receipt_id}', 'd1', '[]', {AT})"
            for receipt_id in (kept, gone)
        ),
        f"INSERT INTO decision_removal (decision_id, reason, removed_at) VALUES ('d0', 'erasure', {AT})",
    )
    upgrade(engine)
    assert ids(engine, "revocation", "receipt_id") == [kept]
    assert ids(engine, "decision_removal", "decision_id") == []
    assert ids(engine, "receipt", "receipt_id") == [kept]


def test_old_decisions_count_as_what_new_ones_do(engine: Engine) -> None:
    upgrade(engine, "20261130_reasked")
    both, one, none = {"a": True, "b": True}, {"a": True, "b": False}, {"a": False, "b": False}
    acts = [
        ("accept_all", both, []),
        ("save", one, []),
        ("save", one, ["b"]),
        ("refuse_all", none, []),
        ("refuse_all", none, ["a"]),
        ("withdraw", none, ["a", "b"]),
        ("withdraw", one, ["b"]),
    ]
    site = f"INSERT INTO site (site_id, key, settings, created_at) VALUES (1, 'abcdefgh', '{{}}', {AT})"
    run(
        engine,
        site,
        *(
            "INSERT INTO decision (decision_id, site_id, action, purposes, withdrawn, policy_version, language,"
            f" mechanism, decided_at, expires_at, record, salt) VALUES ('d{number}', 1, '{action}',"
            f" '{json.dumps(purposes)}', '{json.dumps(withdrawn)}', 1, 'fr', 'banner', {AT}, {AT}, '', '')"
            for number, (action, purposes, withdrawn) in enumerate(acts)
        ),
    )
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT counts_as FROM decision ORDER BY decision_id")).scalars().all()
    assert found == [" ".join(kinds_of(*act)) for act in acts]
    with pytest.raises(DBAPIError):
        run(engine, "UPDATE decision SET language = 'en'")


def test_an_erasure_may_lose_its_name_and_its_other_rules_stay(engine: Engine) -> None:
    upgrade(engine)
    values = "(erasure_id, site_id, reason, status, requested_at, due_at)"
    run(
        engine,
        f"INSERT INTO site (site_id, key, settings, created_at) VALUES (1, 'abcdefgh', '{{}}', {AT})",
        f"INSERT INTO erasure_job {values} VALUES ('e1', 1, 'withdrawal', 'done', {AT}, {AT})",
    )
    for number, wrong in enumerate(("'no', 'done'", "'request', 'no'")):
        with pytest.raises(DBAPIError):
            run(engine, f"INSERT INTO erasure_job {values} VALUES ('w{number}', 1, {wrong}, {AT}, {AT})")
    downgrade(engine, "20261201_events")
    assert ids(engine, "erasure_job", "receipt_id") == [""]
    with pytest.raises(DBAPIError):
        run(engine, f"INSERT INTO erasure_job {values} VALUES ('e2', 1, 'request', 'done', {AT}, {AT})")
