"""The tests' PostgreSQL is a real one, is not run by root, and gives each module its own copy."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.postgres import find_programs, make_cluster


def names(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_a_module_gets_a_database_with_the_schema_and_no_rows(postgres_database: str) -> None:
    assert {"site", "decision", "alembic_version"} <= names(postgres_database)
    with psycopg.connect(postgres_database) as connection:
        assert connection.execute("SELECT count(*) FROM site").fetchone() == (0,)


def test_an_empty_database_has_no_table_and_is_not_the_modules(
    empty_postgres_database: str, postgres_database: str
) -> None:
    assert names(empty_postgres_database) == set()
    assert make_url(empty_postgres_database).database != make_url(postgres_database).database


def test_a_private_cluster_runs_without_root_on_loopback_and_leaves_nothing() -> None:
    programs = find_programs()
    if programs is None:
        pytest.fail("this test starts a server of its own and needs PostgreSQL's programs")
    cluster = make_cluster(programs)
    try:
        cluster.create()
        url = cluster.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        process = int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])
        owner = (cluster.directory / "data").stat().st_uid
        assert owner != 0
        if Path("/proc").exists():
            assert Path(f"/proc/{process}").stat().st_uid == owner
    finally:
        cluster.stop()
    assert not cluster.directory.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
