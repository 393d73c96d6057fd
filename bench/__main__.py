"""`make bench`: the events endpoint against the floor, both under gunicorn with the same workers and threads."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.floor import SIGNER

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = os.environ.get("BENCH_SECONDS", "5")
CONNECTIONS = "16"
WORKERS = "2"
THREADS = "8"
PROGRAM = [sys.executable, "-m", "consent_service.cli"]
POLICY = Path(__file__).parent.parent / "examples" / "policy.toml"
ORIGIN = "https://nouvelles.example"


def main() -> None:
    """Print the rate of each, round by round, and the median of the ratios."""
    ratios: list[float] = []
    for number in range(1, ROUNDS + 1):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            with floor(Path(name)) as (port, token):
                base = load(port, "floor", token)
            with service(Path(name) / "data") as (port, key, token):
                ours = load(port, key, token)
        ratios.append(ours["rate"] / base["rate"])
        print(
            f"round {number}: floor {base['rate']:.0f}/s (p99 {base['p99']:.1f} ms), "
            f"service {ours['rate']:.0f}/s (p99 {ours['p99']:.1f} ms), ratio {ratios[-1]:.2f}"
        )
    print(f"events, one a request: {statistics.median(ratios):.2f} of the floor (median of {ROUNDS})")


def load(port: int, site: str, token: str) -> dict[str, float]:
    """Send for some seconds and give what was measured."""
    command = [sys.executable, "-m", "bench.load", str(port), site, token, SECONDS, CONNECTIONS]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return found


@contextmanager
def floor(directory: Path) -> Iterator[tuple[int, str]]:
    """Run the floor."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", WORKERS, "-k", "gthread"]
    process = subprocess.Popen(
        [*command, "--threads", THREADS, "--log-level", "error", "bench.floor:app"],
        env={**os.environ, "FLOOR_FILE": str(directory / "floor.sqlite")},
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield port, str(SIGNER.dumps([1, "f" * 32, "floor", 1, 1, 0]))
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def service(directory: Path) -> Iterator[tuple[int, str, str]]:
    """Run the service with one site and one consent."""
    port = free_port()
    run(directory, "init")
    key = run(directory, "site", "add", "nouvelles.example")["key"]
    run(directory, "policy", "publish", key, str(POLICY))
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", str(port), "--workers", WORKERS, "--data-dir", str(directory)],
        env={**os.environ, "CONSENT_SERVICE_RATE_LIMITS": "off", "CONSENT_SERVICE_LOG_LEVEL": "error"},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield port, key, consent(port, key)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def consent(port: int, key: str) -> str:
    """Accept as a visitor and give the token."""
    with urlopen(f"http://127.0.0.1:{port}/v1/sites/{key}/banner?lang=fr") as answer:
        config = json.load(answer)
    body = {
        "site": key,
        "action": "accept_all",
        "purposes": {"analytics": True},
        "policy_version": config["policy_version"],
        "banner_hash": config["banner_hash"],
        "language": "fr",
    }
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    with urlopen(Request(f"http://127.0.0.1:{port}/v1/decisions", json.dumps(body).encode(), headers)) as answer:
        return str(json.load(answer)["token"])


def run(directory: Path, *arguments: str) -> Any:
    """Run a command and give its JSON."""
    done = subprocess.run(
        [*PROGRAM, *arguments, "--data-dir", str(directory), "--json"], capture_output=True, check=True, text=True
    )
    return json.loads(done.stdout)


def wait_for(url: str) -> None:
    """Wait until a server answers, whatever it says of the page."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=2):
                return
        except OSError as error:
            # An answer of 404 is an answer; 503 means that a store is not there yet.
            if getattr(error, "code", 503) != 503:
                return
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
