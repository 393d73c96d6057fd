"""The same commands on a deployment whose main database is PostgreSQL."""

from pathlib import Path

from tests.integration.cli.conftest import Serve, make_deployment
from tests.integration.cli.program import Page, Program


def test_a_deployment_on_postgresql_is_made_and_served(
    empty_postgres_database: str, tmp_path: Path, serve: Serve
) -> None:
    program = Program(tmp_path / "data", DATABASE_URL=empty_postgres_database)
    assert not program.data_dir.exists()
    deployment = make_deployment(program.data_dir, **program.settings)
    assert program.json("db", "check")["ok"] is True
    assert not (program.data_dir / "consent.sqlite").exists()

    server = serve(program)
    with Page(server.url, deployment.site, deployment.origin) as page:
        receipt_id = page.accept()

    assert program.json("erase", "--receipt", receipt_id, "--records")["status"] == "done"
    assert server.stop() == 0
    assert program.json("db", "upgrade")["to"] == program.json("db", "check")["head"]


def test_an_empty_database_names_init(empty_postgres_database: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "data", DATABASE_URL=empty_postgres_database, SECRET_KEYS="k" * 40)

    assert program.refused("site", "list") == [
        f"the main database is empty; run: consent-service init --data-dir {program.data_dir}"
    ]
