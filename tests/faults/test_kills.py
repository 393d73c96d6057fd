"""A 202 survives whatever dies afterwards, and is stored once."""

from __future__ import annotations

import os
import signal
from functools import partial

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


def test_sigterm_drains_what_was_acknowledged_and_ends_well(server: Server) -> None:
    crowd = Crowd(server, decide(server)["token"], 200)
    crowd.start()
    crowd.join()
    assert server.stop() == 0
    assert server.run("status")["processes"] == []
    server.start()
    check_stored_once(server, crowd)


def test_withdrawals_under_load_leave_no_row(server: Server) -> None:
    consents = [decide(server) for _ in range(20)]
    crowds = [Crowd(server, consent["token"], 40) for consent in consents[:5]]
    for consent in consents[5:]:
        crowd = Crowd(server, consent["token"], 5)
        crowd.start(1)
        crowd.join()
    for consent in consents[5:]:
        body = {"site": server.key, "token": consent["token"], "purposes": None}
        answer = httpx.post(f"{server.url}/v1/withdrawals", json=body, headers={"Origin": ORIGIN})
        assert answer.status_code == 200
    for crowd in crowds:
        crowd.start(2)
    for crowd in crowds:
        crowd.join()
    kept = {event_id for crowd in crowds for event_id in crowd.acknowledged}
    until(lambda: set(server.stored()) == kept, 60, "the erasure of the withdrawn")


def _others(server: Server, role: str, victim: int, count: int) -> bool:
    alive = server.pids(role)
    return victim not in alive and len(alive) >= count
