"""A real server with sites made to order, and pages of those sites on an origin of their own."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.integration.cli.program import Program, Server

POLICY = Path(__file__).parent.parent.parent / "examples" / "policy.toml"


def policy_document(*languages: str) -> dict[str, Any]:
    """Give the news site's policy in some languages, to be changed at will; the words are the built-in ones."""
    document = tomllib.loads(POLICY.read_text(encoding="utf-8"))
    spoken = languages or ("fr", "en", "es")

    def speak(value: Any) -> Any:
        if isinstance(value, dict) and value and set(value) <= {"fr", "en", "es"}:
            return {language: value.get(language, value["en"]) for language in spoken}
        if isinstance(value, dict):
            return {key: speak(inner) for key, inner in value.items()}
        return [speak(inner) for inner in value] if isinstance(value, list) else value

    document.pop("texts", None)
    document.pop("privacy", None)
    return {**speak(document), "languages": list(spoken), "default_language": spoken[0]}


def with_second_purpose(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Add the purpose `marketing`, which measures nothing and declares a cookie of its own."""
    first = document["purposes"][0]
    spoken = document["languages"]
    cookie = {**first["cookies"][0], "name": "_ads*", "kind": "cookie"}
    second = {
        **first,
        "id": "marketing",
        "measures": False,
        "cookies": [cookie],
        "title": dict.fromkeys(spoken, "Marketing"),
        **changes,
    }
    return {**document, "purposes": [first, second]}


@dataclass(frozen=True)
class Served:
    """One page: what is answered, and with which headers."""

    body: bytes
    headers: Mapping[str, str]
    status: int = 200


@dataclass
class Lab:
    """Hold the running server and the pages of its sites."""

    program: Program
    server: Server
    origin: str
    pages: dict[str, Served]
    directory: Path
    received: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def url(self) -> str:
        """Give the service's address."""
        return self.server.url

    def site(self, policy: Mapping[str, Any] | None = None, **settings: Any) -> str:
        """Add a site whose pages are on the lab's origin, publish its policy and give its key."""
        self.count += 1
        name = f"site-{self.count}"
        key: str = self.program.json("site", "add", f"{name}.example")["key"]
        document = {"name": name, "domain": "127.0.0.1", "origins": [self.origin, self.url], **settings}
        self.program.json("site", "set", key, self._write(f"{name}.json", document))
        self.publish(key, policy or policy_document())
        return key

    def publish(self, key: str, policy: Mapping[str, Any]) -> None:
        """Publish a policy for a site."""
        self.count += 1
        self.program.json("policy", "publish", key, self._write(f"policy-{self.count}.json", policy))

    def tag(self, key: str, *, is_pinned: bool = False, attributes: str = "") -> str:
        """Give the tag a site pastes."""
        source = f'{self.url}/consent.v1.js" data-site="{key}' if is_pinned else f"{self.url}/c/{key}.js"
        return f'<script defer src="{source}" {attributes}></script>'

    def page(
        self,
        path: str,
        head: str,
        body: str = "<main><h1>Une</h1><p>Du texte.</p></main>",
        *,
        lang: str = "fr",
        headers: Mapping[str, str] | None = None,
        attributes: str = "",
        status: int = 200,
    ) -> str:
        """Serve a page on the sites' origin and give its address."""
        html = (
            f'<!doctype html><html lang="{lang}" {attributes}><head><meta charset="utf-8"><title>Page</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f"<body>{body}</body></html>"
        )
        return self.file(path, html, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}, status)

    def file(self, path: str, text: str, headers: Mapping[str, str], status: int = 200) -> str:
        """Serve any file on the sites' origin and give its address."""
        self.pages[path] = Served(text.encode(), headers, status)
        return self.origin + path

    def rows(self, key: str) -> list[dict[str, Any]]:
        """Give every stored event of a site."""
        token = self.program.json("token", "create", "--site", key, "--scope", "events:export")["token"]
        answer = httpx.get(
            f"{self.url}/api/v1/events",
            params={"site": key, "from": "2020-01-01"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]

    def _write(self, name: str, document: Mapping[str, Any]) -> str:
        path = self.directory / name
        path.write_text(json.dumps(document))
        return str(path)


@contextmanager
def open_lab(directory: Path) -> Iterator[Lab]:
    """Run a server in a new data directory and a host for pages; both end with the context."""
    pages: dict[str, Served] = {}
    received: list[str] = []

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(self.path)
            served = pages.get(self.path.partition("?")[0])
            self.send_response(404 if served is None else served.status)
            for name, value in ({} if served is None else served.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if served is None else served.body)

        do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            return None

    host = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    program = Program(directory / "data", RATE_LIMITS="off", WORKERS="1")
    program.json("init", "--admin", "admin@lab.example")
    server = Server(program)
    try:
        server.wait_for_line()
        yield Lab(program, server, f"http://127.0.0.1:{host.server_address[1]}", pages, directory, received)
    finally:
        server.close()
        host.shutdown()
        host.server_close()
