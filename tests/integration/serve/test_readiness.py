"""Probes and reports are answered at once, whatever the keeper is busy with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Listener
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from consent_service.config import Config
from consent_service.events.duckdb import DuckDBStore
from consent_service.serve.socket import KeeperClient, SharedAnswer
from tests.integration.conftest import TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


@pytest.fixture
def rewriting(keeper: KeeperInHand) -> Iterator[None]:
    """Hold the store as a compaction that takes long holds it."""
    assert isinstance(keeper.store, DuckDBStore)
    with keeper.store._turns.alone():
        yield


@pytest.fixture
def deaf_keeper(config: Config) -> Iterator[Path]:
    """Give a socket whose owner takes connections and never answers."""
    with Listener(str(config.socket_path), family="AF_UNIX", backlog=64):
        yield config.socket_path


def seconds(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def test_ready_while_both_stores_answer(client: FlaskClient, keeper: KeeperInHand) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("rewriting")
def test_while_the_store_is_rewritten_reports_and_probes_say_so_at_once(
    client: FlaskClient, visitor: Visitor, api_token: TokenMaker
) -> None:
    query = {"site_id": visitor.site_key, "metrics": ["visitors"], "date_range": "7d"}
    asked = {"Authorization": f"Bearer {api_token('stats:read')}"}
    started = time.monotonic()
    answer = client.post("/api/v2/query", json=query, headers=asked)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert "being rewritten" in answer.get_json()["error"]["message"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["stores"]) == (503, {"database": True, "events": False})
    assert visitor.accept().status_code == 201
    assert visitor.pageview().status_code == 202
    assert time.monotonic() - started < 5


def test_a_probe_waits_a_second_for_a_keeper_that_does_not_answer(deaf_keeper: Path) -> None:
    client = KeeperClient(deaf_keeper)
    answers: list[bool] = []
    took = seconds(lambda: answers.append(client.is_ready()))
    client.close()
    assert answers == [False]
    assert took < 3


def test_many_who_ask_at_once_share_one_answer() -> None:
    asked: list[float] = []
    is_known = threading.Event()

    def ask() -> bool:
        asked.append(time.monotonic())
        is_known.wait(10)
        return True

    shared, answers = SharedAnswer(ask, 600), list[bool]()
    threads = [threading.Thread(target=lambda: answers.append(shared())) for _ in range(8)]
    for thread in threads:
        thread.start()
    is_known.set()
    for thread in threads:
        thread.join(10)
    assert (len(asked), answers) == (1, [True] * 8)


def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    answers = iter([False, True])
    shared = SharedAnswer(lambda: next(answers), 0.0)
    assert [shared(), shared()] == [False, True]
