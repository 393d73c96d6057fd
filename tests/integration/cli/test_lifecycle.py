"""A visitor's copy, holds, backup and restore, by the commands that a user runs."""

import csv
import json
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.cli.conftest import Deployment, Serve, make_deployment
from tests.integration.cli.program import Page, Program

UNKNOWN = "0" * 32


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    """Give a deployment of its own on each kind of main database."""
    settings = {}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("empty_postgres_database")
    return make_deployment(tmp_path / "data", **settings)


def read_paths(program: Program, receipt_id: str, file: Path) -> list[str]:
    """Take a copy by the command; gives the paths of its events."""
    done = program.json("access", "--receipt", receipt_id, "--out", str(file))
    assert (done["receipt_id"], done["bytes"]) == (receipt_id, file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return sorted(event["path"] for event in json.loads(file.read_bytes())["events"])


def test_copy_hold_backup_and_restore(made: Deployment, serve: Serve, tmp_path: Path) -> None:
    program, copy = made.program, tmp_path / "copy.json"
    server = serve(program)
    with Page(server.url, made.site, made.origin) as page, Page(server.url, made.site, made.origin) as other:
        mine, theirs = page.accept(), other.accept()
        for each in (page, other):
            assert each.view(uuid4().hex, "/read").status_code == 202
        program.json("retention", "run", "--dry-run")
        assert read_paths(program, mine, copy) == ["/read"]
        table = tmp_path / "copy.csv"
        assert program.json("access", "--receipt", mine, "--out", str(table))["format"] == "csv"
        with table.open(newline="") as file:
            assert [row["path"] for row in csv.DictReader(file) if row["kind"] == "event"] == ["/read"]

        held = program.json("hold", "add", "--receipt", mine, "--reason", "case 7", "--by", "anna")
        assert (held["site"], held["receipt_id"], held["kind"], held["until"]) == (made.site, mine, "legal", None)
        assert [each["id"] for each in program.json("hold", "list", "--site", made.site)] == [held["id"]]
        assert program.json("erase", "--receipt", mine)["status"] == "held"
        assert read_paths(program, mine, copy) == ["/read"]

        backup = tmp_path / "backup.zip"
        assert program.json("backup", str(backup))["bytes"] == backup.stat().st_size
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600

        lifted = program.json("hold", "lift", held["id"])
        assert (lifted["id"], lifted["lifted_at"] is not None) == (held["id"], True)
        assert program.json("hold", "list") == []
        assert [each["id"] for each in program.json("hold", "list", "--all")] == [held["id"]]
        assert program.json("erase", "--receipt", theirs)["events"] == 1
        assert "a server or command works here" in program.refused("restore", str(backup))[0]
    assert server.stop() == 0

    restored = program.json("restore", str(backup))
    assert restored["replayed"]["erasures"] >= 1
    assert restored["unreadable_lines"] == 0
    assert program.json("hold", "list") == []
    assert read_paths(program, theirs, copy) == []
    assert read_paths(program, mine, copy) == []


def test_what_is_wrong_is_said_in_one_line(deployment: Deployment, tmp_path: Path) -> None:
    program, file = deployment.program, tmp_path / "file.json"
    (line,) = program.refused("access", "--receipt", UNKNOWN, "--out", str(file))
    assert line.startswith(f"there is no receipt {UNKNOWN}")
    assert not list(tmp_path.glob("file*"))
    assert "--format" in program.refused("access", "--receipt", UNKNOWN, "--out", "copy.txt", code=2)[0]
    assert "either --receipt or --site" in program.refused("hold", "add", "--reason", "x", code=2)[0]
    wish = ("hold", "add", "--site", deployment.site, "--reason", "x", "--restriction")
    assert "needs --receipt" in program.refused(*wish, code=2)[0]
    past = ("hold", "add", "--site", deployment.site, "--reason", "x", "--until", "2020-01-01")
    assert "must be in the future" in program.refused(*past)[0]
    assert program.refused("hold", "lift", "nothing")[0].startswith("there is no hold nothing")
    file.write_bytes(b"not a backup")
    for path in (file, tmp_path / "missing.zip"):
        assert len(program.refused("restore", str(path))) == 1


def test_a_whole_site_is_held(deployment: Deployment) -> None:
    program = deployment.program
    held = program.json("hold", "add", "--site", deployment.site, "--reason", "audit", "--until", "2999-12-31")
    assert (held["receipt_id"], held["until"]) == (None, "3000-01-01T00:00:00.000Z")
    program.json("hold", "lift", held["id"])
    assert "was lifted before" in program.refused("hold", "lift", held["id"])[0]
