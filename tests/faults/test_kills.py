"""A 202 survives whatever dies afterwards, and is stored once."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx

from tests.faults.conftest import ORIGIN, Crowd, Server, decide, until

RESTART_SECONDS = 10


def check_stored_once(server: Server, crowd: Crowd) -> None:
    """Compare what was acknowledged with what is stored, id by id."""
    acknowledged = set(crowd.acknowledged)
    until(lambda: acknowledged <= set(server.stored()), 30, "the storing of every acknowledged event")
    stored = server.stored()
    lost, twice = len(acknowledged - set(stored)), len(stored) - len(set(stored))
    print(f"acknowledged {len(acknowledged)}, lost {lost}, stored twice {twice}, tried again {crowd.retried}")
    assert (lost, twice) == (0, 0)


def test_killed_workers_and_a_killed_keeper_lose_and_double_nothing(server: Server) -> None:
    crowd = Crowd(server, decide(server)["token"], 2_000)
    crowd.start()
    for share in (1, 2, 3):
        until(partial(crowd.has_sent, share * 300), 60, "the crowd's progress")
        victim = server.pids("web")[0]
        os.kill(victim, signal.SIGKILL)
        until(partial(_others, server, "web", victim, 2), RESTART_SECONDS, "the worker's return")
    until(partial(crowd.has_sent, 1_200), 60, "the crowd's progress")
    (victim,) = server.pids("keeper")
    os.kill(victim, signal.SIGKILL)
    until(lambda: _others(server, "keeper", victim, 1), RESTART_SECONDS, "the keeper's return")
    crowd.join()
    assert len(crowd.acknowledged) == 2_000
    until(server.is_ready, RESTART_SECONDS, "the keeper's answer")
    check_stored_once(server, crowd)


def test_everything_killed_at_once_starts_again_without_cleaning_and_has_every_event(server: Server) -> None:
    crowd = Crowd(server, decide(server)["token"], 600)
    crowd.start()
    until(partial(crowd.has_sent, 200), 60, "the crowd's progress")
    server.kill()
    server.start()
    crowd.join()
    check_stored_once(server, crowd)


def test_a_server_told_to_end_under_load_stores_all_it_acknowledged_before_it_ends(server: Server) -> None:
    crowd = Crowd(server, decide(server)["token"], 600)
    crowd.start()
    until(partial(crowd.has_sent, 200), 60, "the crowd's progress")
    assert server.stop() == 0
    status = server.run("status")
    assert (status["processes"], status["inbox"]["rows"]) == ([], 0)
    server.start()
    crowd.join()
    check_stored_once(server, crowd)


def test_who_withdraws_while_sending_is_refused_within_a_second_and_erased_in_time(server: Server) -> None:
    staying = [Crowd(server, decide(server)["token"], 150) for _ in range(4)]
    leaving = [Crowd(server, decide(server)["token"], 100_000) for _ in range(6)]
    for crowd in (*staying, *leaving):
        crowd.start(1)
    until(lambda: all(crowd.has_sent(5) for crowd in leaving), 60, "the crowds' progress")
    until(lambda: _are_all_seen(server.stored(), leaving), 60, "an event of each in the store")
    withdrawn_at, due_at = {}, []
    for number, crowd in enumerate(leaving):
        due_at.append(_withdraw(server, crowd)["due_at"])
        withdrawn_at[number] = time.monotonic()
    for number, crowd in enumerate(leaving):
        crowd.join()
        assert crowd.refused == 1
        assert crowd.last_sent_at < withdrawn_at[number] + 1
    gone = {event_id for crowd in leaving for event_id in crowd.acknowledged}
    seconds = (datetime.fromisoformat(min(due_at)) - datetime.now(UTC)).total_seconds()
    until(lambda: not gone & set(server.stored()), seconds, "the erasure of those who withdrew")
    for crowd in staying:
        crowd.join()
    kept = {event_id for crowd in staying for event_id in crowd.acknowledged}
    until(lambda: set(server.stored()) == kept, 60, "the storing of all others, and nothing else")
    assert {_withdraw(server, crowd)["status"] for crowd in leaving} == {"done"}


def _are_all_seen(stored: list[str], crowds: list[Crowd]) -> bool:
    return all(not set(stored).isdisjoint(crowd.acknowledged) for crowd in crowds)


def _withdraw(server: Server, crowd: Crowd) -> dict[str, Any]:
    body = {"site": server.key, "token": crowd.consent, "purposes": None}
    answer = httpx.post(f"{server.url}/v1/withdrawals", json=body, headers={"Origin": ORIGIN}, timeout=30)
    assert answer.status_code == 200
    erasure: dict[str, Any] = answer.json()["erasure"]
    return erasure


def _others(server: Server, role: str, victim: int, count: int) -> bool:
    alive = server.pids(role)
    return victim not in alive and len(alive) >= count
