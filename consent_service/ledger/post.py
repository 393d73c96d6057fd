"""Post to a server that the operator named, within bounds: no redirects, half a minute, a few kilobytes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

STEP_SECONDS: Final = 10.0
# A server that sends a byte now and then keeps within every step.
WHOLE_SECONDS: Final = 30.0


class NotDelivered(Exception):
    """Tell in one sentence why something did not reach its server, or why the answer is none."""


def post(url: str, body: bytes, headers: Mapping[str, str], limit: int, *, whole: float = WHOLE_SECONDS) -> bytes:
    """Give the body of a 2xx answer, at most `limit` bytes; raises NotDelivered for everything else.

    The connection ends after `whole` seconds, however the server behaves. Environment proxies are not used.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.connect()
        with _cut_off(connection.sock, whole):
            connection.request("POST", target, body, {"User-Agent": "consent-service", **headers})
            answer = connection.getresponse()
            if 300 <= answer.status < 400:
                raise NotDelivered(f"the server answered {answer.status}; redirects are not followed")
            if not 200 <= answer.status < 300:
                raise NotDelivered(f"the server answered {answer.status}")
            given = answer.read(limit + 1)
            if len(given) > limit:
                raise NotDelivered(f"the answer is larger than {limit} bytes")
            # Cut off, the library takes what came until then for all there is.
            if answer.length:
                raise NotDelivered("the answer ended before its end")
    except ssl.SSLError as error:
        raise NotDelivered(f"the connection is not to be trusted: {error.reason or error}") from error
    except (OSError, HTTPException) as error:
        raise NotDelivered(f"the server cannot be reached: {error or type(error).__name__}") from error
    finally:
        connection.close()
    return given


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=STEP_SECONDS, context=ssl.create_default_context())
    return HTTPConnection(host, port, timeout=STEP_SECONDS)


@contextmanager
def _cut_off(held: socket.socket, seconds: float) -> Iterator[None]:
    def cut() -> None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
