"""Twenty personal values, each sent in every place a stranger can write to: none is in a log, a store or an answer."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import duckdb
import httpx

from tests.faults.conftest import EXAMPLES, ORIGIN, Server, decide, until
from tests.faults.hostile import AGENT, event
from tests.integration.cli.program import environment, run_forked

ADDRESSES = ("198.51.100.23", "203.0.113.77", "2001:db8:77:1::abcd", "192.0.2.201")
EMAILS = (
    "jeanne.marker@mail.example",
    "marker+tag@sub.domain.example",
    "MARKER_9@example.museum",
    "o.marker@société.example",
    "marker%40mail.example",
)
TOKENS = (
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXIxIn0.c2lnbmF0dXJlLW9mLW1hcmtlci0x",
    "5d41402abc4b2a76b9719d911017c592",
    "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "AIzaSyD9tSrke72PouQMnMXa7eZSW0jkFMBWY8",
    "a4Bx9Qz1Lm7Tr2Ws8Yk3Vn6Pd0Hc5JfX",
    "cs_a8Kq2Lw9Zx4Vn7Bm1Tr6Yp3Hd5Gj0Sf",
    "WyJtYXJrZXIiLDEyMzQ1XQ.aM9x2Q.Zk3Vn6Pd0Hc5JfXa4Bx9Qz1Lm7Tr2Ws8Yk",
)
# Ids of receipts of nobody: the form of ours.
RECEIPTS = ("0197f3a2c4d87e10b6a59c3d2e1f4a5b", "0197f3a2c4d87e10b6a59c3d2e1f4a5c")
AGENTS = ("MarkerBrowser/7.7 (secret-device-4711)", "MarkerBrowser/8.8 (secret-device-4712)")
MARKERS = (*ADDRESSES, *EMAILS, *TOKENS, *RECEIPTS, *AGENTS)
# An address is an address wherever it is sent as one; as a part of a text it is the site's own word.
WITHIN = (*EMAILS, *TOKENS, *RECEIPTS)


def good_requests(server: Server, token: str) -> Iterator[int]:
    """Send every marker within valid events, and give how many of them were accepted."""
    for place, marker in enumerate(MARKERS):
        address = ADDRESSES[place % len(ADDRESSES)]
        agent = AGENTS[place % len(AGENTS)] if marker in AGENTS else AGENT
        headers = {"Origin": ORIGIN, "User-Agent": agent, "X-Forwarded-For": address, "X-Real-IP": address}
        events = [event(f"/visible-{place}")]
        if marker in WITHIN:
            escaped = quote(marker, safe="%")
            events += [
                event(f"/u/{escaped}/x?page={escaped}&secret={escaped}#{escaped}"),
                event("/", referrer=f"https://other.example/{escaped}?q={escaped}"),
                event(f"/?utm_source={escaped}&utm_medium={escaped}&utm_campaign={escaped}&gclid={escaped}"),
                event("/", props={"a": marker, marker: "b", "c": f"text {marker}, more"}),
                event("/", name=marker[:100]),
                event("/", name="outbound", props={"url": f"https://other.example/{escaped}?{escaped}"}),
                event("/", name="form", props={"form": marker}),
                event("/", **{"unknown": marker}),
            ]
        body = {"site": server.key, "token": token, "events": events, "unknown": marker}
        sent = httpx.post(f"{server.url}/v1/events", json=body, headers=headers, params={"q": marker})
        assert sent.status_code == 202, sent.text
        assert marker not in sent.text
        yield sent.json()["accepted"]


def bad_requests(server: Server) -> None:
    """Send every marker where it is a fault."""
    with httpx.Client(base_url=server.url, headers={"Origin": ORIGIN}) as client:
        for marker in MARKERS:
            written = quote(marker, safe="")
            answers = [
                client.get(f"/v1/sites/{written}/banner", params={"lang": marker}),
                client.get(f"/v1/receipts/{written}", headers={"Authorization": f"Bearer {written}"}),
                client.get(f"/{written}"),
                client.post("/v1/events", json={"site": server.key, "token": marker, "events": [{"id": marker}]}),
                client.post("/v1/events", content=f'{{"site": "{marker}'.encode()),
                client.post("/v1/decisions", json={"site": server.key, "action": marker, "language": marker}),
                client.post("/v1/withdrawals", json={"site": server.key, "token": marker}),
                client.post("/api/v2/query", json={"site_id": marker}, headers={"Authorization": f"Bearer {written}"}),
                client.get("/api/v1/events", params={"cursor": marker, "site": marker}),
                client.post("/console/login", data={"email": marker, "password": marker}),
            ]
            assert max(answer.status_code for answer in answers) < 500


def found_in(data: bytes) -> list[str]:
    """Give the markers that bytes hold, as they are or escaped."""
    return [
        marker
        for marker in MARKERS
        if any(form.encode() in data for form in {marker, quote(marker, safe=""), quote(marker, safe="%")})
    ]


def texts(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Give every value of both stores as text: files may hold them packed."""
    with duckdb.connect(str(directory / "events.duckdb"), read_only=True) as events:
        for (table,) in events.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall():
            yield f"events.{table}", repr(events.execute(f'SELECT * FROM "{table}"').fetchall()).encode()
    main = sqlite3.connect(directory / "consent.sqlite")
    for (table,) in main.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows = main.execute(f'SELECT * FROM "{table}"').fetchall()
        yield f"main.{table}", repr(rows).encode() + b"".join(v for row in rows for v in row if isinstance(v, bytes))
    main.close()


def test_no_personal_value_is_in_a_log_a_store_or_an_error(server: Server, tmp_path: Path) -> None:
    assert len(set(MARKERS)) == 20
    everything = "page source campaign device country engagement events props revenue outbound downloads forms"
    policy = (EXAMPLES / "policy.toml").read_text()
    for line, other in (
        (r"^data = .*$", f"data = {json.dumps(everything.split())}"),
        (r"^material_purposes = .*$", 'material_purposes = ["analytics"]'),
        (r"^\[material_reason\].*$", '[material_reason]\nfr = "Plus."\nen = "More."\nes = "Más."'),
    ):
        policy, count = re.subn(line, other, policy, count=1, flags=re.MULTILINE)
        assert count == 1
    (tmp_path / "policy.toml").write_text(policy)
    server.run("policy", "publish", server.key, str(tmp_path / "policy.toml"))
    version = f"{server.url}/v1/sites/{server.key}/banner"
    until(lambda: httpx.get(version).json()["policy_version"] == 2, 10, "the new policy")
    token = decide(server)["token"]

    accepted = sum(good_requests(server, token))
    bad_requests(server)
    until(lambda: len(server.stored()) == accepted, 20, "the storing of all of them")
    assert accepted > 100
    errors = [
        run_forked(["site", "show", marker, "--data-dir", str(server.directory)], environment()).stderr.encode()
        for marker in (EMAILS[0], TOKENS[0])
    ]
    assert server.stop() == 0

    log = server.log.read_bytes()
    # What a command is given it may name to the one who gave it; it writes no log.
    assert b"Traceback" not in log + b"".join(errors)
    assert found_in(log) == []
    files = {str(path.relative_to(server.directory)): path for path in server.directory.rglob("*") if path.is_file()}
    assert {"events.duckdb", "consent.sqlite"} <= set(files)
    held = {name: found for name, path in files.items() if (found := found_in(path.read_bytes()))}
    held |= {name: found for name, text in texts(server.directory) if (found := found_in(text))}
    assert held == {}
