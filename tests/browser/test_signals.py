"""Signals: the browser's Global Privacy Control, and what Google's and Microsoft's tags are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Traffic, sent_json, stored, until
from tests.browser.lab import Lab, policy_document

Visitor = Callable[..., tuple[Page, Traffic]]
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true, configurable: true})"
SEVEN = [
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
    "functionality_storage", "personalization_storage", "security_storage",
]  # fmt: skip


def said(page: Page) -> list[Any]:
    """Give what was put into Google's data layer."""
    words: list[Any] = page.evaluate("(window.dataLayer || []).map((words) => [...words])")
    return words


def decide(page: Page, action: str) -> None:
    """Choose on the banner and wait for the service's answer."""
    with page.expect_response("**/v1/decisions"):
        page.locator(f'[data-action="{action}"]').click()


def state(*granted: str) -> dict[str, str]:
    """Give the seven types with some granted."""
    return {name: "granted" if name in granted else "denied" for name in SEVEN}


@pytest.fixture(scope="module")
def google(lab: Lab) -> str:
    """Add a site that tells Google's tags, by default denied in two regions."""
    return lab.site(
        policy_document("fr"),
        consent_mode={"analytics": ["analytics_storage"]},
        consent_mode_regions=["FR", "US-CA"],
        uet={"analytics": ["ad_storage"]},
        clarity={"analytics": ["analytics_storage"]},
    )


def test_google_hears_denied_first_and_one_update_for_each_choice(lab: Lab, visitor: Visitor, google: str) -> None:
    url = lab.page("/google", lab.tag(google))
    page, traffic = visitor()
    page.goto(url)
    expect(page.locator('[data-action="accept"]')).to_be_visible()
    first = ["consent", "default", {**state(), "region": ["FR", "US-CA"]}]
    assert said(page) == [first]
    assert not [request for request in traffic.requests if not request.url.startswith("http://127.0.0.1")]
    decide(page, "accept")
    page.wait_for_function("dataLayer.length > 1")
    granted = ["consent", "update", state("analytics_storage")]
    assert said(page) == [first, granted]
    page.reload()
    page.wait_for_function("window.dataLayer && dataLayer.length > 1")
    assert said(page) == [first, granted]
    page.evaluate("consent.show()")
    decide(page, "refuse")
    page.wait_for_function("dataLayer.length > 2")
    assert said(page) == [first, granted, ["consent", "update", state()]]


def test_a_refusal_needs_no_update_for_nothing_has_changed(lab: Lab, visitor: Visitor, google: str) -> None:
    everywhere = lab.site(policy_document("fr"), consent_mode={"analytics": ["analytics_storage"]})
    page, _ = visitor()
    page.goto(lab.page("/google-no", lab.tag(everywhere)))
    decide(page, "refuse")
    page.wait_for_load_state("networkidle")
    assert said(page) == [["consent", "default", state()]]


def test_where_denied_is_the_default_of_some_regions_a_refusal_is_said(lab: Lab, visitor: Visitor, google: str) -> None:
    url = lab.page("/google-region", lab.tag(google))
    page, _ = visitor()
    page.goto(url)
    decide(page, "refuse")
    page.wait_for_function("dataLayer.length > 1")
    page.reload()
    page.wait_for_function("window.dataLayer && dataLayer.length > 1")
    assert said(page)[1:] == [["consent", "update", state()]]


def test_microsoft_hears_the_same(lab: Lab, visitor: Visitor, google: str) -> None:
    page, _ = visitor()
    page.goto(lab.page("/microsoft", lab.tag(google)))
    expect(page.locator('[data-action="accept"]')).to_be_visible()
    assert page.evaluate("uetq") == ["consent", "default", {"ad_storage": "denied"}]
    calls = "clarity.q.map((words) => [...words])"
    denied = ["consentv2", {"ad_Storage": "denied", "analytics_Storage": "denied"}]
    assert page.evaluate(calls) == [denied]
    decide(page, "accept")
    page.wait_for_function("uetq.length > 3")
    assert page.evaluate("uetq.slice(3)") == ["consent", "update", {"ad_storage": "granted"}]
    assert page.evaluate(calls) == [denied, ["consentv2", {"ad_Storage": "denied", "analytics_Storage": "granted"}]]


def test_a_site_that_tells_nobody_adds_no_name_to_the_page(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    page.add_init_script("window.names = new Set(Object.getOwnPropertyNames(window))")
    page.goto(lab.page("/names", lab.tag(lab.site(policy_document("fr")))))
    expect(page.locator('[data-action="accept"]')).to_be_visible()
    assert page.evaluate("Object.getOwnPropertyNames(window).filter((name) => !names.has(name))") == [
        "names",
        "consent",
    ]


def test_the_browsers_signal_is_honoured_unless_something_is_granted_in_spite_of_it(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr"))
    url = lab.page("/gpc", lab.tag(key))
    page, traffic = visitor()
    page.add_init_script(GPC)
    page.goto(url, wait_until="networkidle")
    expect(page.locator('[data-action="refuse"]')).to_have_count(0)
    assert stored(page) == {"cookies": {}, "local": {}, "session": {}}
    assert not traffic.of("/v1/")
    page.locator('[data-action="open"]').click()
    expect(page.locator("consent-banner .note")).to_contain_text("Global Privacy Control")
    decide(page, "accept")
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    assert sent_json(traffic.of("/v1/decisions")[0])["signals"] == {"gpc": True}
    page.reload()
    until(lambda: len(traffic.of("/v1/events")) > 1, 5, "the second pageview", page)
    assert [row["name"] for row in until(lambda: lab.rows(key), 10, "the row")][0] == "pageview"


def test_a_signal_that_comes_later_stops_the_tracker(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr"))
    url = lab.page("/gpc-later", lab.tag(key))
    page, traffic = visitor()
    page.goto(url)
    decide(page, "accept")
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    page.add_init_script(GPC)
    traffic.requests.clear()
    page.reload(wait_until="networkidle")
    assert page.evaluate("consent.granted('analytics')") is False
    assert not traffic.of("/v1/events")


@pytest.mark.parametrize(("rule", "signals"), [("ask", {"gpc": True}), ("ignore", {})])
def test_a_site_may_ask_in_spite_of_the_signal_or_not_look_at_it(
    lab: Lab, visitor: Visitor, rule: str, signals: dict[str, bool]
) -> None:
    key = lab.site(policy_document("fr"), signals={"gpc": rule})
    page, traffic = visitor()
    page.add_init_script(GPC)
    page.goto(lab.page(f"/gpc-{rule}", lab.tag(key)))
    decide(page, "accept")
    assert sent_json(traffic.of("/v1/decisions")[0])["signals"] == signals
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)


def test_the_page_hears_of_every_change(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    page.goto(lab.page("/change", lab.tag(lab.site(policy_document("fr")))))
    page.evaluate(
        """() => { window.heard = []; consent.on('change', () => { throw new Error('another listener'); });
        window.off = consent.on('change', (change) => heard.push(change)); }"""
    )
    decide(page, "accept")
    page.wait_for_function("heard.length === 1")
    page.evaluate("consent.withdraw()")
    page.wait_for_function("heard.length === 2")
    assert page.evaluate("heard") == [
        {"purposes": {"analytics": True}, "decided": True},
        {"purposes": {"analytics": False}, "decided": True},
    ]
    page.evaluate("off()")
    page.evaluate("consent.show()")
    decide(page, "accept")
    page.wait_for_function("consent.granted('analytics')")
    assert page.evaluate("heard.length") == 2
