"""Servers outside, on loopback: a time-stamping authority made with OpenSSL, and one that answers as it is told."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
dir = {directory}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/authority.crt
signer_key = $dir/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
{chain}
"""


@dataclass
class Asked:
    """Hold one request that a server got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class OutsideServer:
    """Hold a server's address and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


Answer = Callable[[Asked], tuple[int, dict[str, str], bytes]]


@contextmanager
def answering(answer: Answer) -> Iterator[OutsideServer]:
    """Run a server that answers each POST as `answer` says."""
    made = OutsideServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, self.rfile.read(length))
            made.asked.append(asked)
            status, headers, body = answer(asked)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # whoever asked has heard enough

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class OpenSslAuthority:
    """Hold a time-stamping authority of OpenSSL: its directory with `root.crt`, which it is trusted by."""

    directory: Path

    @property
    def root(self) -> Path:
        """Name the file of the root certificate."""
        return self.directory / "root.crt"

    def reply(self, query: bytes) -> bytes:
        """Answer a query as an authority does."""
        name = self.directory / "query.tsq"
        name.write_bytes(query)
        return self._openssl("ts", "-reply", "-queryfile", str(name), "-config", "openssl.cnf", "-section", "authority")

    def verifies(self, token: bytes, note: str) -> bool:
        """Tell whether OpenSSL finds the token good for a note, as docs/privacy-officers.md says it."""
        (self.directory / "token.tsr").write_bytes(token)
        (self.directory / "note.txt").write_bytes(note.encode())
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-data", "note.txt", "-in", "token.tsr", "-CAfile", "root.crt"],
            cwd=self.directory,
            capture_output=True,
        )
        return done.returncode == 0

    def _openssl(self, *arguments: str) -> bytes:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, check=True)
        return done.stdout


def make_authority(directory: Path, *, sends_chain: bool = False) -> OpenSslAuthority:
    """Make the root and the signer of an authority; with `sends_chain` its replies are not strict DER."""
    directory.mkdir()
    chain = "certs = $dir/root.crt" if sends_chain else ""
    (directory / "openssl.cnf").write_text(CONFIG.format(directory=directory, chain=chain))
    made = OpenSslAuthority(directory)
    shared = ("-config", "openssl.cnf", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    made._openssl(
        "req", "-x509", *shared, "-keyout", "root.key", "-out", "root.crt", "-days", "30",
        "-subj", "/CN=Root of stamps", "-extensions", "ca",
    )  # fmt: skip
    made._openssl("req", *shared, "-keyout", "authority.key", "-out", "authority.csr", "-subj", "/CN=Stamps")
    made._openssl(
        "x509", "-req", "-in", "authority.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial",
        "-days", "30", "-extfile", "openssl.cnf", "-extensions", "stamps", "-out", "authority.crt",
    )  # fmt: skip
    return made


@contextmanager
def stamping(authority: OpenSslAuthority) -> Iterator[OutsideServer]:
    """Run an authority's server."""

    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/timestamp-reply"}, authority.reply(asked.body)

    with answering(answer) as server:
        yield server
