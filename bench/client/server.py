"""Serve the pages of the bench on loopback, each file compressed beforehand, all of them in the same way."""

from __future__ import annotations

import hashlib
import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli

# A page is asked for again each time; what it loads is kept, as every peer's documentation advises.
PAGE_CACHE = "no-cache"
FILE_CACHE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Held:
    """Hold one answer as it travels, head and body in one piece so that one packet can carry both."""

    answer: bytes
    etag: str
    brotli_bytes: int


def hold(path: str, body: bytes) -> Held:
    """Compress a file and write its answer; a path that ends in a slash is a page."""
    is_page = path.endswith("/")
    kind = "text/html" if is_page else mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = brotli.compress(body, quality=11)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    head = (
        "HTTP/1.1 200 OK\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(packed)}\r\n"
        "Content-Encoding: br\r\n"
        "Vary: Accept-Encoding\r\n"
        f"Cache-Control: {PAGE_CACHE if is_page else FILE_CACHE}\r\n"
        f"ETag: {etag}\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return Held(head.encode() + packed, etag, len(packed))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    files: Mapping[str, Held]
    behind: Mapping[str, int]

    def do_GET(self) -> None:
        """Answer a known path, in brotli alone: the one client is a browser that takes it."""
        held = self.files.get(self.path.partition("?")[0])
        if held is None:
            self._pass_on()
        elif self.headers.get("If-None-Match") == held.etag:
            self.wfile.write(f"HTTP/1.1 304 Not Modified\r\nETag: {held.etag}\r\n\r\n".encode())
        else:
            self.wfile.write(held.answer)

    def do_POST(self) -> None:
        """Pass on to the service what is under its path."""
        self._pass_on()

    def _pass_on(self) -> None:
        """Ask the service whose path it is, as a proxy on the site's own origin does; 404 where it is nobody's."""
        for path, port in self.behind.items():
            if self.path.startswith(path):
                service = HTTPConnection("127.0.0.1", port, timeout=30)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.request(self.command, self.path.removeprefix(path), body, dict(self.headers))
                answer = service.getresponse()
                content = answer.read()
                service.close()
                self.send_response_only(answer.status)
                for name in ("Content-Type", "Content-Encoding", "Set-Cookie"):
                    if value := answer.headers.get(name):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return
        self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: each line would cost the time that is being measured."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that closed its connection."""


@contextmanager
def serve(port: int, files: Mapping[str, Held], behind: Mapping[str, int]) -> Iterator[str]:
    """Serve files by path until left, and under each path of `behind` the service on that port; gives the origin."""
    handler = type("Handler", (_Handler,), {"files": files, "behind": behind})
    server = _Server(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
