"""The tracker sends what the policy declares, and nothing before a grant, after its end, or beyond the declaration."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Traffic, until
from tests.browser.lab import Lab, policy_document

Visitor = Callable[..., tuple[Page, Traffic]]
EVERYTHING = "page source campaign device country engagement events props revenue outbound downloads forms".split()
BODY = """<main><h1>Une</h1><a id="away" href="https://elsewhere.example/path?secret=1">Ailleurs</a>
<a id="file" href="/report.pdf?token=2">Rapport</a><a id="mail" href="mailto:a@b.example">Courriel</a>
<form id="letter" action="/sent"><input name="email" value="someone@example.org"><button>Envoyer</button></form>
<div style="height:3000px"></div></main>"""


def declaring(*groups: str) -> dict[str, Any]:
    """Give a policy that declares these groups of data."""
    document = policy_document("fr")
    document["purposes"][0]["data"] = list(groups)
    return document


@pytest.fixture(scope="module")
def everything(lab: Lab) -> str:
    """Add a site that declares every group of data."""
    return lab.site(declaring(*EVERYTHING))


@pytest.fixture(scope="module")
def pages_only(lab: Lab) -> str:
    """Add a site that declares pages and nothing else."""
    return lab.site(declaring("page"))


def sent(traffic: Traffic) -> list[dict[str, Any]]:
    """Give every event a page has sent."""
    bodies = [json.loads(request.post_data or "{}") for request in traffic.of("/v1/events")]
    return [event for body in bodies for event in body["events"]]


def named(traffic: Traffic, name: str) -> list[dict[str, Any]]:
    """Give the events of a name that a page has sent."""
    return [event for event in sent(traffic) if event["name"] == name]


def accept(page: Page) -> None:
    """Accept everything on the banner, and wait until it is granted."""
    page.locator('[data-action="accept"]').click()
    page.wait_for_function("window.consent.granted('analytics')")


def stay(page: Page) -> None:
    """Keep the page where it is when a link or form is used."""
    page.evaluate(
        """() => { addEventListener('click', (e) => e.target.closest('a') && e.preventDefault());
        addEventListener('submit', (e) => e.preventDefault()); }"""
    )


def hide(page: Page) -> None:
    """Let the page be hidden, as when another tab comes to the front."""
    page.evaluate(
        """() => { Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});
        Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); delete document.visibilityState; delete document.hidden; }"""
    )


def test_before_a_grant_nothing_is_listened_to_kept_or_sent(lab: Lab, visitor: Visitor, everything: str) -> None:
    url = lab.page("/before", lab.tag(everything), BODY)
    page, traffic = visitor()
    page.add_init_script(
        """window.heard = []; const add = EventTarget.prototype.addEventListener;
        EventTarget.prototype.addEventListener = function (name, ...rest) {
          if (this === window || this === document) heard.push(name); return add.call(this, name, ...rest); };"""
    )
    page.goto(url, wait_until="networkidle")
    stay(page)
    page.evaluate("() => { heard.length = 0; consent.track('early', {props: {a: 1}}); }")
    page.locator("#away").click()
    page.evaluate("history.pushState({}, '', '/before/next')")
    assert not traffic.of("/v1/")
    assert not set(page.evaluate("heard")) & {"scroll", "focus", "blur", "submit", "popstate", "pageshow", "storage"}
    accept(page)
    until(lambda: named(traffic, "pageview"), 5, "the pageview", page)
    page.wait_for_load_state("networkidle")
    assert [event["url"] for event in sent(traffic)] == [f"{lab.origin}/before/next"]


def test_acts_of_the_page_that_the_policy_declares(lab: Lab, visitor: Visitor, everything: str) -> None:
    url = lab.page("/acts", lab.tag(everything), BODY)
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    page.wait_for_load_state("networkidle")
    stay(page)
    for link in ("#away", "#file", "#mail"):
        page.locator(link).click()
    page.locator("#letter button").click()
    page.evaluate("consent.track('Signup', {props: {plan: 'pro'}, revenue: {amount: '12.50', currency: 'EUR'}})")
    until(lambda: named(traffic, "Signup"), 5, "the events", page)
    assert [event["props"] for event in named(traffic, "outbound")] == [{"url": "https://elsewhere.example/path"}]
    assert [event["props"] for event in named(traffic, "download")] == [{"url": f"{lab.origin}/report.pdf"}]
    assert [event["props"] for event in named(traffic, "form")] == [{"form": "letter"}]
    [signup] = named(traffic, "Signup")
    assert signup["props"] == {"plan": "pro"}
    assert signup["revenue"] == {"amount": "12.50", "currency": "EUR"}
    assert "someone@example.org" not in json.dumps(sent(traffic))
    rows = until(lambda: (found := lab.rows(everything)) and len(found) >= 5 and found, 10, "the rows")
    stored = {row["name"]: row for row in rows}
    assert stored["outbound"]["props"] == {"url": "https://elsewhere.example/path"}
    assert Decimal(stored["Signup"]["revenue_amount"]) == Decimal("12.50")


def test_what_the_policy_does_not_declare_is_not_sent(lab: Lab, visitor: Visitor, pages_only: str) -> None:
    url = lab.page("/little", lab.tag(pages_only), BODY)
    page, traffic = visitor()
    page.goto(url, referer="https://elsewhere.example/")
    accept(page)
    page.wait_for_load_state("networkidle")
    stay(page)
    for link in ("#away", "#file", "#letter button"):
        page.locator(link).click()
    page.mouse.wheel(0, 2000)
    page.evaluate("consent.track('Signup', {props: {plan: 'pro'}})")
    page.evaluate("history.pushState({}, '', '/little/next')")
    until(lambda: len(named(traffic, "pageview")) == 2, 5, "the second pageview", page)
    hide(page)
    page.wait_for_load_state("networkidle")
    assert {event["name"] for event in sent(traffic)} == {"pageview"}
    assert {key for event in sent(traffic) for key in event} == {"id", "name", "url", "age_ms"}


def test_reading_is_told_when_the_page_is_left(lab: Lab, visitor: Visitor, everything: str) -> None:
    url = lab.page("/reading", lab.tag(everything), BODY)
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    page.wait_for_load_state("networkidle")
    page.mouse.wheel(0, 5000)
    page.wait_for_function("scrollY > 1000")
    page.evaluate("history.pushState({}, '', '/reading/next')")
    until(lambda: named(traffic, "engagement"), 5, "the engagement", page)
    [told] = named(traffic, "engagement")
    assert told["url"] == url
    assert told["scroll"] > 50
    assert told["engaged_ms"] >= 0
    names = [event["name"] for event in sent(traffic)]
    assert names.count("pageview") == 2


def test_a_path_after_the_hash_is_a_page_where_the_tag_says_so(lab: Lab, visitor: Visitor, pages_only: str) -> None:
    for path, attributes, expected in (("/app", "data-hash", ["/app", "/app/list"]), ("/plain", "", ["/plain"])):
        url = lab.page(path, lab.tag(pages_only, attributes=attributes))
        page, traffic = visitor()
        page.goto(url)
        accept(page)
        page.wait_for_load_state("networkidle")
        page.evaluate("location.hash = '#/list'")
        page.evaluate("location.hash = '#/list'")
        until(lambda: len(sent(traffic)) >= len(expected), 5, "the pageviews", page)  # noqa: B023
        page.wait_for_load_state("networkidle")
        assert [event["url"] for event in sent(traffic)] == [lab.origin + part for part in expected]


def test_a_page_that_is_not_there_is_told(lab: Lab, visitor: Visitor, pages_only: str) -> None:
    url = lab.page("/lost", lab.tag(pages_only), status=404)
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    until(lambda: named(traffic, "not_found"), 5, "the event", page)
    assert [event["url"] for event in named(traffic, "not_found")] == [url]


def test_the_page_may_edit_or_drop_what_is_kept(lab: Lab, visitor: Visitor, everything: str) -> None:
    url = lab.page("/edit", lab.tag(everything))
    page, traffic = visitor()
    page.goto(url)
    page.evaluate(
        """() => { consent.on('before', (event) => event.name === 'secret' ? null
          : event.name === 'broken' ? event.none.at : {...event, url: event.url.replace('edit', 'edited')}); }"""
    )
    accept(page)
    page.evaluate("() => { consent.track('secret'); consent.track('broken'); consent.track('kept'); }")
    until(lambda: named(traffic, "kept"), 5, "the event", page)
    assert {event["name"] for event in sent(traffic)} == {"pageview", "kept"}
    assert {event["url"] for event in sent(traffic)} == {f"{lab.origin}/edited"}


def test_a_browser_can_be_left_out_for_good(lab: Lab, visitor: Visitor, pages_only: str) -> None:
    url = lab.page("/out", lab.tag(pages_only))
    page, traffic = visitor()
    page.goto(url)
    page.evaluate("consent.optOut(true)")
    accept(page)
    page.reload(wait_until="networkidle")
    assert not sent(traffic)
    page.evaluate("consent.optOut(false)")
    page.reload()
    until(lambda: named(traffic, "pageview"), 5, "the pageview", page)


def test_events_of_a_page_without_network_are_delivered_by_the_next_with_their_age(
    lab: Lab, visitor: Visitor, everything: str
) -> None:
    url = lab.page("/offline", lab.tag(everything))
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    page.wait_for_load_state("networkidle")
    page.context.route("**/v1/events", lambda route: route.abort())
    page.evaluate("consent.track('kept')")
    until(lambda: named(traffic, "kept"), 5, "the attempt", page)
    page.wait_for_load_state("networkidle")
    hide(page)
    page.wait_for_function("localStorage['consent-service'].includes('kept')")
    page.context.unroute("**/v1/events")
    traffic.requests.clear()
    page.goto(url)
    until(lambda: named(traffic, "kept"), 5, "the delivery", page)
    assert named(traffic, "kept")[0]["age_ms"] > 0
    page.wait_for_function("!localStorage['consent-service'].includes('kept')")


def test_a_withdrawal_clears_what_waits_for_the_network(lab: Lab, visitor: Visitor, everything: str) -> None:
    url = lab.page("/cleared", lab.tag(everything))
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    page.wait_for_load_state("networkidle")
    page.context.route("**/v1/events", lambda route: route.abort())
    page.evaluate("consent.track('secret')")
    until(lambda: named(traffic, "secret"), 5, "the attempt", page)
    hide(page)
    page.wait_for_function("localStorage['consent-service'].includes('secret')")
    page.context.unroute("**/v1/events")
    traffic.requests.clear()
    page.evaluate("consent.withdraw()")
    assert "secret" not in page.evaluate("localStorage['consent-service']")
    page.reload(wait_until="networkidle")
    assert not sent(traffic)


def test_a_withdrawal_clears_a_full_queue_while_the_network_is_gone(
    lab: Lab, visitor: Visitor, everything: str
) -> None:
    url = lab.page("/cleared-offline", lab.tag(everything))
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.evaluate("for (let n = 0; n < 600; n++) consent.track('secret')")
    until(lambda: named(traffic, "secret"), 5, "the attempt", page)
    hide(page)
    page.wait_for_function("localStorage['consent-service'].includes('secret')")
    page.evaluate("void consent.withdraw()")
    page.wait_for_function("!consent.granted('analytics')")
    assert "secret" not in page.evaluate("localStorage['consent-service']")
    hide(page)
    assert "secret" not in page.evaluate("localStorage['consent-service']")
    traffic.requests.clear()
    page.context.set_offline(False)
    with page.expect_request("**/v1/decisions") as owed:
        page.goto(url)
    # What is owed goes out as a refusal that continues the grant, which ends it.
    body = json.loads(owed.value.post_data or "{}")
    assert (body["action"], bool(body["previous"])) == ("refuse_all", True)
    page.wait_for_load_state("networkidle")
    assert not sent(traffic)


def test_going_back_through_the_cache_counts_the_page_again_and_asks_the_store(
    lab: Lab, visitor: Visitor, pages_only: str
) -> None:
    first, second = lab.page("/first", lab.tag(pages_only)), lab.page("/second", lab.tag(pages_only))
    page, traffic = visitor()
    page.goto(first)
    accept(page)
    until(lambda: sent(traffic), 5, "the pageview", page)
    page.goto(second)
    until(lambda: len(sent(traffic)) == 2, 5, "the second pageview", page)
    page.go_back()
    until(lambda: len(sent(traffic)) == 3, 5, "the third pageview", page)
    assert [event["url"] for event in sent(traffic)] == [first, second, first]
