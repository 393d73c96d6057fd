"""Events: nothing is stored without a valid consent, and what was accepted is stored once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_service.consent.policy import Policy, parse_policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.services import EXTENSION
from consent_service.sites.changes import add_site, change_site
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES, EXAMPLES
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

STAMP = "path, decision_id, policy_version"

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def stored(keeper: KeeperInHand, columns: str = "path") -> list[tuple[Any, ...]]:
    return keeper.store.fetch(f"SELECT {columns} FROM event ORDER BY received_at, path", []).rows


def drops(keeper: KeeperInHand) -> dict[str, int]:
    return dict(keeper.store.fetch("SELECT reason, sum(n) FROM drop_count GROUP BY reason", []).rows)


def test_an_accepted_pageview_is_stored_with_the_consent_that_allowed_it(
    visitor: Visitor, keeper: KeeperInHand
) -> None:
    decided = visitor.accept().get_json()
    assert visitor.pageview("/a").get_json() == {"accepted": 1, "dropped": []}
    keeper.turn()
    ((path, receipt_id, decision_id, version, purposes),) = stored(
        keeper, "path, receipt_id, decision_id, policy_version, purposes"
    )
    assert (path, receipt_id.hex, str(decision_id)) == ("/a", decided["receipt_id"], decided["decision_id"])
    assert (version, purposes) == (1, ["analytics"])


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("missing", "token_missing"),
        ("empty", "token_missing"),
        ("forged", "token_invalid"),
        ("altered", "token_invalid"),
        ("expired", "token_expired"),
        ("refused", "purpose_refused"),
        ("withdrawn", "withdrawn"),
        ("signal", "signal_refused"),
        ("origin", "wrong_origin"),
        ("paused", "site_paused"),
    ],
)
def test_without_a_valid_consent_nothing_is_stored_but_one_count(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock, refresh: Any, case: str, code: str
) -> None:
    visitor.accept()
    token = visitor.token or ""
    match case:
        case "missing":
            visitor.token = None
        case "empty":
            visitor.token = ""
        case "forged":
            visitor.token = "x" * 90
        case "altered":
            visitor.token = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
        case "expired":
            now.move(days=181)
        case "refused":
            visitor.token = None
            visitor.refuse()
        case "withdrawn":
            visitor.withdraw()
            visitor.token = token
        case "signal":
            visitor.headers["Sec-GPC"] = "1"
        case "origin":
            visitor.origin = "https://evil.example"
        case "paused":
            paused = site.settings.model_copy(update={"paused": True})
            core.writer.run(lambda c: change_site(c, site.key, paused, actor="test", now=now()))
            refresh()
    response = visitor.pageview("/secret")
    assert response.status_code == 403
    assert response.get_json()["error"]["code"] == code
    assert response.headers["X-Consent-Reason"] == code
    keeper.until(lambda: bool(drops(keeper)))
    assert drops(keeper) == {code: 1}
    assert stored(keeper) == []


def test_a_token_of_another_site_is_refused(visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Any) -> None:
    other = core.writer.run(lambda c: add_site(c, site.settings, actor="test", now=now()))
    refresh()
    visitor.accept()
    body = {"site": other.key, "token": visitor.token, "events": [visitor.event()]}
    response = visitor.post("/v1/events", body)
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "wrong_site")


def test_one_bad_event_among_ten_leaves_nine(visitor: Visitor, keeper: KeeperInHand) -> None:
    visitor.accept()
    events: list[Any] = [visitor.event(f"/{number}") for number in range(10)]
    events[4] = {"name": 7}
    answer = visitor.send(*events).get_json()
    assert answer == {"accepted": 9, "dropped": [{"index": 4, "reason": "invalid_event"}]}
    keeper.turn()
    assert len(stored(keeper)) == 9


def test_an_event_from_before_its_grant_is_dropped(visitor: Visitor, keeper: KeeperInHand, now: Clock) -> None:
    visitor.accept()
    now.move(seconds=10)
    answer = visitor.send(visitor.event("/old", age_ms=11_000), visitor.event("/new", age_ms=9_000)).get_json()
    assert answer == {"accepted": 1, "dropped": [{"index": 0, "reason": "before_consent"}]}
    keeper.turn()
    assert stored(keeper) == [("/new",)]


def test_the_same_event_sent_again_is_stored_once(visitor: Visitor, keeper: KeeperInHand) -> None:
    visitor.accept()
    event = visitor.event("/once")
    for _ in range(3):
        assert visitor.send(event, event).status_code == 202
        keeper.turn()
    assert stored(keeper) == [("/once",)]


def test_what_a_stale_edge_let_through_is_never_stored(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site
) -> None:
    visitor.accept()
    visitor.pageview("/waiting")
    visitor.withdraw()
    keeper.turn()
    assert stored(keeper) == []
    assert drops(keeper) == {"withdrawn": 1}


def test_a_renewal_before_the_storing_does_not_restamp_what_was_accepted(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    first = visitor.accept().get_json()
    visitor.pageview("/accepted")
    now.move(seconds=1)
    policy = parse_policy((EXAMPLES / "policy.toml").read_bytes(), format="toml")
    policy = policy.model_copy(update={"record_retention_days": 2000})
    core.writer.run(lambda c: publish_policy(c, site, policy, actor="test", now=now()))
    refresh()
    renewed = visitor.accept().get_json()
    visitor.pageview("/renewed")
    assert renewed["receipt_id"] == first["receipt_id"]
    keeper.turn()
    assert [(path, str(decision), version) for path, decision, version in stored(keeper, STAMP)] == [
        ("/accepted", first["decision_id"], 1),
        ("/renewed", renewed["decision_id"], 2),
    ]


def test_an_event_inherits_nothing_of_its_visit_that_the_policy_no_longer_declares(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    visitor.accept()
    visitor.pageview("/first", referrer="https://www.google.fr/")
    document = parse_policy((EXAMPLES / "policy.toml").read_bytes(), format="toml").document()
    document["purposes"][0]["data"] = ["page"]
    less = Policy.from_document(document)
    core.writer.run(lambda c: publish_policy(c, site, less, actor="test", now=now()))
    refresh()
    now.move(seconds=1)
    visitor.pageview("/later")
    keeper.turn()
    shown = stored(keeper, "path, source, device, policy_version")
    assert shown == [("/first", "Google", "Desktop", 1), ("/later", "", "", 1)]
    assert len({visit_id for (visit_id,) in stored(keeper, "visit_id")}) == 1


def test_a_keeper_that_has_not_heard_of_a_site_yet_stores_its_events(
    client: FlaskClient, app: Flask, site: Site, keeper: KeeperInHand, core: Core, now: Clock
) -> None:
    core.sites.all()
    worker = app.extensions[EXTENSION]
    policy = parse_policy((EXAMPLES / "policy.toml").read_bytes(), format="toml")
    added = worker.writer.run(lambda c: add_site(c, site.settings, actor="test", now=now()))
    worker.writer.run(lambda c: publish_policy(c, added, policy, actor="test", now=now()))
    worker.sites.revision.forget()
    visitor = Visitor(client, added.key, site.origins[0])
    visitor.accept()
    assert visitor.pageview("/new-site").status_code == 202
    # As if it had looked a moment before the site was added.
    core.sites.revision._read_at = time.monotonic()
    keeper.turn()
    assert stored(keeper, "site_id, path") == [(added.site_id, "/new-site")]


def test_withdrawing_erases_what_was_stored_and_says_how_much(visitor: Visitor, keeper: KeeperInHand) -> None:
    visitor.accept()
    token = visitor.token
    visitor.send(*(visitor.event(f"/{number}") for number in range(5)))
    keeper.turn()
    other = visitor.another()
    other.accept()
    other.pageview("/other")
    visitor.withdraw()
    keeper.turn()
    assert stored(keeper) == [("/other",)]
    again = visitor.withdraw(token=token).get_json()
    assert again["erasure"]["status"] == "done"
    assert again["erasure"]["events"] == 5


def test_a_pageview_can_be_sent_as_plain_text_and_with_the_token_as_bearer(
    visitor: Visitor, keeper: KeeperInHand
) -> None:
    visitor.accept()
    body = {"site": visitor.site_key, "events": [visitor.event("/plain")]}
    response = visitor.post("/v1/events", body, Authorization=f"Bearer {visitor.token}", Content_Type="text/plain")
    assert response.status_code == 202


def test_what_the_policy_does_not_declare_is_not_stored(visitor: Visitor, keeper: KeeperInHand) -> None:
    visitor.accept()
    visitor.pageview("/a", props={"a": "b"}, revenue={"amount": "1", "currency": "EUR"})
    keeper.turn()
    assert stored(keeper, "props, revenue_amount, revenue_currency, region, city") == [({}, None, "", "", "")]
