"""The keeper gives every inbox its turn and every erasure its time, however much comes in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from consent_service.app import Core
from consent_service.collect.inbox import Inbox
from consent_service.config import Config
from consent_service.consent.gate import Grant, check
from consent_service.consent.receipts import read_states
from consent_service.serve.keeper import ITEMS_A_BATCH
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

END_SECONDS = 30.0


def stored(keeper: KeeperInHand) -> int:
    return int(keeper.store.fetch("SELECT count(*) FROM event", []).rows[0][0])


def grant_of(core: Core, site: Site, visitor: Visitor, at: datetime) -> Grant:
    """Give the grant of a visitor, as the edge's gate does."""
    publication = core.publications.of(site)
    assert publication is not None
    assert visitor.receipt_id is not None
    with core.engine.connect() as connection:
        state = read_states(connection, [visitor.receipt_id])[visitor.receipt_id]
    grant = check(state, publication.rules, now=at, has_signal=False)
    assert isinstance(grant, Grant)
    return grant


def event(at: datetime) -> dict[str, Any]:
    return {"event_id": uuid4().hex, "name": "pageview", "occurred_at": at.isoformat(), "path": "/"}


@contextmanager
def another_inbox(config: Config) -> Iterator[Inbox]:
    """Give the inbox of one more worker."""
    inbox = Inbox(config.inbox_dir)
    try:
        yield inbox
    finally:
        inbox.close()


@pytest.fixture
def grant(core: Core, site: Site, visitor: Visitor, now: Clock) -> Grant:
    visitor.accept()
    return grant_of(core, site, visitor, now())


def test_a_full_inbox_keeps_no_other_and_no_erasure_waiting(
    visitor: Visitor, keeper: KeeperInHand, config: Config, grant: Grant, now: Clock
) -> None:
    other = visitor.another()
    other.accept()
    other.pageview("/of-one-who-withdraws")
    keeper.turn()
    with another_inbox(config) as busy, another_inbox(config) as quiet:
        busy.append_many([(grant, now(), [event(now())]) for _ in range(2 * ITEMS_A_BATCH + 1)])
        quiet.append(grant, now(), [event(now())])
        other.withdraw()
        drained = keeper.keeper.drain()
        assert (drained.stored, drained.has_more) == (ITEMS_A_BATCH + 1, True)
        assert keeper.keeper.run_erasures() == 1
        assert stored(keeper) == ITEMS_A_BATCH + 1
        assert keeper.keeper.drain().has_more
        assert keeper.keeper.drain().stored == 1
        assert not keeper.keeper.drain().has_more


def test_what_is_asked_for_ends_under_a_load_that_does_not(
    keeper: KeeperInHand, config: Config, grant: Grant, now: Clock
) -> None:
    with another_inbox(config) as inbox:
        is_over, asked, sent = threading.Event(), threading.Thread(target=keeper.keeper.settle, daemon=True), [0]

        def send() -> None:
            while not is_over.is_set():
                inbox.append_many([(grant, now(), [event(now())]) for _ in range(50)])
                sent[0] += 50

        crowd = threading.Thread(target=send)
        crowd.start()
        asked.start()
        asked.join(END_SECONDS)
        has_ended = not asked.is_alive()
        is_over.set()
        crowd.join()
        asked.join()
        assert has_ended
        keeper.turn()
        assert stored(keeper) == sent[0]


def test_the_loop_stores_what_waits_answers_and_ends(
    keeper: KeeperInHand, config: Config, grant: Grant, now: Clock
) -> None:
    with another_inbox(config) as inbox:
        inbox.append_many([(grant, now(), [event(now())]) for _ in range(3 * ITEMS_A_BATCH)])
        loop = threading.Thread(target=keeper.keeping.run)
        loop.start()
        assert keeper.keeping.act("drain", {})["stored"] <= 3 * ITEMS_A_BATCH
        assert keeper.keeping.act("status", {})["rows"] == 0
        assert stored(keeper) == 3 * ITEMS_A_BATCH
        inbox.append_many([(grant, now(), [event(now())]) for _ in range(2 * ITEMS_A_BATCH)])
        keeper.keeping.end()
        loop.join(END_SECONDS)
        assert not loop.is_alive()
        assert stored(keeper) == 5 * ITEMS_A_BATCH
