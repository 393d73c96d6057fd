"""Run the real service with one site, in French, for the pages of the bench."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from bench.__main__ import PROGRAM, free_port, run, wait_for

HERE = Path(__file__).parent
DOMAIN = "nouvelles.example"
# Where the page's own server passes on to the service: the deployment that docs/first-party.md recommends.
BASE = "/vie-privee"
STATIC = HERE.parent.parent / "static"


@dataclass(frozen=True, slots=True)
class Service:
    """Hold the running service: its address and its site's key."""

    port: int
    key: str

    @property
    def snippet(self) -> str:
        """Give the tag as the product prints it for a site with a path of its own."""
        return f'<script defer src="{BASE}/c/{self.key}.js" referrerpolicy="origin"></script>\n'

    @property
    def scripts(self) -> list[str]:
        """Give the paths of the bundle and of the part that comes on demand."""
        return [f"/c/{self.key}.js", "/consent.more.js"]

    def fetch(self, path: str) -> bytes:
        """Give an asset as it is, uncompressed."""
        with urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return bytes(answer.read())

    def travelled(self, path: str) -> int:
        """Give the bytes of an asset in the service's own brotli."""
        request = Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept-Encoding": "br"})
        with urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "br", f"{path} is not sent in brotli"
            return len(answer.read())


@contextmanager
def service(origin: str) -> Iterator[Service]:
    """Run the service in a directory of its own, for pages of one origin."""
    with tempfile.TemporaryDirectory(prefix="bench-client-") as name:
        directory = Path(name) / "data"
        run(directory, "init")
        key = run(directory, "site", "add", DOMAIN, "--languages", "fr")["key"]
        run(directory, "site", "origin", "add", key, origin)
        run(directory, "policy", "publish", key, str(HERE / "policy.toml"))
        port = free_port()
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", str(port), "--workers", "1", "--data-dir", str(directory)],
            env={**os.environ, "CONSENT_SERVICE_RATE_LIMITS": "off", "CONSENT_SERVICE_LOG_LEVEL": "error"},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield Service(port, key)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def tracker_sizes() -> dict[str, int]:
    """Give the bytes of brotli that the tracker takes of the core, and of the part that comes when it is needed."""
    if not (STATIC / "node_modules" / "esbuild").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=STATIC, check=True)
    node = shutil.which("node")
    assert node, "no Node.js: run make setup-test"
    done = subprocess.run([node, str(HERE / "tracker.mjs")], capture_output=True, check=True, text=True)
    sizes: dict[str, int] = json.loads(done.stdout)
    return sizes
