"""The banner by the keyboard alone: where it stands, what takes the focus, what Escape does, and what each key presses."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import stored
from tests.browser.lab import Lab
from tests.browser.stage import LAYOUTS, Visitor, focused, open_centre, panel, part, show, site_of

NOTHING: Any = {"cookies": {}, "local": {}, "session": {}}


def roles(page: Page) -> list[str]:
    """Give the roles and names of what the banner shows to assistive tools, as a snapshot's lines."""
    return [line.strip(" -") for line in page.locator("consent-banner").aria_snapshot().splitlines()]


@pytest.mark.parametrize("layout", ["bar", "corner"])
def test_bar_and_corner_are_named_regions_first_in_the_body_and_take_no_focus(
    lab: Lab, visitor: Visitor, layout: str
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, layout, purposes=2))
    assert page.evaluate("document.body.firstElementChild.localName") == "consent-banner"
    heading = panel(page).locator("h2").inner_text()
    assert panel(page).evaluate("(panel) => [panel.localName, panel.getAttribute('role')]") == ["section", "region"]
    assert f'region "{heading}":' in roles(page)
    assert page.evaluate("document.activeElement === document.body")
    actions = panel(page).locator("button").evaluate_all("(all) => all.map((button) => button.dataset.action)")
    assert actions == ["refuse", "accept", "customize"]


@pytest.mark.parametrize("layout", ["bar", "corner"])
def test_escape_does_nothing_to_bar_and_corner_and_tab_walks_through_into_the_page_and_back(
    lab: Lab, visitor: Visitor, layout: str
) -> None:
    page, traffic = visitor()
    show(lab, page, site_of(lab, layout))
    before = len(traffic.requests)
    walked = []
    for _ in range(4):
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        walked.append(focused(page))
    assert [step["action"] or step["id"] or step["name"] for step in walked] == ["a", "refuse", "accept", "first"]
    assert [step["inside"] for step in walked] == [True, True, True, False]
    page.keyboard.press("Shift+Tab")
    assert focused(page)["action"] == "accept"
    expect(part(page, "refuse")).to_be_visible()
    assert stored(page) == NOTHING
    assert len(traffic.requests) == before


def test_the_dialog_is_modal_and_opens_on_its_heading_and_tab_stays_in_it(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "dialog"))
    assert panel(page).evaluate("(panel) => panel.matches('dialog:modal')")
    assert (focused(page)["name"], focused(page)["id"]) == ("h2", "title")
    heading = panel(page).locator("h2").inner_text()
    assert f'dialog "{heading}":' in roles(page)
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        found = focused(page)
        reached.add(found["action"] or found["name"])
    assert {"a", "refuse", "accept"} <= reached
    assert reached <= {"a", "refuse", "accept", "body"}, "the focus went to the page behind a modal dialog"


def test_escape_hides_the_dialog_for_this_page_view_and_nothing_is_stored_or_sent(lab: Lab, visitor: Visitor) -> None:
    page, traffic = visitor()
    show(lab, page, site_of(lab, "dialog"))
    page.wait_for_load_state("networkidle")
    before = len(traffic.requests)
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(part(page, "open")).to_be_focused()
    page.wait_for_load_state("networkidle")
    assert stored(page) == NOTHING
    assert len(traffic.requests) == before
    assert page.evaluate("[consent.decided(), consent.granted('analytics')]") == [False, False]
    page.reload()
    expect(part(page, "refuse")).to_be_visible()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_centre_is_modal_opens_on_its_heading_and_escape_goes_back_to_customise(
    lab: Lab, visitor: Visitor, layout: str
) -> None:
    page, traffic = visitor()
    show(lab, page, site_of(lab, layout, purposes=2))
    part(page, "customize").focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        expect(part(page, "save")).to_be_visible()
        assert panel(page).evaluate("(panel) => panel.matches('dialog:modal')")
        assert focused(page)["name"] == "h2"
        page.locator("input").first.check()
        page.wait_for_load_state("networkidle")
        before = len(traffic.requests)
        page.keyboard.press("Escape")
        expect(part(page, "save")).to_have_count(0)
        expect(part(page, "customize")).to_be_focused()
        assert stored(page) == NOTHING
        assert len(traffic.requests) == before
    assert page.evaluate("consent.decided()") is False
    part(page, "customize").click()
    expect(page.locator("input:checked")).to_have_count(0)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_enter_and_space_press_every_button_and_space_turns_a_switch(lab: Lab, visitor: Visitor, key: str) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2))
    part(page, "customize").press(key)
    part(page, "back").press(key)
    expect(part(page, "customize")).to_be_focused()
    for action in ("refuse", "accept"):
        with page.expect_response("**/v1/decisions"):
            part(page, action).press(key)
        expect(panel(page)).to_have_count(0)
        part(page, "open").press(key)
        expect(panel(page)).to_be_visible()
    part(page, "customize").press(key)
    switch = page.locator('input[data-purpose="marketing"]')
    switch.press("Space")
    summary = page.locator("summary").first
    summary.press(key)
    assert summary.evaluate("(summary) => summary.parentElement.open") is True
    with page.expect_response("**/v1/withdrawals"):
        part(page, "save").press(key)
    expect(panel(page)).to_have_count(0)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_enter_and_space_allow_what_waits(lab: Lab, visitor: Visitor, key: str) -> None:
    page, _ = visitor()
    player = lab.page("/player", "", "<p>Film</p>")
    body = f'<main><h1>Une</h1><iframe data-consent="marketing" data-src="{player}" title="Film"></iframe></main>'
    show(lab, page, site_of(lab, "bar", purposes=2), body)
    with page.expect_response("**/v1/decisions"):
        part(page, "allow").press(key)
    expect(page.locator("iframe")).to_be_visible()
    expect(part(page, "allow")).to_have_count(0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_on_a_page_from_right_to_left_the_keyboard_walks_in_the_same_order(
    lab: Lab, visitor: Visitor, layout: str
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, layout, purposes=2), lang="ar")
    host = page.locator("consent-banner")
    assert (host.get_attribute("lang"), host.get_attribute("dir")) == ("ar", "rtl")
    part(page, "refuse").focus()
    walked = []
    for _ in range(2):
        page.keyboard.press("Tab")
        walked.append(focused(page)["action"])
    assert walked == ["accept", "customize"]
    boxes = [part(page, action).bounding_box() for action in ("refuse", "accept")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] > boxes[1]["x"], "Refuse comes first, which from right to left is on the right"
    page.keyboard.press("Enter")
    expect(part(page, "save")).to_be_visible()
    assert panel(page).evaluate("(panel) => getComputedStyle(panel).direction") == "rtl"


def test_the_banner_keeps_its_own_language_and_direction_on_a_page_of_another(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    key = site_of(lab, "bar")
    url = lab.page("/mixed", lab.tag(key, attributes='data-lang="ar"'), lang="fr", attributes='dir="ltr"')
    page.goto(url)
    expect(part(page, "accept")).to_be_visible()
    host = page.locator("consent-banner")
    assert (host.get_attribute("lang"), host.get_attribute("dir")) == ("ar", "rtl")
    assert panel(page).evaluate("(panel) => getComputedStyle(panel).direction") == "rtl"


@pytest.mark.parametrize("purposes", [1, 2])
def test_a_text_that_scrolls_can_take_the_focus_and_has_a_name(lab: Lab, visitor: Visitor, purposes: int) -> None:
    page, _ = visitor(viewport={"width": 320, "height": 256})
    show(lab, page, site_of(lab, "bar", purposes=purposes))
    text = panel(page).locator(".text")
    assert text.evaluate("(text) => text.scrollHeight > text.clientHeight")
    name = panel(page).locator("h2").inner_text()
    expect(text).to_have_role("group")
    expect(text).to_have_accessible_name(name)
    page.keyboard.press("Tab")
    assert focused(page)["class"] == "text"
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('consent-banner').shadowRoot.querySelector('.text').scrollTop > 0")


def test_turning_the_screen_makes_the_text_reachable_and_the_room_fit(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor(viewport={"width": 640, "height": 640})
    show(lab, page, site_of(lab, "bar"))
    text = panel(page).locator(".text")
    expect(text).not_to_have_attribute("tabindex", "0")
    page.set_viewport_size({"width": 320, "height": 256})
    expect(text).to_have_attribute("tabindex", "0")
    page.set_viewport_size({"width": 1366, "height": 800})
    expect(text).not_to_have_attribute("tabindex", "0")
    page.wait_for_function(
        """() => {
            const panel = document.querySelector("consent-banner").shadowRoot.querySelector(".panel");
            const room = parseFloat(getComputedStyle(document.documentElement).scrollPaddingBottom);
            return room >= panel.offsetHeight && room < panel.offsetHeight + 60;
        }"""
    )


def test_the_switches_are_switches_off_at_first_and_named_by_their_purpose(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2))
    open_centre(page)
    for box in page.locator("input").all():
        expect(box).to_have_role("switch")
        expect(box).not_to_be_checked()
    names = page.locator("input").evaluate_all("(all) => all.map((box) => box.labels[0].textContent)")
    assert names == ["Mesure d'audience", "Marketing"]
    expect(page.locator("input").first).to_have_accessible_description(page.locator("#about-analytics").inner_text())
