"""Whatever strangers send to whichever endpoint: an answer below 500, no connection reset, no worker lost."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.faults.conftest import ORIGIN, Server, decide, until
from tests.faults.hostile import AGENT, FORM, JSON, Place, Sent, answer, corpus, event

# These put nothing but fault into a request of no endpoint at all.
NOTHING_BUT_FAULT = {
    "nothing": b"",
    "a line end": b"\r\n",
    "bytes": bytes(range(256)) * 4,
    "a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/9.9": b"GET /healthz HTTP/9.9\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host of bytes": b"GET /.well-known/gpc.json HTTP/1.1\r\nHost: \xff[::\r\n\r\n",
    "a target of 9 kB": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a whole address": b"GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a second request inside": b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    "a proxy's greeting": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
}
# It would answer the others, and what is changed is not what this test is about.
SWITCHED_OFF = {"POST /api/v1/sites/{key}/pause"}


def places(server: Server, description: dict[str, Any]) -> Iterator[Place]:
    """Give a valid, signed request for every endpoint of the description."""
    scopes = ("stats:read", "consent:read", "events:export", "admin")
    asked = [word for scope in scopes for word in ("--scope", scope)]
    api = server.run("token", "create", "--site", server.key, *asked)["token"]
    # Acts of the other one must not end the consent that the events are sent under.
    visitor, other = decide(server)["token"], decide(server)["token"]
    own = documents(server, visitor)
    for path, item in description["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            kind = JSON if JSON in content else FORM if FORM in content else ""
            label = f"{method.upper()} {path}"
            document = own.get(label, content[kind].get("example")) if kind else None
            if document is not None and "site_id" in document:
                document = {**document, "site_id": server.key}
            of_visitor = visitor if path == "/v1/events" else other
            token = api if path.startswith(("/api", "/metrics")) else of_visitor
            yield _place(server, label, operation, kind, document, token)


def documents(server: Server, visitor: str) -> dict[str, dict[str, Any]]:
    """Give what visitors send: events that would be stored, and decisions and withdrawals that would be recorded."""
    config = httpx.get(f"{server.url}/v1/sites/{server.key}/banner", params={"lang": "fr"}).json()
    sent = event(props={"a": "b"}, revenue={"amount": "1", "currency": "EUR"}, referrer="", scroll=1)
    return {
        "POST /v1/events": {"site": server.key, "token": visitor, "events": [sent]},
        "POST /v1/decisions": {
            "site": server.key,
            "action": "refuse_all",
            "purposes": {"analytics": False},
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": "fr",
            "previous": None,
            "mechanism": "banner",
            "evidence": {"refuse_visible": True, "area_ratio": 1.0, "trusted": True},
        },
        "POST /v1/withdrawals": {"site": server.key, "token": decide(server)["token"], "purposes": None, "erase": True},
    }


def _written(kind: str, document: dict[str, Any] | None) -> bytes:
    return urlencode(document or {}).encode() if kind == FORM else json.dumps(document).encode()


def _place(
    server: Server, label: str, operation: dict[str, Any], kind: str, document: dict[str, Any] | None, token: str
) -> Place:
    method, _, path = label.partition(" ")
    known = {"key": server.key, "email": "nobody@example.org"}
    values = {name: known.get(name, "1") for name in re.findall(r"{(\w+)}", path)}
    named = [(each["name"], each["in"]) for each in operation.get("parameters", [])]
    query_names = tuple(name for name, where in named if where == "query")
    headers = {"User-Agent": AGENT, "Origin": ORIGIN, "Authorization": f"Bearer {token}"}
    headers |= {"Content-Type": kind} if kind else {}
    sent = Sent(
        method,
        path.format_map(values),
        f"site={server.key}" if "site" in query_names else "",
        {name: value.encode() for name, value in headers.items()},
        _written(kind, document) if kind else None,
    )
    return Place(label, sent, tuple(values), query_names, path, values, document, token.encode())


def clocked(server: Server, written: bytes) -> tuple[int, float]:
    """Give the status of an answer and the seconds until all of it was there."""
    started = time.monotonic()
    return answer(server, written), time.monotonic() - started


def test_no_fault_brings_a_5xx_a_reset_or_the_loss_of_a_worker(server: Server) -> None:
    description = httpx.get(f"{server.url}/openapi.json").json()
    found = list(places(server, description))
    everything = {
        (place.label, name): written for turn, place in enumerate(found) for name, written in corpus(place, turn)
    }
    everything |= {("-", name): written for name, written in NOTHING_BUT_FAULT.items()}
    everything = {key: written for key, written in everything.items() if key[0] not in SWITCHED_OFF}
    assert len({name for _, name in everything}) >= 300
    assert {place.label for place in found} == {
        f"{method.upper()} {path}" for path, item in description["paths"].items() for method in item
    }
    workers = sorted(server.pids("web"))

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        timed = dict(zip(everything, pool.map(lambda sent: clocked(server, sent), everything.values()), strict=True))
    took = time.monotonic() - started

    statuses = {key: status for key, (status, _) in timed.items()}
    slowest = sorted(seconds for _, seconds in timed.values())
    names, p99 = len({name for _, name in everything}), 1000 * slowest[len(slowest) * 99 // 100]
    print(f"{len(everything)} requests of {names} faults in {took:.0f} s, 8 at a time, p99 {p99:.0f} ms")
    print(dict(sorted(Counter(statuses.values()).items())))
    assert {key: status for key, status in statuses.items() if status >= 500 or status == -1} == {}
    # Without an answer at all are only those that never were a request of their own.
    assert {key for key, status in statuses.items() if status == 0 and key[0] != "-"} == set()
    assert sorted(server.pids("web")) == workers
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "an error that nobody expected" not in log

    stored = event("/after")
    body = {"site": server.key, "token": decide(server)["token"], "events": [stored]}
    sent = httpx.post(f"{server.url}/v1/events", json=body, headers={"Origin": ORIGIN, "User-Agent": AGENT})
    assert sent.json() == {"accepted": 1, "dropped": []}
    until(lambda: stored["id"] in server.stored(), 10, "the storing of what came afterwards")
