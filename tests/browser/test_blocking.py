"""Markup that waits for a purpose: nothing of it loads before the grant, all of it after, and it can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Traffic, sent_json, until
from tests.browser.lab import Lab, policy_document, with_second_purpose

Visitor = Callable[..., tuple[Page, Traffic]]
WAITING = """<main><h1>Une</h1><p id="p">Du texte.</p>
<script type="text/plain" data-consent="marketing">window.order = (window.order || '') + 'a'</script>
<script type="text/plain" data-consent="marketing" src="/w/b.js"></script>
<script type="text/plain" data-consent="marketing">window.order = (window.order || '') + 'c'</script>
<script type="text/plain" data-consent="marketing" data-type="module">window.module = true</script>
<script type="text/plain" data-consent="analytics marketing">window.both = true</script>
<img data-consent="marketing" data-src="/w/i.png" alt="">
<link rel="stylesheet" data-consent="marketing" data-href="/w/s.css">
<iframe data-consent="marketing" data-src="/w/frame" width="400" height="200" title="Vidéo"></iframe></main>"""


@pytest.fixture(scope="module")
def two(lab: Lab) -> str:
    """Add a site of two purposes."""
    lab.file("/w/b.js", "window.order = (window.order || '') + 'b'", {"Content-Type": "text/javascript"})
    lab.file("/w/s.css", "#p { color: rgb(1, 2, 3) }", {"Content-Type": "text/css"})
    lab.file("/w/i.png", "", {"Content-Type": "image/png"})
    lab.file("/w/frame", "<p>Cadre</p>", {"Content-Type": "text/html"})
    return lab.site(with_second_purpose(policy_document("fr")))


def grant(page: Page, *purposes: str) -> None:
    """Grant these purposes in the preference centre."""
    page.locator('[data-action="customize"]').click()
    for purpose in purposes:
        page.locator(f'input[data-purpose="{purpose}"]').check()
    with page.expect_response("**/v1/decisions"):
        page.locator('[data-action="save"]').click()
    page.wait_for_function("(id) => consent.granted(id)", arg=purposes[0])


def test_nothing_that_waits_loads_before_its_grant_and_all_of_it_after(lab: Lab, visitor: Visitor, two: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/waiting", lab.tag(two), WAITING), wait_until="networkidle")
    assert not traffic.of("/w/")
    assert page.evaluate("window.order") is None
    grant(page, "marketing")
    until(lambda: len(traffic.of("/w/")) == 4, 5, "the loading", page)
    page.wait_for_function("window.order && window.order.length === 3")
    assert page.evaluate("window.order.includes('ac')") is True
    assert page.evaluate("window.module") is True
    assert page.evaluate("window.both") is None
    assert page.evaluate("getComputedStyle(document.querySelector('#p')).color") == "rgb(1, 2, 3)"


def test_a_frame_that_waits_says_so_in_its_place_and_can_be_granted_alone(lab: Lab, visitor: Visitor, two: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/frame", lab.tag(two), WAITING))
    place = page.locator("consent-frame")
    expect(place).to_be_visible()
    box, allow = place.bounding_box(), place.locator('[data-action="allow"]')
    assert box is not None
    assert (round(box["width"]), box["height"] >= 200) == (404, True)
    expect(place).to_contain_text(lab.origin.removeprefix("http://"))
    expect(place).to_contain_text("Marketing")
    with page.expect_request("**/v1/decisions") as sent:
        allow.click()
    assert sent_json(sent.value)["purposes"] == {"analytics": False, "marketing": True}
    expect(page.locator("iframe")).to_be_visible()
    expect(place).to_have_count(0)
    expect(page.frame_locator("iframe").locator("p")).to_have_text("Cadre")
    assert not traffic.of("/v1/events")


def test_a_script_that_clicks_the_stand_in_is_asked_first(lab: Lab, visitor: Visitor, two: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/frame", lab.tag(two), WAITING))
    expect(page.locator("consent-frame")).to_be_visible()
    click = "document.querySelector('consent-frame').shadowRoot.querySelector('button').click()"
    page.evaluate(click)
    expect(page.locator("consent-frame p")).to_have_text(
        "Veuillez confirmer votre choix en appuyant encore une fois sur le bouton."
    )
    assert not traffic.of("/v1/decisions")
    with page.expect_request("**/v1/decisions") as sent:
        page.evaluate(click)
    assert sent_json(sent.value)["evidence"]["trusted"] is False
    assert sent_json(sent.value)["layer"] == 3


def test_what_a_framework_adds_later_waits_and_is_released_too(lab: Lab, visitor: Visitor, two: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/later", lab.tag(two)))
    grant(page, "marketing")
    page.wait_for_load_state("networkidle")
    assert not traffic.of("/w/")
    page.evaluate(
        """() => { const box = document.createElement('div');
        box.innerHTML = '<img data-consent="marketing" data-src="/w/i.png"><img data-consent="analytics" data-src="/w/no.png">';
        document.querySelector('main').append(box); }"""
    )
    until(lambda: traffic.of("/w/i.png"), 5, "the picture", page)
    assert not traffic.of("/w/no.png")


def test_a_frame_that_comes_before_any_choice_waits_in_its_place(lab: Lab, visitor: Visitor, two: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/late-frame", lab.tag(two)), wait_until="networkidle")
    assert not traffic.of("/consent.more.js")
    page.evaluate(
        """() => document.querySelector('main').insertAdjacentHTML('beforeend',
        '<iframe data-consent="marketing" data-src="/w/frame" width="400" height="200" title="x"></iframe>')"""
    )
    expect(page.locator("consent-frame")).to_contain_text("Marketing")
    assert not traffic.of("/w/")


def test_a_frame_of_two_purposes_is_granted_both(lab: Lab, visitor: Visitor, two: str) -> None:
    frame = (
        '<iframe data-consent="analytics marketing" data-src="/w/frame" width="400" height="200" title="x"></iframe>'
    )
    page, _ = visitor()
    page.goto(lab.page("/frame-both", lab.tag(two), f"<main><h1>Une</h1>{frame}</main>"))
    expect(page.locator("consent-frame")).to_contain_text("Marketing")
    with page.expect_request("**/v1/decisions") as sent:
        page.locator('[data-action="allow"]').click()
    assert sent_json(sent.value)["purposes"] == {"analytics": True, "marketing": True}
    expect(page.locator("iframe")).to_be_visible()


def test_markup_that_somebody_smuggled_in_does_not_run_with_our_nonce(lab: Lab, visitor: Visitor, two: str) -> None:
    body = """<main><h1>Une</h1>
    <script type="text/plain" data-consent="marketing">window.ran = 'script'</script>
    <iframe data-consent="marketing" data-src="java\tscript:parent.ran='frame'" title="x"></iframe>
    <a id="a" data-consent="marketing" data-href="javascript:window.ran='link'">x</a></main>"""
    headers = {"Content-Security-Policy": "script-src 'nonce-r4nd0m' 'unsafe-hashes'"}
    url = lab.page("/smuggled", lab.tag(two, attributes='nonce="r4nd0m"'), body, headers=headers)
    page, _ = visitor()
    page.goto(url)
    grant(page, "marketing")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.ran") is None
    assert page.locator("#a").get_attribute("href") is None
    assert page.locator("iframe").get_attribute("src") is None


@pytest.mark.parametrize("after", ["stay", "reload"])
def test_a_withdrawal_deletes_what_was_declared_and_nothing_that_is_exempt(
    lab: Lab, visitor: Visitor, after: str
) -> None:
    document = with_second_purpose(policy_document("fr"))
    local = {**document["purposes"][0]["cookies"][0], "name": "ads_store"}
    exempt = {**document["exempt"][0]["cookies"][0], "name": "_ads_basket", "kind": "cookie"}
    document["purposes"][1]["cookies"] += [local]
    document["exempt"][0]["cookies"] += [exempt]
    key = lab.site(document, after_withdrawal=after)
    page, _ = visitor()
    page.goto(lab.page(f"/cookies-{after}", lab.tag(key)))
    grant(page, "marketing")
    page.evaluate(
        """() => { for (const name of ['_ads_1', '_ads_2', 'mine']) document.cookie = name + '=1;path=/';
        localStorage.ads_store = 1; localStorage.mine = 1; window.stays = true; }"""
    )
    page.evaluate("consent.show()")
    page.locator('[data-action="refuse"]').click()
    gone = "!document.cookie.includes('_ads_1') && !document.cookie.includes('_ads_2') && !localStorage.ads_store"
    page.wait_for_function(gone)
    # A function that is waited for outlives the page's reload, whenever it comes.
    page.wait_for_function("document.cookie.includes('mine=1') && localStorage.mine === '1'")
    if after == "reload":
        page.wait_for_function("!window.stays")
    else:
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.stays") is True
    page.wait_for_function("window.consent && consent.granted('marketing') === false")


def test_known_hosts_are_held_until_their_purpose_is_granted(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(
        with_second_purpose(policy_document("fr")), blocking=[{"purpose": "marketing", "host": "*.stats.example"}]
    )
    page, traffic = visitor()
    page.context.route("**/*.stats.example/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(lab.page("/held", lab.tag(key)))
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    insert: Any = """() => { const add = (tag, set) => { const e = document.createElement(tag); set(e); document.body.append(e); };
        add('script', (e) => { e.src = 'https://a.stats.example/1.js'; });
        add('script', (e) => { e.setAttribute('src', '//a.stats.example/2.js'); });
        add('img', (e) => { e.src = 'https://stats.example/3.gif'; });
        add('iframe', (e) => { e.src = 'https://b.stats.example/4'; });
        add('div', (e) => { e.innerHTML = '<link rel="stylesheet" href="https://b.stats.example/5.css">'; });
        add('script', (e) => { e.src = 'https://notstats.example/free.js'; }); }"""
    page.evaluate(insert)
    until(lambda: traffic.of("notstats.example"), 5, "the free one", page)
    page.wait_for_load_state("networkidle")
    held = {request.url.rpartition("/")[2] for request in traffic.requests if ".stats.example" in request.url}
    # A sheet in markup is looked at when it arrives, which may be after the browser has asked for it.
    assert held <= {"5.css"}
    grant(page, "marketing")
    until(lambda: all(traffic.of(f"stats.example/{name}") for name in ("1.js", "2.js", "3.gif", "4")), 5, "all", page)
