"""A real server with the demo site, and what the tests ask of it from outside."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Request

from tests.browser.lab import Lab, open_lab
from tests.integration.cli.program import COMMAND, environment, run_forked

START_SECONDS = 90


@dataclass
class Demo:
    """Hold a running demo: its address, its directory, its site's key and a token that reads everything."""

    url: str
    directory: Path
    key: str
    token: str

    def run(self, *arguments: str) -> Any:
        """Run a command on the demo's directory and give its JSON."""
        return command(self.directory, *arguments)

    def export(self) -> list[dict[str, Any]]:
        """Give every stored event of the last year."""
        answer = httpx.get(
            f"{self.url}/api/v1/events",
            params={"site": self.key, "from": "2020-01-01"},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]

    def send(self, token: str | None, path: str = "/demo/") -> httpx.Response:
        """Send one pageview as a page of the demo would."""
        event = {"id": "00000000-0000-4000-8000-000000000001", "name": "pageview", "url": f"{self.url}{path}"}
        body = {"site": self.key, "token": token, "events": [event]}
        return httpx.post(f"{self.url}/v1/events", json=body, headers={"Origin": self.url})


@dataclass
class Traffic:
    """Hold every request a page made, and the answers to its decisions."""

    requests: list[Request] = field(default_factory=list)

    def of(self, part: str) -> list[Request]:
        """Give the requests whose address holds a text."""
        return [request for request in self.requests if part in request.url]


def command(directory: Path, *arguments: str) -> Any:
    """Run `consent-service … --json` and give what it printed."""
    done = run_forked([*arguments, "--data-dir", str(directory), "--json"], environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(holds: Callable[[], Any], seconds: float, what: str, page: Page | None = None) -> Any:
    """Ask again and again until something holds; fails after `seconds`. What a page's traffic shows needs the page."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        # Requests are told to the test only while it is with its page.
        page.wait_for_timeout(50) if page else time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {seconds} s")


def sent_json(request: Request) -> Any:
    """Give the document that a request carried; a text of JSON, whatever its type says."""
    return json.loads(request.post_data or "null")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run the demo with a few events, as a user would, on a free port."""
    directory = tmp_path_factory.mktemp("demo") / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*COMMAND, "demo", "--port", str(port), "--events", "300", "--data-dir", str(directory)],
        env=environment(WORKERS="2"),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: process.poll() is not None or _is_ready(url), START_SECONDS, "the demo's start")
        assert process.poll() is None, f"the demo ended with status {process.returncode}"
        key = command(directory, "site", "list")[0]["key"]
        scopes = [item for scope in ("stats:read", "consent:read", "events:export") for item in ("--scope", scope)]
        token = command(directory, "token", "create", "--site", key, *scopes)["token"]
        yield Demo(url, directory, key, token)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run a server for sites made to order."""
    with open_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Give what a visitor's browser is like."""
    return {**browser_context_args, "locale": "fr-FR", "viewport": {"width": 1366, "height": 800}}


@pytest.fixture
def visitor(browser: Any, context_args: dict[str, Any]) -> Iterator[Callable[..., tuple[Page, Traffic]]]:
    """Make fresh browsers: each with its page and a record of its traffic."""
    contexts: list[BrowserContext] = []

    def make(**changes: Any) -> tuple[Page, Traffic]:
        context = browser.new_context(**{**context_args, **changes})
        contexts.append(context)
        page, traffic = context.new_page(), Traffic()
        context.on("request", lambda request: traffic.requests.append(request))
        return page, traffic

    yield make
    for context in contexts:
        context.close()


def stored(page: Page) -> dict[str, Any]:
    """Give everything the browser holds for the page: cookies by name, and its storage."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    storage = page.evaluate("() => ({local: {...localStorage}, session: {...sessionStorage}})")
    return {"cookies": cookies, **storage}


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
