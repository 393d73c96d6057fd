"""A production server on a directory of its own, and a crowd that sends events to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from consent_service.locks import KEEPER, read_holder
from tests.integration.cli.program import COMMAND, environment, run_forked

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ORIGIN = "https://nouvelles.example"
START_SECONDS = 60


def until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask again and again until something holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"{what} did not happen within {seconds} s")


@dataclass
class Server:
    """Hold a server process with its directory, and what is needed to talk to it."""

    directory: Path
    port: int
    key: str = ""
    token: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Name the file that holds what the server wrote to its standard error."""
        return self.directory.with_name("log")

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection of one's own and send something that need not be a request."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(sent)
        return connection

    def run(self, *arguments: str) -> Any:
        """Run a command on the directory and give its JSON."""
        done = run_forked([*arguments, "--data-dir", str(self.directory), "--json"], environment())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port), "--workers", "2", "--data-dir", str(self.directory)],
                env=environment(RATE_LIMITS="off"),
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        until(self.is_ready, START_SECONDS, "the server's start")

    def is_ready(self) -> bool:
        """Tell whether both stores answer."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def pids(self, role: str) -> list[int]:
        """Give the process numbers of the workers (`web`) or of the keeper."""
        locks = self.directory.glob("inbox/inbox-*.lock") if role == "web" else [self.directory / KEEPER]
        return [pid for lock in locks if (pid := read_holder(lock)) is not None]

    def stored(self) -> list[str]:
        """Give the id of every stored event."""
        answer = httpx.get(
            f"{self.url}/api/v1/events",
            params={"site": self.key},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return [json.loads(line)["event_id"] for line in answer.text.splitlines()]

    def stop(self) -> int:
        """Ask the server to end and give its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End every process of the server at once, as a power cut does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@dataclass
class Crowd:
    """Send single pageviews from several threads until `count` were acknowledged; an id is tried until it is.

    A thread whose consent is refused sends no more. `last_sent_at` is when the newest acknowledged one was sent.
    """

    server: Server
    consent: str
    count: int
    acknowledged: list[str] = field(default_factory=list)
    last_sent_at: float = 0.0
    retried: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _given_out: int = 0
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, threads: int = 8) -> None:
        """Begin to send."""
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def has_sent(self, count: int) -> bool:
        """Tell whether more than `count` events were acknowledged."""
        return len(self.acknowledged) > count

    def join(self) -> None:
        """Wait until all are acknowledged."""
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with httpx.Client(timeout=10) as client:
            while self._take():
                event_id = str(uuid4())
                deadline = time.monotonic() + 60
                sent_at = time.monotonic()
                while (status := self._try(client, event_id)) not in (202, 403):
                    assert time.monotonic() < deadline
                    self.retried += 1
                    time.sleep(0.02)
                    sent_at = time.monotonic()
                with self._lock:
                    if status == 403:
                        self.refused += 1
                        return
                    self.acknowledged.append(event_id)
                    self.last_sent_at = max(self.last_sent_at, sent_at)

    def _take(self) -> bool:
        with self._lock:
            self._given_out += 1
            return self._given_out <= self.count

    def _try(self, client: httpx.Client, event_id: str) -> int:
        event = {"id": event_id, "name": "pageview", "url": f"{ORIGIN}/a"}
        body = {"site": self.server.key, "token": self.consent, "events": [event]}
        try:
            return client.post(f"{self.server.url}/v1/events", json=body, headers={"Origin": ORIGIN}).status_code
        except httpx.HTTPError:
            return 0


def decide(server: Server, action: str = "accept_all") -> dict[str, Any]:
    """Decide as a visitor of the site."""
    config = httpx.get(f"{server.url}/v1/sites/{server.key}/banner", params={"lang": "fr"}).json()
    body = {
        "site": server.key,
        "action": action,
        "purposes": {"analytics": action == "accept_all"},
        "policy_version": config["policy_version"],
        "banner_hash": config["banner_hash"],
        "language": "fr",
    }
    answer = httpx.post(f"{server.url}/v1/decisions", json=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


@contextmanager
def open_server(settings: str = "") -> Iterator[Server]:
    """Run a server with one site on a fresh directory, with the lines of its `.env`."""
    with tempfile.TemporaryDirectory(prefix="consent-", ignore_cleanup_errors=True) as name, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = Server(Path(name) / "data", free.getsockname()[1])
        free.close()
        made.directory.mkdir(mode=0o700)
        (made.directory / ".env").write_text(settings)
        made.run("init")
        made.key = made.run("site", "add", "nouvelles.example")["key"]
        made.run("policy", "publish", made.key, str(EXAMPLES / "policy.toml"))
        made.token = made.run("token", "create", "--site", made.key, "--scope", "events:export")["token"]
        made.start()
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.kill()


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a server of the test's own."""
    with open_server() as running:
        yield running
