"""Stand for a ClickHouse server: its HTTP interface, as far as the client needs it, over one chDB process.

`python clickhouse_front.py DIRECTORY PORT` prints its port (0: any). The engine is the real one; users are not there.
"""

import gzip
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import chdb

# What the interface takes for itself; every other parameter is a setting of the statement.
OWN: Final = re.compile(
    "query|query_id|database|user|password|session_.*|compress|decompress|default_format|wait_end_of_query|param_.*|"
    "client_protocol_version|send_progress_.*|http_headers_.*|enable_http_compression|buffer_size"
)
INSERT: Final = re.compile(rb"\s*INSERT INTO [^;]*? FORMAT (\w+)\n")
DIRECTORY: Final = Path(sys.argv[1])


class Front(BaseHTTPRequestHandler):
    """Run each request's statement on a connection of its own, so that its settings are nobody else's."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Run a statement; the data of an INSERT follow it in the body."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        try:
            status, answer, more = (
                200,
                self._run(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)), body),
                {},
            )
        except Exception as error:
            found = re.search(r"Code: (\d+)", str(error))
            status, answer = 500, str(error).encode()
            more = {"X-ClickHouse-Exception-Code": found[1] if found else "1002"}
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), "X-ClickHouse-Timezone": "UTC", **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _run(self, asked: dict[str, str], body: bytes) -> bytes:
        statement = (asked.get("query", "").encode() + b"\n" + body).strip()
        spool = DIRECTORY / f"insert-{threading.get_ident()}"
        if found := INSERT.match(statement):
            spool.write_bytes(statement[found.end() :])
            into = found[0].decode().rsplit(" FORMAT ")[0]
            statement = f"{into} FROM INFILE '{spool}' FORMAT {found[1].decode()}".encode()
        connection = chdb.connect(str(DIRECTORY / "data"))
        try:
            for name, value in asked.items():
                if not OWN.fullmatch(name):
                    connection.query(f"SET {name} = '{value}'", "Null")
            connection.query(f"USE `{asked.get('database', 'default')}`", "Null")
            parameters = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
            return bytes(connection.query(statement.decode(), "TabSeparated", params=parameters).bytes())
        finally:
            connection.close()
            spool.unlink(missing_ok=True)


if __name__ == "__main__":
    engine = chdb.connect(str(DIRECTORY / "data"))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Front)
    print(server.server_port, flush=True)
    server.serve_forever()
