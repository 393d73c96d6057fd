"""A ClickHouse for the tests: the real engine in a process of its own, behind tests/clickhouse_front.py."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consent_service.events.clickhouse_server import Server
from consent_service.events_url import parse_events_url

FRONT = Path(__file__).with_name("clickhouse_front.py")


class ClickHouse:
    """Hold a server that a test may kill and start again on the same port and files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, str(FRONT), str(self.directory), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def pause(self) -> None:
        """Let it hang: it takes connections and does not answer."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def url(self, database: str) -> str:
        """Give the URL of a database as EVENTS_URL takes it."""
        return f"clickhouse://default:secret@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of an empty database that is dropped afterwards."""
        name = f"consent_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}")
        yield self.url(name)
        self.run(f"DROP DATABASE {name} SYNC")

    def run(self, sql: str) -> None:
        """Run a statement outside of any deployment."""
        server = Server(parse_events_url(self.url("default")))
        server.run(sql)
        server.close()


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouse]:
    """Give the server of this module; it takes a second to start, so tests that need it lie in few files."""
    directory = Path(tempfile.mkdtemp(prefix="consent-clickhouse-"))
    server = ClickHouse(directory)
    yield server
    server.kill()
    shutil.rmtree(directory)


@pytest.fixture
def clickhouse_url(clickhouse: ClickHouse) -> Iterator[str]:
    """Give the URL of an empty database of this test's own."""
    with clickhouse.database() as url:
        yield url
