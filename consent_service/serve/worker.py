"""Serve connections so that a client which stalls takes a thread for some seconds and no longer."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from gunicorn import util
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers import gthread

# From the first byte of a request until its last one is read; a phone on a bad line sends 32 kB in less.
READ_SECONDS = 10.0
# For one piece of an answer to be taken.
WRITE_SECONDS = 30.0
# For a client to close, once told that the connection ends.
LINGER_SECONDS = 1.0


class DeadlineUnreader(SocketUnreader):
    """Read a request from its socket, waiting for it until `deadline`, which is set anew for each request."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.deadline = 0.0

    def seconds_left(self) -> float:
        """Give the seconds for which may still be waited, 0 when there are none."""
        return max(0.0, self.deadline - time.monotonic())

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Give what has arrived; raises NoMoreData when nothing does in time."""
        try:
            # With no time left, what is here already is still taken: the request may have waited for a thread.
            self.sock.settimeout(self.seconds_left())
            received: bytes = super().chunk(size_hint)  # type: ignore[call-arg]  # the stubs are a version behind
            return received
        except (TimeoutError, BlockingIOError):
            # As if the client had gone: gunicorn ends the connection without a line in the log.
            raise NoMoreData from None


class Worker(gthread.ThreadWorker):
    """Bound what one connection may take of a worker: a thread only once it sent something, and then for a time."""

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread; one that has sent nothing yet waits with the idle ones instead."""
        if conn.initialized or conn.data_ready:
            conn.deadline = time.monotonic() + READ_SECONDS
            super().enqueue_req(conn)
            return
        nothing_yet: Future[Any] = Future()
        nothing_yet.set_result(gthread._DEFER)  # type: ignore[attr-defined]  # the stubs are a version behind
        self.finish_request(conn, nothing_yet)

    def handle(self, conn: Any) -> Any:
        """Serve one request, in a thread; what ends a connection is done here too, never by the thread that accepts."""
        conn.sock.setblocking(True)
        conn.init()
        unreader = conn.parser.unreader
        if not isinstance(unreader, DeadlineUnreader):
            unreader = conn.parser.unreader = DeadlineUnreader(conn.sock)
        unreader.deadline = conn.deadline
        is_kept = super().handle(conn)
        if not is_kept and unreader.seconds_left():
            # An answer is not cut off because the client was still sending.
            util.close_graceful(conn.sock, LINGER_SECONDS)
        elif not is_kept:
            util.close(conn.sock)
        return is_kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request."""
        conn.sock.settimeout(WRITE_SECONDS)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Keep a connection for its next request; of one that is closed already only the count is left."""
        if conn.sock.fileno() == -1:
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)
