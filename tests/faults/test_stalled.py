"""Clients that send nothing more hold the server up for seconds, not for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse

import httpx
import pytest

from consent_service.serve.web import THREADS
from consent_service.serve.worker import READ_SECONDS
from tests.faults.conftest import Server, decide, open_server

WORKERS = 2
# One more than there are threads, so that one of the sockets finds none free.
MANY = WORKERS * THREADS + 1
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture(scope="module", name="server")
def shared_server() -> Iterator[Server]:
    """Give one server to all: whoever stalls it is gone before the next test."""
    with open_server() as running:
        yield running


@contextmanager
def stalled(server: Server, sent: bytes) -> Iterator[list[socket.socket]]:
    """Hold as many connections as the server has threads, each with the same beginning of a request."""
    with ExitStack() as stack:
        yield [stack.enter_context(server.connect(sent)) for _ in range(MANY)]


def answered(connection: socket.socket) -> tuple[int, bytes]:
    """Read one whole answer, however many pieces it comes in."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.read()


def seconds_until_served(server: Server) -> float:
    started = time.monotonic()
    assert httpx.get(f"{server.url}/healthz", timeout=60).status_code == 200
    return time.monotonic() - started


def test_connections_that_send_nothing_hold_nobody_up(server: Server) -> None:
    with stalled(server, b""):
        assert seconds_until_served(server) < 2


@pytest.mark.parametrize("sent", [b"P", HEAD, HEAD + b'{"site": "'], ids=["a letter", "no body", "half a body"])
def test_requests_that_never_end_are_given_up(server: Server, sent: bytes) -> None:
    with stalled(server, sent) as connections:
        assert seconds_until_served(server) < READ_SECONDS + 5
        for connection in connections:
            answer = connection.recv(4096)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert decide(server)["receipt_id"]
    assert "Traceback" not in server.log.read_text()


def test_a_request_sent_a_letter_at_a_time_is_given_up_too(server: Server) -> None:
    with server.connect(b"GET / HTTP/1.1\r\nX: ") as connection:
        is_closed = threading.Event()

        def trickle() -> None:
            try:
                while not is_closed.wait(0.2):
                    connection.sendall(b"a")
            except OSError:
                pass

        slow = threading.Thread(target=trickle)
        started = time.monotonic()
        slow.start()
        try:
            assert connection.recv(4096) == b""
        except ConnectionResetError:
            pass
        finally:
            is_closed.set()
            slow.join()
        assert time.monotonic() - started < READ_SECONDS + 5


def test_a_request_in_two_parts_and_a_second_one_on_its_connection_are_answered(server: Server) -> None:
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    with server.connect(request[:10]) as connection:
        connection.sendall(request[10:])
        assert answered(connection) == (200, b'{"status":"ok"}')
        connection.sendall(request)
        assert answered(connection) == (200, b'{"status":"ok"}')
