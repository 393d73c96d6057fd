"""ClickHouse is away, hangs or dies: events are taken all the same, and each is stored once when it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.clickhouse import ClickHouse
from tests.faults.conftest import ORIGIN, Crowd, Server, decide, open_server, until

AWAY_SECONDS = 60.0 if os.environ.get("CONSENT_FAULTS") == "full" else 3.0


@pytest.fixture(scope="module")
def server(clickhouse: ClickHouse, postgres_database: str) -> Iterator[Server]:
    with clickhouse.database() as url:
        settings = {"DATABASE_URL": postgres_database, "EVENTS_URL": url}
        with open_server("".join(f"CONSENT_SERVICE_{name}={value}\n" for name, value in settings.items())) as made:
            yield made


def stores(server: Server) -> dict[str, bool]:
    """Give what /readyz says of each store."""
    found: dict[str, bool] = httpx.get(f"{server.url}/readyz", timeout=5).json()["stores"]
    return found


def is_away(server: Server) -> bool:
    return stores(server) == {"database": True, "events": False}


@pytest.mark.parametrize("fault", ["dies", "hangs"])
def test_while_clickhouse_is_away_events_are_taken_and_readyz_names_it(
    server: Server, clickhouse: ClickHouse, fault: str
) -> None:
    crowd = Crowd(server, decide(server)["token"], 1_500)
    crowd.start()
    until(partial(crowd.has_sent, 200), 60, "the crowd's progress")
    (clickhouse.kill if fault == "dies" else clickhouse.pause)()
    away_since = time.monotonic()
    until(lambda: is_away(server), 10, "the word of it in /readyz")
    before = len(crowd.acknowledged)
    until(partial(crowd.has_sent, before + 100), 30, "the crowd's progress while it is away")
    lone = Crowd(server, decide(server)["token"], 10_000)
    lone.start(1)
    until(lambda: time.monotonic() - away_since > AWAY_SECONDS, AWAY_SECONDS + 1, "the end of the pause")
    answer = (
        httpx.get(
            f"{server.url}/api/v1/events",
            params={"site": server.key},
            headers={"Authorization": f"Bearer {server.token}"},
            timeout=90,
        )
        if fault == "dies"
        else None
    )
    assert answer is None or (answer.status_code == 503 and answer.headers["Retry-After"])
    (clickhouse.start if fault == "dies" else clickhouse.resume)()
    lone.count = 0
    lone.join()
    crowd.join()
    assert crowd.retried == 0
    until(server.is_ready, 30, "the server's readiness")
    crowd.acknowledged += lone.acknowledged
    check_once(server, crowd)
    until(lambda: server.run("status")["inbox"]["rows"] == 0, 30, "the emptying of the inbox")


def check_once(server: Server, crowd: Crowd) -> None:
    """Compare this crowd's acknowledged events with what is stored, beside those of other tests."""
    mine = set(crowd.acknowledged)
    until(lambda: mine <= set(server.stored()), 60, "the storing of every acknowledged event")
    stored = [each for each in server.stored() if each in mine]
    print(f"acknowledged {len(mine)}, lost {len(mine - set(stored))}, stored twice {len(stored) - len(set(stored))}")
    assert len(stored) == len(set(stored)) == len(mine)


def test_a_keeper_that_is_killed_again_and_again_stores_each_event_once(server: Server) -> None:
    crowd = Crowd(server, decide(server)["token"], 1_200)
    crowd.start()
    for share in range(1, 5):
        until(partial(crowd.has_sent, share * 200), 60, "the crowd's progress")
        (victim,) = until(lambda: server.pids("keeper"), 10, "a keeper")
        os.kill(victim, signal.SIGKILL)
    crowd.join()
    until(server.is_ready, 30, "the keeper's return")
    check_once(server, crowd)


def test_who_withdraws_while_clickhouse_is_away_has_no_row_left_when_it_is_back(
    server: Server, clickhouse: ClickHouse
) -> None:
    consent = decide(server)
    crowd = Crowd(server, consent["token"], 50)
    crowd.start(2)
    crowd.join()
    until(lambda: set(crowd.acknowledged) <= set(server.stored()), 30, "the storing")
    clickhouse.kill()
    try:
        body = {"site": server.key, "token": consent["token"], "purposes": None, "language": "fr"}
        answer = httpx.post(f"{server.url}/v1/withdrawals", json=body, headers={"Origin": ORIGIN}, timeout=10)
        assert (answer.status_code, answer.json()["erasure"]["status"]) == (200, "pending")
    finally:
        clickhouse.start()
    until(lambda: not set(crowd.acknowledged) & set(server.stored()), 30, "the erasure")
