"""Withdraw 200 consents under load, also while the event store stands still: `python -m bench.withdrawals`."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.__main__ import ORIGIN, run, service

LEAVING = 200
STAYING = 40
SENDERS = 4
STALL_SECONDS = float(os.environ.get("BENCH_STALL_SECONDS", "30"))
ERASE_SECONDS = 60.0


@dataclass
class Site:
    """Hold a server that runs, the site's key, and a token that may read its events."""

    port: int
    key: str
    reader: str
    directory: Path


@dataclass
class Outcome:
    """Tell how long withdrawing took, in milliseconds, and what was left of those who withdrew."""

    milliseconds: list[float] = field(default_factory=list)
    accepted: int = 0
    left: int = -1
    erased_after: float = 0.0

    def share(self, part: float) -> float:
        """Give the milliseconds that a part of all withdrawals stayed under."""
        return sorted(self.milliseconds)[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * part))]


def main() -> None:
    """Print for each case how long withdrawing took and how many rows were left."""
    for stall in (0.0, STALL_SECONDS):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            directory = Path(name) / "data"
            with service(directory) as (port, key, _):
                site = Site(port, key, make_reader(directory, key), directory)
                done = withdraw_under_load(site, LEAVING, stall)
        print(
            f"{len(done.milliseconds)} withdrawals under load, store stalled for {stall:.0f} s: "
            f"p50 {done.share(0.5):.1f} ms, p99 {done.share(0.99):.1f} ms, slowest {max(done.milliseconds):.1f} ms; "
            f"{done.accepted} events accepted meanwhile; rows left of those who withdrew: {done.left} "
            f"(after {done.erased_after:.1f} s)"
        )


def withdraw_under_load(site: Site, count: int, stall: float) -> Outcome:
    """Withdraw `count` consents while they and others send, spread over the seconds that the keeper stands still."""
    leaving = [agree(site) for _ in range(count)]
    staying = [agree(site) for _ in range(STAYING)]
    done, is_over = Outcome(), threading.Event()
    tokens = [each["token"] for each in (*leaving, *staying)]
    shares = [tokens[at::SENDERS] for at in range(SENDERS)]
    senders = [threading.Thread(target=_send, args=(site, share, is_over, done)) for share in shares]
    for sender in senders:
        sender.start()
    # Everybody has something in the store before anybody goes.
    gone = {each["receipt_id"] for each in leaving}
    wait_until(lambda: gone <= set(receipts_of(site)), 120)
    with stalled(site.directory, stall):
        started = time.monotonic()
        for number, each in enumerate(leaving):
            time.sleep(max(0.0, started + number * stall / count - time.monotonic()))
            done.milliseconds.append(1000 * withdraw(site, each["token"]))
        # Those who withdrew go on sending with their old tokens until the store moves again.
    ended = time.monotonic()
    wait_until(lambda: gone.isdisjoint(receipts_of(site)), ERASE_SECONDS)
    done.erased_after = time.monotonic() - ended
    is_over.set()
    for sender in senders:
        sender.join()
    settle(site)
    done.left = sum(1 for receipt in receipts_of(site) if receipt in gone)
    return done


def agree(site: Site) -> dict[str, Any]:
    """Agree as a new visitor; gives the answer."""
    with closing(_connect(site)) as connection:
        connection.request("GET", f"/v1/sites/{site.key}/banner?lang=fr", headers={"Origin": ORIGIN})
        config = json.loads(connection.getresponse().read())
        body = {
            "site": site.key,
            "action": "accept_all",
            "purposes": {purpose["id"]: True for purpose in config["purposes"]},
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": "fr",
        }
        status, answer = _post(connection, "/v1/decisions", body)
    assert status == 201, answer
    return dict(answer)


def withdraw(site: Site, token: str) -> float:
    """Withdraw on a connection of one's own, as a browser does; gives the seconds until the answer."""
    with closing(_connect(site)) as connection:
        started = time.monotonic()
        status, answer = _post(connection, "/v1/withdrawals", {"site": site.key, "token": token, "erase": True})
        taken = time.monotonic() - started
    assert (status, answer["erasure"]["status"]) == (200, "pending"), answer
    return taken


def receipts_of(site: Site) -> list[str]:
    """Give the receipt of every stored event."""
    with closing(_connect(site)) as connection:
        connection.request("GET", f"/api/v1/events?site={site.key}", headers={"Authorization": f"Bearer {site.reader}"})
        answer = connection.getresponse()
        text = answer.read()
    assert answer.status == 200, text[:200]
    return [str(json.loads(line)["receipt_id"]).replace("-", "") for line in text.splitlines()]


def make_reader(directory: Path, key: str) -> str:
    """Make an API token that may read the site's events."""
    return str(run(directory, "token", "create", "--site", key, "--scope", "events:export")["token"])


def settle(site: Site) -> None:
    """Wait until nothing is on its way to the store."""
    wait_until(lambda: run(site.directory, "status")["inbox"]["rows"] == 0, ERASE_SECONDS)


@contextmanager
def stalled(directory: Path, seconds: float) -> Iterator[None]:
    """Let the keeper, the event store's one writer, stand still for some seconds; 0 for not at all."""
    if not seconds:
        yield
        return
    [pid] = [item["pid"] for item in run(directory, "status")["processes"] if item["role"] == "keeper"]
    until = time.monotonic() + seconds
    _stop(pid, directory)
    try:
        yield
        time.sleep(max(0.0, until - time.monotonic()))
    finally:
        os.kill(pid, signal.SIGCONT)


def _stop(pid: int, directory: Path) -> None:
    """Stop the keeper between two transactions of the main database: it is the event store that is to stand still."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        connection = sqlite3.connect(directory / "consent.sqlite", timeout=0.2, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.01)
        finally:
            connection.close()


def wait_until(holds: Any, seconds: float) -> None:
    """Ask again and again until something holds; what does not hold in time is an error."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {seconds:.0f} s")
        time.sleep(0.2)


def _send(site: Site, tokens: list[str], is_over: threading.Event, done: Outcome) -> None:
    """Send single pageviews, a token after the other; who withdrew is refused and goes on all the same."""
    with closing(_connect(site)) as connection:
        while not is_over.is_set():
            for token in tokens:
                event = {"id": str(uuid4()), "name": "pageview", "url": f"{ORIGIN}/a"}
                status, _ = _post(connection, "/v1/events", {"site": site.key, "token": token, "events": [event]})
                done.accepted += status == 202
                # A crowd, not a flood: what is measured is how long withdrawing takes under it.
                if is_over.wait(0.005):
                    return


def _connect(site: Site) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)


def _post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "Origin": ORIGIN})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


if __name__ == "__main__":
    main()
