"""What a visitor's browser does, sends and keeps, before and after a choice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Traffic, stored, until

Visitor = Callable[..., tuple[Page, Traffic]]


def choose(page: Page, action: str) -> dict[str, Any]:
    """Click a button of the banner and give the service's answer."""
    with page.expect_response("**/v1/decisions") as answered:
        page.locator(f'[data-action="{action}"]').click()
    document: dict[str, Any] = answered.value.json()
    expect(page.locator('[data-action="accept"]')).to_have_count(0)
    return document


def test_before_a_choice_nothing_is_stored_and_nothing_is_asked_but_the_page_and_the_script(
    demo: Demo, visitor: Visitor
) -> None:
    page, traffic = visitor()
    page.goto(f"{demo.url}/demo/")
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    page.mouse.wheel(0, 2000)
    page.keyboard.press("Escape")
    page.wait_for_load_state("networkidle")
    assert stored(page) == {"cookies": {}, "local": {}, "session": {}}
    assert {request.method for request in traffic.requests} == {"GET"}
    assert not traffic.of("/v1/")
    scripts = [request.url for request in traffic.requests if request.resource_type == "script"]
    assert scripts == [f"{demo.url}/c/{demo.key}.js"]
    assert all(request.url.startswith(demo.url) for request in traffic.requests)
    expect(page.locator('[data-action="refuse"]')).to_be_visible()


def test_refusing_is_exactly_as_easy_as_accepting(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor()
    page.goto(f"{demo.url}/demo/")
    looks = [
        page.locator(f'[data-action="{action}"]').evaluate(
            """(button) => {
                const { width, height } = button.getBoundingClientRect(), style = getComputedStyle(button);
                return [button.tagName, Math.round(width), Math.round(height), style.fontSize, style.fontWeight,
                        style.color, style.backgroundColor, style.borderColor, style.opacity];
            }"""
        )
        for action in ("accept", "refuse")
    ]
    assert looks[0] == looks[1]
    assert looks[0][2] >= 44
    expect(page.locator("[data-policy]")).to_be_visible()
    host = page.locator("consent-banner")
    assert host.get_attribute("lang") == "fr"
    assert host.get_attribute("dir") == "ltr"
    assert page.evaluate("document.body.firstElementChild.localName") == "consent-banner"


def test_two_browsers_that_refuse_hold_the_same_bytes_and_send_no_event(demo: Demo, visitor: Visitor) -> None:
    held = []
    before = len(demo.export())
    for _ in range(2):
        page, traffic = visitor()
        page.goto(f"{demo.url}/demo/")
        answer = choose(page, "refuse")
        assert answer["receipt_id"] is None
        page.goto(f"{demo.url}/demo/en/")
        page.evaluate("window.consent.track('anything', {})")
        page.reload(wait_until="networkidle")
        assert page.locator('[data-action="accept"]').count() == 0
        assert not traffic.of("/v1/events")
        held.append(stored(page))
    assert held[0] == held[1]
    assert held[0]["local"] or held[0]["cookies"]
    assert len(demo.export()) == before


def accepted(demo: Demo, visitor: Visitor) -> tuple[Page, Traffic, dict[str, Any], str]:
    """Accept on a page of a path nobody else has, and wait until its pageview is stored."""
    path = f"/demo/?page={uuid4()}"
    page, traffic = visitor()
    page.goto(f"{demo.url}{path}")
    answer = choose(page, "accept")
    mark = path.partition("=")[2]
    row = until(
        lambda: [row for row in demo.export() if row["receipt_id"] == answer["receipt_id"]], 5, "the pageview's storing"
    )[0]
    assert mark in row["query"]
    assert row["decision_id"] == answer["decision_id"]
    return page, traffic, answer, mark


def gone(demo: Demo, answer: dict[str, Any], mark: str) -> None:
    """Check that nothing is left of a consent that was withdrawn, on disk neither."""
    receipt = answer["receipt_id"]
    until(lambda: not [row for row in demo.export() if row["receipt_id"] == receipt], 60, "the erasure")
    until(lambda: demo.send(answer["token"]).status_code == 403, 1, "the gate closed in every worker")
    refused = demo.send(answer["token"])
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "withdrawn"
    assert refused.headers["X-Consent-Reason"] == "withdrawn"
    demo.run("retention", "run", "--compact")
    found = [path for path in demo.directory.rglob("*") if path.is_file() and mark.encode() in path.read_bytes()]
    assert found == []


def test_after_accepting_the_page_is_in_the_report_and_after_withdrawing_it_is_gone(
    demo: Demo, visitor: Visitor
) -> None:
    page, _, answer, mark = accepted(demo, visitor)
    assert page.evaluate("window.consent.granted('analytics')") is True
    assert page.evaluate("window.consent.receipt().receipt_id") == answer["receipt_id"]
    page.evaluate("window.consent.withdraw()")
    assert page.evaluate("window.consent.granted('analytics')") is False
    gone(demo, answer, mark)
    page.reload(wait_until="networkidle")
    assert page.locator('[data-action="accept"]').count() == 0


def test_reopening_and_refusing_withdraws(demo: Demo, visitor: Visitor) -> None:
    page, _, answer, mark = accepted(demo, visitor)
    page.locator("[data-consent-open]").first.click()
    second = choose(page, "refuse")
    assert second["withdrawn"] == ["analytics"]
    assert second["erasure"]["status"] in ("pending", "done")
    gone(demo, answer, mark)


def test_a_choice_made_again_after_withdrawing_is_another_visitors(demo: Demo, visitor: Visitor) -> None:
    page, _, answer, _ = accepted(demo, visitor)
    page.evaluate("window.consent.withdraw()")
    page.locator("[data-consent-open]").first.click()
    again = choose(page, "accept")
    assert again["receipt_id"] not in (None, answer["receipt_id"])


@pytest.mark.parametrize("action", ["accept", "refuse"])
@pytest.mark.parametrize(("days", "asks"), [(179, False), (181, True)])
def test_a_choice_is_kept_for_its_days_and_asked_for_again_after_them(
    demo: Demo, visitor: Visitor, action: str, days: int, asks: bool
) -> None:
    page, _ = visitor()
    page.goto(f"{demo.url}/demo/")
    choose(page, action)
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=days))
    page.reload(wait_until="networkidle")
    if asks:
        expect(page.locator('[data-action="accept"]')).to_be_visible()
    else:
        assert page.locator('[data-action="accept"]').count() == 0


def test_refusing_while_the_server_is_down_closes_the_banner_and_is_remembered(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor()
    page.goto(f"{demo.url}/demo/")
    page.context.route("**/v1/**", lambda route: route.abort())
    page.locator('[data-action="refuse"]').click()
    expect(page.locator('[data-action="accept"]')).to_have_count(0)
    page.reload(wait_until="networkidle")
    assert page.locator('[data-action="accept"]').count() == 0
    page.context.unroute("**/v1/**")
    with page.expect_response("**/v1/decisions") as answered:
        page.reload()
    assert answered.value.status == 201


def test_in_a_page_that_is_hidden_and_so_draws_nothing_a_refusal_leaves_all_the_same(
    demo: Demo, visitor: Visitor
) -> None:
    page, _ = visitor()
    page.goto(f"{demo.url}/demo/")
    with page.expect_response("**/v1/decisions") as answered:
        page.locator('[data-action="refuse"]').evaluate(
            """(button) => { window.requestAnimationFrame = () => 0;
            Object.defineProperty(document, 'hidden', {get: () => true}); button.click(); }"""
        )
    assert answered.value.status == 201
    assert page.evaluate("consent.decided()") is True


def test_accepting_while_the_server_is_down_grants_nothing(demo: Demo, visitor: Visitor) -> None:
    page, traffic = visitor()
    page.goto(f"{demo.url}/demo/")
    page.context.route("**/v1/**", lambda route: route.abort())
    page.locator('[data-action="accept"]').click()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.consent.granted('analytics')") is False
    assert not traffic.of("/v1/events")
    page.context.unroute("**/v1/**")
    page.reload()
    expect(page.locator('[data-action="accept"]')).to_be_visible()


def test_the_signal_is_honoured_without_a_banner_and_without_a_trace(demo: Demo, visitor: Visitor) -> None:
    page, traffic = visitor()
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    page.goto(f"{demo.url}/demo/", wait_until="networkidle")
    assert page.locator('[data-action="accept"]').count() == 0
    assert stored(page) == {"cookies": {}, "local": {}, "session": {}}
    assert not traffic.of("/v1/")
    page.locator("[data-consent-open]").first.click()
    expect(page.locator('[data-action="accept"]')).to_be_visible()


def test_the_keyboard_alone_reaches_refuse_and_focus_is_not_lost(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor()
    page.goto(f"{demo.url}/demo/")
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.shadowRoot?.activeElement?.dataset.action")
        if focused == "refuse":
            break
    assert focused == "refuse"
    with page.expect_response("**/v1/decisions"):
        page.keyboard.press("Enter")
    expect(page.locator('[data-action="accept"]')).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_at_320_pixels_both_buttons_are_whole_and_the_bar_leaves_the_page_readable(
    demo: Demo, visitor: Visitor
) -> None:
    page, _ = visitor(viewport={"width": 320, "height": 640})
    page.goto(f"{demo.url}/demo/")
    boxes = [page.locator(f'[data-action="{action}"]').bounding_box() for action in ("accept", "refuse")]
    for box in boxes:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["y"] + box["height"] <= 640
    covered = page.locator("consent-banner").evaluate(
        "(host) => Math.max(...[...host.shadowRoot.querySelectorAll('*')].map((e) => e.getBoundingClientRect().height))"
    )
    assert covered <= 640 * 0.42
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
