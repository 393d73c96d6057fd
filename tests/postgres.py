"""A PostgreSQL for the tests: the one that is named, else one that runs here, else a private one.

`python -m tests.postgres` tells which of them it would be.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from consent_service.db.engine import make_engine
from consent_service.db.migrate import upgrade

URL_SETTING = "CONSENT_TEST_POSTGRES_URL"
MEND = f"install PostgreSQL (Debian: apt install postgresql) or set {URL_SETTING}"
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=127.0.0.1"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A private server of these tests: its programs, its directory, and who runs it."""

    programs: Path
    directory: Path
    owner: pwd.struct_passwd | None
    password: str
    settings: str = SETTINGS

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the owner of the cluster; never as root."""
        return subprocess.run(
            [str(self.programs / program), "-D", str(self.directory / "data"), *arguments],
            cwd=self.directory,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            user=None if self.owner is None else self.owner.pw_uid,
            group=None if self.owner is None else self.owner.pw_gid,
            extra_groups=None if self.owner is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def create(self) -> None:
        """Make the cluster's files; raises RuntimeError with what initdb said."""
        secret = self.directory / "password"
        secret.write_text(self.password)
        if self.owner is not None:
            os.chown(secret, self.owner.pw_uid, self.owner.pw_gid)
        made = self.run(
            "initdb", "--username=consent", "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8",
            "--locale=C", "--no-sync",
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def start(self) -> str:
        """Start on a free loopback port and return the URL of its database `postgres`."""
        log = self.directory / "log"
        for _ in range(5):
            port = _free_port()
            options = f"-p {port} -k {self.directory} {self.settings}"
            if self.run("pg_ctl", "start", "-w", "-t", "60", "-l", str(log), "-o", options).returncode == 0:
                url = URL.create("postgresql", "consent", self.password, "127.0.0.1", port, "postgres")
                return url.render_as_string(hide_password=False)
        raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop at once and take the files away."""
        self.run("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(self.directory)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_programs() -> Path | None:
    """Return the directory of initdb and pg_ctl: on the PATH, else of the newest version installed."""
    if (found := shutil.which("initdb")) and (programs := Path(found).resolve().parent / "pg_ctl").exists():
        return programs.parent
    directories = [path for place in PLACES for path in Path("/").glob(place[1:]) if (path / "initdb").exists()]
    return max(directories, key=lambda path: [int(n) for n in _numbers(path)], default=None)


def _numbers(path: Path) -> list[str]:
    return "".join(letter if letter.isdigit() else " " for letter in str(path)).split()


def find_server() -> str | None:
    """Return the URL of a server that runs here, when this user may create databases on it."""
    try:
        with psycopg.connect("dbname=postgres connect_timeout=2") as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            if row is None or not row[0]:
                return None
            info = connection.info
            url = URL.create("postgresql", info.user, info.password or None, database="postgres")
            url = url.set(query={"host": info.host, "port": str(info.port)})
            return url.render_as_string(hide_password=False)
    except psycopg.OperationalError:
        return None


def make_cluster(programs: Path, settings: str = SETTINGS) -> Cluster:
    """Prepare an empty private cluster; root hands it over, since PostgreSQL refuses to run as root."""
    owner = _unprivileged() if os.geteuid() == 0 else None
    # Not below pytest's own directory, which other users may not enter.
    directory = Path(tempfile.mkdtemp(prefix="consent-postgres-"))
    if owner is not None:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    return Cluster(programs, directory, owner, secrets.token_hex(16), settings)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("root needs a user `postgres` or `nobody` to run PostgreSQL as")


@contextmanager
def _database(server: str, template: str | None) -> Iterator[str]:
    name = f"consent_test_{secrets.token_hex(6)}"
    source = sql.Identifier(template or "template0")
    _execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
    try:
        yield name
    finally:
        if os.environ.get("KEEPDB"):
            print(f"kept: psql {make_url(server).set(database=name).render_as_string(hide_password=False)}")
        else:
            _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a server on which databases may be created."""
    if url := os.environ.get(URL_SETTING) or find_server():
        yield url
        return
    programs = find_programs()
    if programs is None:
        pytest.fail(f"No PostgreSQL: {MEND}", pytrace=False)
    cluster = make_cluster(programs)
    try:
        cluster.create()
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Give the name of a database with the newest schema and no rows, to be copied."""
    with _database(postgres_url, template=None) as name:
        engine = make_engine(make_url(postgres_url).set(database=name))
        upgrade(engine)
        engine.dispose()
        yield name


@pytest.fixture(scope="module")
def postgres_database(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """Give the URL of a database of this module's own, with the newest schema and no rows."""
    with _database(postgres_url, template=postgres_template) as name:
        yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def own_postgres_database(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """Give the URL of a database of this test's own, with the newest schema and no rows."""
    with _database(postgres_url, template=postgres_template) as name:
        yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def empty_postgres_database(postgres_url: str) -> Iterator[str]:
    """Give the URL of a database of this test's own, without any table."""
    with _database(postgres_url, template=None) as name:
        yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


def _where() -> str | None:
    if os.environ.get(URL_SETTING):
        return f"the server in {URL_SETTING}"
    if find_server():
        return "the server that runs here"
    programs = find_programs()
    return None if programs is None else f"programs in {programs}, started by the tests"


if __name__ == "__main__":
    place = _where()
    if place is None:
        sys.exit(1)
    print(place)
