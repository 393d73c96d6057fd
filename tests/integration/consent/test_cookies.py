"""Cookies on the site's own origin: how long they live, what scripts may read, and how subdomains share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from consent_service.consent.policy import Policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.db.tables import decision, erasure_job, receipt
from consent_service.sites.changes import change_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.consent.cookie_browser import APEX, MIRROR, OWN, SHARED, WWW, Browser, attributes
from tests.integration.visitor import Visitor

DAY = 86_400
Change = Callable[..., None]
Browsers = Callable[[], Browser]


@pytest.fixture
def browsers(app: Flask, site: Site) -> Browsers:
    """Give a function that makes browsers."""
    return lambda: Browser(app, site.key)


@pytest.fixture
def browser(browsers: Browsers) -> Browser:
    """Give one browser."""
    return browsers()


@pytest.fixture
def configure(core: Core, site: Site, now: Clock, refresh: Callable[[], None]) -> Change:
    """Give a function that changes settings of the site."""

    def change(**changes: Any) -> None:
        settings = SiteSettings.from_document({**site.settings.document(), **changes})
        core.writer.run(
            lambda connection: change_site(connection, site.key, settings, actor="test", now=now(), action="site.set")
        )
        refresh()

    return change


@pytest.fixture
def republish(core: Core, site: Site, now: Clock, refresh: Callable[[], None]) -> Change:
    """Give a function that publishes the policy with two purposes, and members changed."""

    def publish(**changes: Any) -> None:
        publication = core.publications.of(site)
        assert publication is not None
        document = publication.current.policy.document()
        first = document["purposes"][0]
        second = {**first, "id": "marketing", "measures": False}
        languages = document["languages"]
        document |= {
            "purposes": [first, second],
            "material_purposes": ["marketing"],
            "material_reason": dict.fromkeys(languages, "A new purpose."),
        }
        policy = Policy.from_document({**document, **changes})
        core.writer.run(lambda connection: publish_policy(connection, site, policy, actor="test", now=now()))
        refresh()

    return publish


def receipts(core: Core) -> dict[str, list[str]]:
    with core.engine.connect() as connection:
        return {row.receipt_id: row.purposes for row in connection.execute(select(receipt))}


def test_two_who_refuse_on_one_day_get_the_same_bytes(browsers: Browsers, now: Clock) -> None:
    first = browsers().decide()
    now.move(hours=7, minutes=13, seconds=5)
    second = browsers().decide()
    assert first.headers.getlist("Set-Cookie") == second.headers.getlist("Set-Cookie") != []
    secret, mirror = attributes(first)
    assert secret["Max-Age"] == mirror["Max-Age"] == str(180 * DAY)
    assert "Expires" not in secret | mirror
    assert mirror["value"] == "1..2026-03-10.0"
    now.move(days=1)
    assert attributes(browsers().decide())[1]["value"] == "1..2026-03-11.0"


def test_a_grants_cookies_live_as_long_as_the_choice_stands(browser: Browser, site: Site) -> None:
    answer = browser.decide("analytics")
    secret, mirror = attributes(answer)
    assert secret["name"] == f"__Host-consent-{site.key}"
    assert secret["Max-Age"] == mirror["Max-Age"] == str(180 * DAY)
    assert {"Secure", "HttpOnly"} <= set(secret)
    assert "Secure" in mirror
    assert not {"Domain", "Expires"} & set(secret)
    assert not {"Domain", "Expires", "HttpOnly"} & set(mirror)
    assert (secret["Path"], secret["SameSite"]) == ("/", "Lax")
    assert mirror["value"] == "1.analytics.2026-03-10.0"
    assert answer.get_json()["receipt_id"] not in mirror["value"]


def test_no_cookie_lives_longer_than_browsers_allow(browser: Browser, republish: Change) -> None:
    republish(valid_days=395, refusal_days=3650)
    assert {each["Max-Age"] for each in attributes(browser.decide())} == {str(400 * DAY)}
    assert {each["Max-Age"] for each in attributes(browser.decide("analytics"))} == {str(395 * DAY)}


def test_the_mirror_names_the_granted_purposes_and_the_signal(browser: Browser, republish: Change) -> None:
    republish()
    assert attributes(browser.decide("marketing"))[1]["value"] == "2.marketing.2026-03-10.0"
    both = browser.decide("analytics", "marketing", action="accept_all", signals={"gpc": True})
    assert attributes(both)[1]["value"] == "2.analytics~marketing.2026-03-10.1"


def test_what_is_kept_after_a_partial_withdrawal_keeps_its_own_end(
    browser: Browser, republish: Change, now: Clock
) -> None:
    republish()
    browser.decide("analytics", "marketing", action="accept_all")
    now.move(days=30)
    secret, mirror = attributes(browser.withdraw("marketing"))
    assert secret["Max-Age"] == mirror["Max-Age"] == str(150 * DAY)
    assert mirror["value"] == "2.analytics.2026-03-10.0"


def test_a_withdrawal_leaves_the_refusal_of_everybody(browser: Browser, browsers: Browsers, core: Core) -> None:
    receipt_id = browser.decide("analytics").get_json()["receipt_id"]
    answer = browser.withdraw()
    assert answer.get_json()["receipt_id"] == receipt_id
    refused = browsers().decide()
    assert answer.headers.getlist("Set-Cookie") == refused.headers.getlist("Set-Cookie")
    assert browser.view() == "purpose_refused"
    assert receipts(core) == {receipt_id: []}


def test_an_answer_given_again_does_not_bring_back_what_was_withdrawn(browser: Browser) -> None:
    key = str(uuid4())
    granted = browser.decide("analytics", idempotency_key=key)
    browser.withdraw()
    again = browser.decide("analytics", idempotency_key=key)
    assert again.get_json() == granted.get_json()
    assert "Set-Cookie" not in again.headers
    assert browser.view() == "purpose_refused"


@pytest.mark.parametrize("fetch_site", ["same-site", "cross-site", "none", ""])
def test_other_requests_than_of_this_origin_set_no_cookie(browser: Browser, fetch_site: str) -> None:
    config = browser.client.get(f"/v1/sites/{browser.key}/banner").get_json()
    body = {"site": browser.key, "action": "refuse_all", "purposes": {"analytics": False}, "policy_version": 1}
    body["banner_hash"] = config["banner_hash"]
    headers = {"Sec-Fetch-Site": fetch_site} if fetch_site else {}
    answer = browser.client.post("/v1/decisions", json=body, headers={"Origin": APEX, **headers})
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers


def test_shared_cookies_are_for_the_domain_that_the_settings_name(browser: Browser, configure: Change) -> None:
    configure(share_subdomains=True)
    secret, mirror = attributes(browser.decide("analytics", origin=WWW))
    assert secret["name"] == SHARED.format(key=browser.key)
    assert secret["Domain"] == mirror["Domain"] == "nouvelles.example"
    assert {"Secure", "HttpOnly"} <= set(secret)
    assert browser.names == {
        ("__Secure-consent-KEY", "nouvelles.example"),
        ("consent-KEY-mirror", "nouvelles.example"),
    }
    assert browser.view(APEX) == browser.view(WWW) == ""


def test_a_host_outside_the_domain_keeps_its_own_cookie(browser: Browser, configure: Change) -> None:
    other = "https://nouvelles.test"
    lookalike = "https://xnouvelles.example"
    configure(share_subdomains=True, origins=[APEX, other, lookalike])
    for origin in (other, lookalike):
        secret, mirror = attributes(browser.decide("analytics", origin=origin))
        assert secret["name"] == OWN.format(key=browser.key)
        assert not {"Domain"} & (set(secret) | set(mirror))


def test_a_grant_from_before_the_sharing_goes_on_in_the_shared_cookie(
    browser: Browser, configure: Change, core: Core
) -> None:
    receipt_id = browser.decide("analytics", origin=WWW).get_json()["receipt_id"]
    configure(share_subdomains=True)
    assert browser.view(WWW) == ""
    assert browser.decide("analytics", origin=WWW).get_json()["receipt_id"] == receipt_id
    assert browser.names == {
        ("__Secure-consent-KEY", "nouvelles.example"),
        ("consent-KEY-mirror", "nouvelles.example"),
    }
    assert receipts(core) == {receipt_id: ["analytics"]}


def test_of_two_cookies_the_refusal_holds(browser: Browser, configure: Change) -> None:
    browser.decide(origin=WWW)
    configure(share_subdomains=True)
    assert browser.decide("analytics", origin=APEX).get_json()["receipt_id"]
    assert browser.view(APEX) == ""
    assert browser.view(WWW) == "purpose_refused"
    # Choosing anew where both are known leaves one.
    browser.decide("analytics", origin=WWW)
    assert browser.view(WWW) == ""
    assert browser.cookie(OWN, "www.nouvelles.example") is None


@pytest.mark.parametrize("is_first_smaller", [True, False])
def test_of_two_grants_the_one_of_fewer_purposes_holds(
    browser: Browser, configure: Change, republish: Change, is_first_smaller: bool
) -> None:
    republish()
    small, large = ("marketing",), ("marketing", "analytics")
    first, second = (small, large) if is_first_smaller else (large, small)
    browser.decide(*first, origin=WWW)
    configure(share_subdomains=True)
    browser.decide(*second, origin=APEX)
    assert browser.view(WWW) == "purpose_refused"


@pytest.mark.parametrize("act", ["withdraw", "refuse"])
def test_withdrawing_and_refusing_end_both_of_two_consents(
    browser: Browser, configure: Change, core: Core, act: str
) -> None:
    browser.decide("analytics", origin=WWW)
    configure(share_subdomains=True)
    browser.decide("analytics", origin=APEX)
    assert list(receipts(core).values()) == [["analytics"], ["analytics"]]
    answer = browser.withdraw(origin=WWW) if act == "withdraw" else browser.decide(origin=WWW)
    assert answer.status_code in (200, 201)
    assert list(receipts(core).values()) == [[], []]
    with core.engine.connect() as connection:
        assert set(connection.scalars(select(erasure_job.c.receipt_id))) == set(receipts(core))
    assert browser.cookie(OWN, "www.nouvelles.example") is None
    assert browser.cookie(MIRROR) == "1..2026-03-10.0"
    assert browser.view(WWW) == browser.view(APEX) == "purpose_refused"


def test_a_withdrawal_finds_the_grant_beside_a_refusal(browser: Browser, configure: Change, core: Core) -> None:
    browser.decide(origin=WWW)
    configure(share_subdomains=True)
    receipt_id = browser.decide("analytics", origin=APEX).get_json()["receipt_id"]
    answer = browser.withdraw(origin=WWW).get_json()
    assert (answer["receipt_id"], answer["purposes"]) == (receipt_id, ["analytics"])
    assert receipts(core) == {receipt_id: []}


def test_without_sharing_a_cookie_of_another_host_of_the_domain_counts_for_nothing(
    browser: Browser, visitor: Visitor, core: Core, site: Site
) -> None:
    strangers = visitor.accept().get_json()
    browser.client.set_cookie(
        SHARED.format(key=site.key), strangers["token"], domain="nouvelles.example", origin_only=False
    )
    assert browser.view() == "token_missing"
    mine = browser.decide("analytics").get_json()["receipt_id"]
    assert mine != strangers["receipt_id"]
    # The cookie is gone; whoever planted it lost the consent that was in it.
    assert browser.names == {("__Host-consent-KEY", "nouvelles.example"), ("consent-KEY-mirror", "nouvelles.example")}
    assert receipts(core) == {strangers["receipt_id"]: [], mine: ["analytics"]}


def test_ending_the_sharing_asks_again_and_takes_the_shared_cookie_away(
    browser: Browser, configure: Change, core: Core
) -> None:
    configure(share_subdomains=True)
    browser.decide("analytics")
    configure(share_subdomains=False)
    assert browser.view() == "token_missing"
    browser.decide()
    assert browser.names == {("__Host-consent-KEY", "nouvelles.example"), ("consent-KEY-mirror", "nouvelles.example")}
    assert list(receipts(core).values()) == [[]]


@pytest.mark.parametrize("broken", ["x", "é", "WyIx", "a.b.c", "x" * 600])
def test_a_broken_cookie_does_not_hide_the_good_one(
    browser: Browser, configure: Change, core: Core, broken: str
) -> None:
    browser.decide("analytics")
    configure(share_subdomains=True)
    browser.client.set_cookie(SHARED.format(key=browser.key), broken, domain="nouvelles.example", origin_only=False)
    assert browser.view() == ""
    assert browser.withdraw().status_code == 200
    assert list(receipts(core).values()) == [[]]


def test_a_grant_in_the_body_beside_a_refusal_in_the_cookie_is_ended_too(
    browser: Browser, visitor: Visitor, core: Core
) -> None:
    """A site moved under a path of its own: the script's token is older than the cookie."""
    kept = visitor.accept().get_json()
    browser.decide()
    assert browser.withdraw(token=kept["token"]).status_code == 200
    assert receipts(core) == {kept["receipt_id"]: []}
    with core.engine.connect() as connection:
        assert len(connection.execute(select(decision)).all()) == 3
