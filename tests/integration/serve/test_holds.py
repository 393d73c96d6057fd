"""What is held is kept, and used for nothing: not stored anew, not counted, not shown, not erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_service.consent.hold import Hold, HoldError, HoldKind, lift_hold, list_holds, new_hold, place_hold
from consent_service.consent.rights import erase_receipt
from consent_service.core import Core
from consent_service.db.tables import decision, erasure_job, receipt
from consent_service.serve.retention import Stored, plan_retention
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES, TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Place = Callable[..., Hold]


@pytest.fixture
def place(core: Core, site: Site, now: Clock, refresh: Callable[[], None], client: FlaskClient) -> Place:
    """Give a function that holds a visitor's receipt, or the site where there is none."""

    def act(visitor: Visitor | None, **members: Any) -> Hold:
        receipt_id = None if visitor is None else visitor.receipt_id
        wanted = new_hold(site.site_id, receipt_id, "case 7", "officer", now(), **members)
        placed = core.writer.run(lambda connection: place_hold(connection, wanted))
        refresh()
        client.application.extensions["consent_service"].receipts.forget([str(receipt_id)])
        return placed

    return act


def lift(core: Core, hold: Hold, now: Clock) -> None:
    core.writer.run(lambda connection: lift_hold(connection, hold.hold_id, "officer", now()))


def paths(keeper: KeeperInHand, table: str = "event") -> list[str]:
    return [row[0] for row in keeper.store.fetch(f"SELECT path FROM {table} ORDER BY path", []).rows]


def jobs(core: Core) -> list[tuple[str, int | None]]:
    with core.engine.connect() as connection:
        found = connection.execute(select(erasure_job.c.status, erasure_job.c.events).order_by(erasure_job.c.due_at))
        return [tuple(row) for row in found]


def names(core: Core) -> list[str | None]:
    with core.engine.connect() as connection:
        return list(connection.execute(select(erasure_job.c.receipt_id)).scalars())


def decisions(core: Core) -> int:
    with core.engine.connect() as connection:
        return len(connection.execute(select(decision.c.decision_id)).all())


def test_a_held_receipt_is_refused_and_out_of_every_query(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    client: FlaskClient,
    place: Place,
    site: Site,
    now: Clock,
    api_token: TokenMaker,
) -> None:
    other = visitor.another()
    for each, path in ((visitor, "/held"), (other, "/free")):
        each.accept()
        each.pageview(path)
    keeper.turn()
    hold = place(visitor)
    answer = visitor.pageview("/more")
    assert (answer.status_code, answer.headers["X-Consent-Reason"]) == (403, "withdrawn")
    assert other.pageview("/free-too").status_code == 202
    keeper.turn()
    assert (paths(keeper), paths(keeper, "held_event")) == (["/free", "/free-too"], ["/held"])
    headers = {"Authorization": f"Bearer {api_token('events:export', 'stats:read')}"}
    day = str(now().date())
    exported = client.get("/api/v1/events", query_string={"site": site.key, "from": day, "to": day}, headers=headers)
    assert (exported.text.count("\n"), "/held" in exported.text) == (2, False)
    query = {"site_id": site.key, "metrics": ["visitors", "pageviews"], "date_range": "day"}
    counted = client.post("/api/v2/query", json=query, headers=headers).get_json()
    assert counted["results"][0]["metrics"] == [1, 2]
    lift(core, hold, now)
    keeper.turn()
    assert (paths(keeper), paths(keeper, "held_event")) == (["/free", "/free-too", "/held"], [])
    client.application.extensions["consent_service"].receipts.forget([str(visitor.receipt_id)])
    assert visitor.pageview("/again").status_code == 202


def test_an_erasure_waits_for_the_hold_and_no_longer(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, site: Site, now: Clock
) -> None:
    visitor.accept()
    visitor.pageview("/held")
    keeper.turn()
    hold = place(visitor)
    keeper.turn()
    answer = visitor.withdraw().get_json()
    assert answer["erasure"]["status"] == "held"
    keeper.turn()
    assert (jobs(core), paths(keeper, "held_event")) == ([("held", None)], ["/held"])
    receipt_id = str(visitor.receipt_id)
    core.writer.run(lambda connection: erase_receipt(connection, site, receipt_id, "x", now(), with_records=True))
    keeper.turn()
    assert decisions(core) == 2
    now.move(days=2)
    lift(core, hold, now)
    with core.engine.connect() as connection:
        due_at = connection.execute(select(erasure_job.c.due_at)).scalar_one()
    assert due_at == now() + timedelta(seconds=60)
    keeper.turn()
    assert (jobs(core), paths(keeper, "held_event"), decisions(core)) == ([("done", 1)], [], 0)


def test_an_erasure_that_waits_already_is_held_too(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place
) -> None:
    visitor.accept()
    visitor.pageview("/held")
    keeper.turn()
    visitor.withdraw()
    place(visitor)
    keeper.turn()
    assert (jobs(core), paths(keeper, "held_event")) == ([("held", None)], ["/held"])


def test_two_holds_end_with_the_second(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock
) -> None:
    visitor.accept()
    visitor.pageview("/held")
    keeper.turn()
    one, other = place(visitor), place(None)
    visitor.withdraw()
    lift(core, one, now)
    keeper.turn()
    assert (jobs(core), paths(keeper, "held_event")) == ([("held", None)], ["/held"])
    lift(core, other, now)
    keeper.turn()
    assert (jobs(core), paths(keeper), paths(keeper, "held_event")) == ([("done", 1)], [], [])
    with pytest.raises(HoldError, match="was lifted before"):
        lift(core, other, now)


def test_a_whole_site_is_held(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock, refresh: Callable[[], None]
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    # Accepted before the hold, and still in the inbox when it comes: 202 means that it is kept.
    visitor.pageview("/b")
    hold = place(None)
    answer = visitor.pageview("/c")
    assert (answer.status_code, answer.headers["X-Consent-Reason"]) == (403, "site_paused")
    keeper.turn()
    assert (paths(keeper), paths(keeper, "held_event")) == ([], ["/a", "/b"])
    now.move(days=2000)
    assert keeper.keeper.retain(is_confirmed=True) == []
    assert decisions(core) == 1
    lift(core, hold, now)
    refresh()
    keeper.turn()
    assert paths(keeper) == ["/a", "/b"]


def test_retention_leaves_what_is_held(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock
) -> None:
    other = visitor.another()
    for each in (visitor, other):
        each.accept()
        each.pageview("/a")
    keeper.turn()
    place(visitor)
    keeper.turn()
    now.move(days=2000)
    (done,) = keeper.keeper.retain(is_confirmed=True)
    assert (done.events, done.records) == (1, 1)
    assert (paths(keeper, "held_event"), decisions(core)) == (["/a"], 1)


def test_a_lifted_hold_is_forgotten_after_ninety_days_and_keeps_the_erasure_s_name_while_it_stands(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock
) -> None:
    visitor.accept()
    visitor.withdraw()
    keeper.turn()
    hold = place(visitor)
    keeper.turn()
    keeper.compact()
    now.move(days=91)
    keeper.keeper.retain(is_confirmed=True)
    assert names(core) == [visitor.receipt_id]
    lift(core, hold, now)
    assert keeper.keeper.retain(is_confirmed=True)
    assert names(core) == [None]
    with core.engine.connect() as connection:
        assert [each.hold_id for each in list_holds(connection, with_lifted=True)] == [hold.hold_id]
    now.move(days=91)
    keeper.keeper.retain(is_confirmed=True)
    with core.engine.connect() as connection:
        assert list_holds(connection, with_lifted=True) == []


def test_a_lifted_hold_goes_with_the_records_it_was_about(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock, site: Site
) -> None:
    visitor.accept()
    lift(core, place(visitor), now)
    receipt_id = str(visitor.receipt_id)
    core.writer.run(lambda it: erase_receipt(it, site, receipt_id, "officer", now(), with_records=True))
    keeper.turn()
    assert decisions(core) == 0
    with core.engine.connect() as connection:
        assert list_holds(connection, with_lifted=True) == []


def test_a_hold_ends_on_its_last_day(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place, now: Clock, site: Site
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    place(visitor, until=now() + timedelta(days=3))
    keeper.turn()
    assert paths(keeper) == []
    now.move(days=3)
    keeper.turn()
    assert paths(keeper) == ["/a"]
    with core.engine.connect() as connection:
        assert list_holds(connection, site.site_id) == []
        (lifted,) = list_holds(connection, with_lifted=True)
        assert not connection.execute(select(receipt.c.is_restricted)).scalar_one()
    assert lifted.lifted_by == "its last day"


def test_a_restriction_ends_with_the_wish_to_be_erased(
    visitor: Visitor, keeper: KeeperInHand, core: Core, place: Place
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    place(visitor, kind=HoldKind.RESTRICTION)
    keeper.turn()
    assert (paths(keeper), paths(keeper, "held_event")) == ([], ["/a"])
    assert visitor.withdraw().get_json()["erasure"]["status"] == "pending"
    keeper.turn()
    assert (jobs(core), paths(keeper, "held_event")) == ([("done", 1)], [])


@pytest.mark.parametrize(
    ("reason", "receipt_id", "days"),
    [("", None, None), ("x", "54445464b4824de3bc8d7c5d4f97960f", None), ("x", None, 0)],
)
def test_a_hold_of_nothing_is_refused(
    core: Core, site: Site, now: Clock, reason: str, receipt_id: str | None, days: int | None
) -> None:
    until = None if days is None else now() + timedelta(days=days)
    wanted = new_hold(site.site_id, receipt_id, reason, "officer", now(), until=until)
    with pytest.raises(HoldError):
        core.writer.run(lambda connection: place_hold(connection, wanted))


def test_retention_brakes_by_a_clock_that_jumped_and_not_by_the_few_rows_of_a_small_site(
    visitor: Visitor, keeper: KeeperInHand, core: Core, now: Clock
) -> None:
    visitor.accept()
    visitor.pageview("/old")
    keeper.turn()
    now.move(days=396)
    last = visitor.another()
    last.accept()
    last.pageview("/new")
    keeper.turn()
    now.move(hours=49)
    ask = keeper.keeping.do
    answer = ask("retain", {"dry_run": False, "confirmed": False})
    assert answer["brake"] == "the clock is 49 hours ahead of the newest thing that was written"
    keeper.keeping._retain()
    assert keeper.keeping.do("status", {})["brake"] == answer["brake"]
    assert len(paths(keeper)) == 2
    assert ask("retain", {"dry_run": True, "confirmed": False})["brake"] == answer["brake"]
    last.pageview("/newer")
    visitor.another().accept()
    keeper.turn()
    keeper.keeping._retain()
    assert paths(keeper) == ["/new", "/newer"]
    assert keeper.keeping.do("status", {})["brake"] is None


@pytest.mark.parametrize(("gone", "there", "is_braked"), [(200, 201, False), (201, 1004, True), (201, 1005, False)])
def test_retention_brakes_before_it_deletes_much(
    core: Core, site: Site, now: Clock, gone: int, there: int, is_braked: bool
) -> None:
    def count(site_id: int, versions: list[int], before: datetime) -> int:
        return gone if site_id == site.site_id else 0

    stored = Stored(there, now())
    plan = plan_retention(core.engine, core.sites, core.publications, count, stored, now())
    words = f"retention would delete {gone} of {there} events, more than 20% at once"
    assert plan.brake == (words if is_braked else None)
