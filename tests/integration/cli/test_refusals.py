"""Whatever a user can cause is one line that says what is wrong and the mend, never a traceback."""

import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.integration.cli.conftest import EXAMPLES, Deployment
from tests.integration.cli.program import COMMAND, Program, environment, free_port

FUTURE = "99991231_from_the_future"


def test_an_unknown_command_and_an_unknown_option_are_wrong_usage(deployment: Deployment) -> None:
    program = deployment.program

    assert program.refused("zzz", code=2) == ["No such command 'zzz'; see: consent-service --help"]
    assert program.refused("site", "add", code=2) == ["Missing argument 'DOMAIN'; see: consent-service site add --help"]
    assert "--colour" in program.refused("status", "--colour", code=2)[0]
    assert program.refused(code=2)[0].startswith("name a command: access, backup, db, demo")
    assert program.refused("site", code=2)[0].startswith("name a command: add, list")


@pytest.mark.parametrize("absent", ["export"])
def test_what_a_later_release_brings_is_no_command_yet(deployment: Deployment, absent: str) -> None:
    [line] = deployment.program.refused(absent, code=2)
    assert line.startswith(f"No such command '{absent}'")


@pytest.mark.parametrize(
    "arguments",
    [
        ("site", "add", "not a host"),
        ("site", "add", "blog.example", "--timezone", "Mars/Olympus"),
        ("site", "add", "blog.example", "--languages", "fr;en"),
        ("token", "create", "--site", "KEY", "--scope", "everything"),
        ("user", "add", "a@example.org", "--role", "king"),
        ("serve", "--port", "0"),
        ("retention", "run", "--dry-run", "--compact"),
    ],
)
def test_a_wrong_argument_is_wrong_usage(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    assert len(deployment.program.refused(*arguments, code=2)) == 1


@pytest.mark.parametrize("scope", ["events:export", "admin"])
def test_a_public_token_is_not_made_with_a_scope_that_it_would_be_refused(deployment: Deployment, scope: str) -> None:
    arguments = ("token", "create", "--site", deployment.site, "--scope", "stats:read", "--scope", scope, "--public")
    [line] = deployment.program.refused(*arguments)
    assert line == "/public: a public token can have the scopes stats:read and consent:read alone"


def test_an_unknown_site_is_told_with_the_way_to_find_the_keys(deployment: Deployment) -> None:
    for command in (("site", "show"), ("site", "pause"), ("policy", "show")):
        [line] = deployment.program.refused(*command, "nokey")
        assert line == "there is no site with the key nokey; see: consent-service site list"


def test_a_directory_that_is_not_there_names_init(tmp_path: Path) -> None:
    program = Program(tmp_path / "nowhere")

    for command in (("site", "list"), ("status",), ("serve",), ("db", "check")):
        [line] = program.refused(*command)
        assert line.endswith(f"there is no secrets file; run: consent-service init --data-dir {program.data_dir}")
    assert not program.data_dir.exists()


def test_a_directory_without_its_database_names_init(copy: Program) -> None:
    (copy.data_dir / "consent.sqlite").unlink()

    for command in (("site", "list"), ("status",), ("serve",), ("db", "upgrade")):
        [line] = copy.refused(*command)
        assert line.endswith(f"there is no database; run: consent-service init --data-dir {copy.data_dir}")
    assert not (copy.data_dir / "consent.sqlite").exists()


def test_an_empty_database_names_init(copy: Program) -> None:
    (copy.data_dir / "consent.sqlite").write_bytes(b"")

    [line] = copy.refused("serve")

    assert line == f"the main database is empty; run: consent-service init --data-dir {copy.data_dir}"


def test_a_damaged_database_is_one_line(copy: Program) -> None:
    (copy.data_dir / "consent.sqlite").write_bytes(b"no database at all" * 500)

    [line] = copy.refused("site", "list")

    assert "file is not a database" in line


def test_secrets_that_others_can_read_name_chmod(copy: Program) -> None:
    secrets = copy.data_dir / "secrets.json"
    secrets.chmod(0o644)

    assert copy.refused("serve") == [f"{secrets}: can be read by others; run: chmod 600 {secrets}"]


def test_a_newer_database_is_refused_by_everything(copy: Program) -> None:
    connection = sqlite3.connect(copy.data_dir / "consent.sqlite")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (FUTURE,))
    connection.close()

    for command in (("serve",), ("site", "list"), ("init",), ("db", "upgrade"), ("status",)):
        [line] = copy.refused(*command)
        assert f"made by a newer consent-service (revision {FUTURE}" in line
    [line] = copy.refused("db", "check")
    assert FUTURE in line
    done = copy.run("db", "check", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert '"is_known":false' in done.stdout


def test_wrong_settings_are_all_listed_at_once(deployment: Deployment) -> None:
    lines = deployment.program.refused(
        "serve", WORKERS="many", PUBLIC_URL="consent.example", RATE_LIMITS="fast", LOG_LEVEL="loud", COLOUR="blue"
    )

    assert sorted(line.split(":")[0] for line in lines) == [
        f"CONSENT_SERVICE_{name}" for name in ("COLOUR", "LOG_LEVEL", "PUBLIC_URL", "RATE_LIMITS", "WORKERS")
    ]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for directory in (tmp_path / "file", tmp_path / "file" / "data"):
        [line] = Program(directory).refused("init")
        assert line.startswith(f"{directory} cannot be made: ")


def test_init_does_not_close_a_directory_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("")
    tmp_path.chmod(0o755)

    [line] = Program(tmp_path).refused("init")

    assert line.startswith(f"{tmp_path} is open to others and holds letter.txt")
    assert not (tmp_path / "secrets.json").exists()


def test_a_database_that_cannot_be_reached_is_one_line(copy: Program) -> None:
    url = f"postgresql://consent:hidden@127.0.0.1:{free_port()}/consent"

    for command in (("serve",), ("site", "list"), ("init",)):
        [line] = copy.refused(*command, DATABASE_URL=url)
        assert "the main database cannot be used" in line
        assert "CONSENT_SERVICE_DATABASE_URL" in line
        assert "hidden" not in line


def test_files_that_cannot_be_read_are_told_in_one_line(deployment: Deployment, tmp_path: Path) -> None:
    program, key = deployment.program, deployment.site
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "Démarches"\n'.encode("latin-1"))
    missing, other = tmp_path / "missing.toml", tmp_path / "policy.yaml"
    other.write_text("")

    assert program.refused("policy", "check", str(latin)) == [f"{latin}: line 1: is not UTF-8 text"]
    assert program.refused("policy", "publish", key, str(missing))[0].startswith(f"{missing}: No such file")
    assert program.refused("site", "set", key, str(tmp_path))[0].startswith(f"{tmp_path}: ")
    assert ".toml or .json" in program.refused("policy", "check", str(other))[0]


def test_a_settings_file_is_refused_with_every_problem(copy: Program, deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        (EXAMPLES / "site.toml")
        .read_text()
        .replace("paused = false", 'paused = "no"\nstopped = 1')
        .replace("#0b57d0", "blue")
    )

    lines = copy.refused("site", "set", deployment.site, str(file))

    assert len(lines) == 3
    assert all(line.startswith(f"{file}: line ") for line in lines)
    file.write_text((EXAMPLES / "site.toml").read_text().replace('purpose = "analytics"', 'purpose = "adverts"'))
    assert copy.refused("site", "set", deployment.site, str(file)) == [
        f"{file}: blocking[0].purpose: names the purpose adverts, which the policy does not have"
    ]


def test_output_that_nobody_reads_is_no_error_of_ours(deployment: Deployment) -> None:
    program = subprocess.Popen(
        [*COMMAND, "policy", "show", deployment.site],
        env=environment(DATA_DIR=str(deployment.program.data_dir)),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None

    assert program.stderr.read() == ""
    program.stderr.close()
    program.wait(60)


def test_the_demo_does_not_mix_with_a_deployment(copy: Program) -> None:
    [line] = copy.refused("demo", "--events", "10")

    assert line == f"{copy.data_dir} holds a deployment that is no demo; choose another directory with --data-dir"
