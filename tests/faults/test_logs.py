"""What the server writes down of a request names nobody and quotes nothing."""

from __future__ import annotations

from tests.faults.conftest import Server, until

SECRETS = (b"secret-path", b"secret-query", b"secret-header", b"secret-agent", b"secret-method")
MALFORMED = {
    "a request line that is none": b"GET /secret-path?q=secret-query HTTP/one\r\nHost: x\r\n\r\n",
    "a request line of one word": b"secret-path?secret-query\r\n\r\n",
    "a header without a colon": b"GET /secret-path HTTP/1.1\r\nsecret-header\r\n\r\n",
    "a header with a NUL": b"GET /secret-path HTTP/1.1\r\nCookie: secret-header\0\r\n\r\n",
    "a method that is none": b"secret-method! /secret-path HTTP/1.1\r\nHost: x\r\n\r\n",
    "a line that is too long": b"GET /secret-path?" + b"secret-query" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a coding that is none": b"POST /secret-path HTTP/1.1\r\nTransfer-Encoding: secret-header\r\n\r\n",
    "bytes that are no text": b"\xff\xfe\x00secret-path\r\n\r\n",
    "an agent": b"GET /secret-path?secret-query HTTP/1.1\r\nUser-Agent: secret-agent\r\nBad Name: x\r\n\r\n",
}


def test_a_malformed_request_leaves_neither_its_address_nor_its_text_in_the_log(server: Server) -> None:
    refused = 0
    for name, sent in MALFORMED.items():
        with server.connect(sent) as connection:
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 "), name
        assert not answer.startswith(b"HTTP/1.1 200"), name
        refused += 1
    until(lambda: server.log.read_text().count("a request that is not HTTP was refused") == refused, 10, "the lines")
    log = server.log.read_bytes()
    assert [secret for secret in (*SECRETS, b"127.0.0.1") if secret in log] == []
