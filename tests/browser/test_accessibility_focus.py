"""Where the focus is after the banner, and that nothing with the focus is ever under it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo
from tests.browser.lab import Lab, policy_document
from tests.browser.stage import (
    ARTICLE,
    LAYOUTS,
    WITH_CONTROL,
    Visitor,
    close,
    focused,
    open_centre,
    panel,
    part,
    show,
    site_of,
)

WIDTHS = (320, 412, 1366)
# Adds up every shift, also those that follow a key or a click: those the visitor sees too.
COUNT_SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shifted += entry.value)))
        .observe({ type: "layout-shift", buffered: true });
"""
# How much of what has the focus lies under something of ours, in square pixels; null when ours has the focus itself.
COVERED = """async () => {
    // A page may scroll smoothly: look when it has arrived.
    for (let still = 0, at = NaN; still < 3; still = at === scrollY ? still + 1 : 0, at = scrollY)
        await new Promise(requestAnimationFrame);
    const element = document.activeElement, host = document.querySelector("consent-banner");
    if (!host || element === host || element === document.body) return null;
    const ours = host.shadowRoot.querySelector(".panel, .open").getBoundingClientRect();
    let covered = 0;
    for (const rect of element.getClientRects())
        covered += Math.max(0, Math.min(rect.right, ours.right) - Math.max(rect.left, ours.left))
                 * Math.max(0, Math.min(rect.bottom, ours.bottom) - Math.max(rect.top, ours.top));
    return [element.outerHTML.slice(0, 80), Math.round(covered)];
}"""


def type_and_choose(page: Page, action: str, by: str) -> None:
    """Choose by the keyboard or the mouse."""
    with page.expect_response("**/v1/decisions"):
        if by == "mouse":
            part(page, action).click()
        else:
            part(page, action).press("Enter")
    expect(panel(page)).to_have_count(0)


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize("layout", ["bar", "corner"])
def test_the_focus_goes_back_to_what_had_it_before_the_banner_took_it(
    lab: Lab, visitor: Visitor, layout: str, by: str
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, layout), WITH_CONTROL)
    page.locator("#first").focus()
    type_and_choose(page, "refuse", by)
    assert focused(page)["id"] == "first"


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_through_the_centre_the_focus_goes_back_to_what_opened_the_choice(lab: Lab, visitor: Visitor, by: str) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2), WITH_CONTROL)
    close(page)
    page.locator("[data-consent-open]").press("Enter")
    assert focused(page)["name"] == "h2"
    open_centre(page)
    type_and_choose(page, "save", by)
    assert page.evaluate("document.activeElement.textContent") == "Mes choix"


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_one_before_it_goes_to_the_control_that_reopens(
    lab: Lab, visitor: Visitor, layout: str, by: str
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, layout), WITH_CONTROL)
    type_and_choose(page, "refuse", by)
    assert page.evaluate("document.activeElement.textContent") == "Mes choix"
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_where_the_page_has_no_control_it_goes_to_ours_and_comes_back_to_ours(
    lab: Lab, visitor: Visitor, by: str
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "dialog"))
    type_and_choose(page, "refuse", by)
    expect(part(page, "open")).to_be_focused()
    part(page, "open").press("Enter")
    assert focused(page)["name"] == "h2"
    page.keyboard.press("Escape")
    expect(part(page, "open")).to_be_focused()


@pytest.mark.parametrize(("body", "expected"), [(ARTICLE, "main"), (ARTICLE.replace("main>", "div>"), "h1")])
def test_without_any_of_them_it_goes_to_main_or_the_heading_without_scrolling(
    lab: Lab, visitor: Visitor, body: str, expected: str
) -> None:
    # Where nothing is asked there is no way back to a choice either; the page may open the banner all the same.
    key = lab.site({**policy_document("fr"), "audience": "children", "purposes": []}, banner={"layout": "dialog"})
    page, _ = visitor()
    show(lab, page, key, body, waits=False)
    page.evaluate("scrollTo(0, 300)")
    page.evaluate("consent.show()")
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    assert focused(page)["name"] == expected
    assert page.evaluate("scrollY") == 300


def test_what_has_vanished_is_passed_over(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar"), WITH_CONTROL)
    page.locator("#first").focus()
    part(page, "refuse").focus()
    page.evaluate("document.querySelector('#first').remove()")
    with page.expect_response("**/v1/decisions"):
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Mes choix"


@pytest.mark.parametrize("layout", ["bar", "corner"])
def test_a_focus_outside_does_not_move_when_the_banner_closes(lab: Lab, visitor: Visitor, layout: str) -> None:
    page, _ = visitor()
    field = '<main><h1>Une</h1><p><label>Nom <input id="name"></label></p></main>'
    show(lab, page, site_of(lab, layout), field)
    page.locator("#name").focus()
    page.keyboard.type("Ada")
    page.evaluate("consent.withdraw()")
    expect(panel(page)).to_have_count(0)
    page.keyboard.type(" L.")
    assert page.locator("#name").input_value() == "Ada L."


def walk(page: Page, most: int = 400) -> list[list[Any]]:
    """Press Tab through the page until it starts again; give what had the focus and how much of it was covered."""
    seen: list[list[Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(COVERED)
        if found is not None:
            seen.append(found)
        elif seen:
            break
    return seen


@pytest.mark.parametrize("width", WIDTHS)
def test_tabbing_through_the_demo_page_nothing_with_the_focus_is_under_the_banner(
    demo: Demo, visitor: Visitor, width: int
) -> None:
    page, _ = visitor(viewport={"width": width, "height": 640 if width < 1000 else 768})
    page.add_init_script(COUNT_SHIFTS)
    page.goto(f"{demo.url}/demo/")
    expect(part(page, "refuse")).to_be_visible()
    seen = walk(page)
    assert len(seen) > 10
    assert [found for found in seen if found[1]] == []
    page.keyboard.press("Home")
    close(page)
    assert page.evaluate("shifted") == 0


@pytest.mark.parametrize(
    ("layout", "width", "back"),
    [
        ("bar", 320, False),
        ("bar", 412, True),
        ("bar", 1366, False),
        ("corner", 320, True),
        ("corner", 412, False),
        ("corner", 1366, True),
    ],
)
def test_tabbing_through_a_long_page_nothing_with_the_focus_is_under_the_banner_and_nothing_moves(
    lab: Lab, visitor: Visitor, layout: str, width: int, back: bool
) -> None:
    page, _ = visitor(viewport={"width": width, "height": 640 if width < 1000 else 768})
    page.add_init_script(COUNT_SHIFTS)
    show(lab, page, site_of(lab, layout, purposes=2))
    if back:
        page.locator("main a").last.focus()
        key = "Shift+Tab"
    else:
        key = "Tab"
    seen = []
    for _ in range(46):
        found = page.evaluate(COVERED)
        if found is not None:
            seen.append(found)
        page.keyboard.press(key)
    assert len(seen) >= 40
    assert [found for found in seen if found[1]] == []
    close(page)
    assert page.evaluate("shifted") == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_nor_is_it_under_the_way_back(lab: Lab, visitor: Visitor, width: int) -> None:
    page, _ = visitor(viewport={"width": width, "height": 640 if width < 1000 else 768})
    page.add_init_script(COUNT_SHIFTS)
    # Links on lines of their own at the side where the button stands.
    lines = "".join(f'<p><a href="#{n}">{n}</a></p>' for n in range(40))
    show(lab, page, site_of(lab, "bar"), f"<main><h1>Une</h1>{lines}</main>")
    close(page)
    page.evaluate("scrollTo(0, 0)")
    page.locator("main a").first.focus()
    seen = walk(page)
    assert len(seen) >= 39
    assert [found for found in seen if found[1]] == []
    assert page.evaluate("shifted") == 0


def test_the_last_line_of_the_page_can_be_read_above_the_bar(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor(viewport={"width": 320, "height": 640})
    show(lab, page, site_of(lab, "bar"))
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.locator("main p").last.bounding_box()
    bar = panel(page).bounding_box()
    assert last is not None
    assert bar is not None
    assert last["y"] + last["height"] <= bar["y"]
