"""The keeper gives every inbox its turn and every erasure its time, however much comes in."""

from __future__ import annotations

import threading

from sqlalchemy import select

from consent_service.config import Config
from consent_service.consent.gate import Grant
from consent_service.core import Core
from consent_service.db.tables import erasure_job
from consent_service.serve.keeper import ITEMS_A_BATCH
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.serve.sending import another_inbox, event
from tests.integration.visitor import Visitor

END_SECONDS = 30.0


def stored(keeper: KeeperInHand) -> int:
    return int(keeper.store.fetch("SELECT count(*) FROM event", []).rows[0][0])


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


def test_a_keeper_that_died_before_noting_an_erasure_notes_what_it_had_deleted(
    visitor: Visitor, keeper: KeeperInHand, core: Core, now: Clock
) -> None:
    visitor.accept()
    token, receipt_id = visitor.token, visitor.receipt_id
    assert receipt_id is not None
    visitor.send(visitor.event("/1"), visitor.event("/2"))
    keeper.turn()
    visitor.withdraw()
    with core.engine.connect() as connection:
        erasure_id = connection.execute(select(erasure_job.c.erasure_id)).scalar_one()
    keeper.store.erase({erasure_id: receipt_id}, now())
    keeper.turn()
    answer = visitor.withdraw(token=token).get_json()
    assert (answer["erasure"]["status"], answer["erasure"]["events"]) == ("done", 2)
