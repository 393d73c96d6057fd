"""What the page may change about the banner, and what it cannot break."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.stage import LAYOUTS, Visitor, close, open_centre, panel, part, show, site_of

THEME = """<style>consent-banner {
    --consent-surface: rgb(255, 248, 230); --consent-ink: rgb(60, 20, 0); --consent-edge: rgb(140, 90, 40);
    --consent-radius: 3px; --consent-font: Georgia, serif; }</style>"""
HOSTILE = {
    "hides everything": "* { display: none !important } html, head + body, main { display: block !important }",
    "hides the host": "consent-banner { display: none !important; opacity: 0 !important; visibility: hidden !important }",
    "moves the host": "consent-banner { position: static !important; transform: translateY(999px) !important; "
    "z-index: -1 !important; clip-path: inset(50%) !important; height: 0 !important; overflow: hidden !important }",
    "styles all buttons": "button { font-size: 6px !important; display: none !important; background: red !important }",
    # Not the body itself: what a filter on it does to all that is fixed, nobody below can undo.
    "styles all elements": "html { direction: rtl } body * { font-size: 5px; line-height: 9; color: red; text-transform: uppercase; direction: rtl; "
    "letter-spacing: 1em; cursor: none; pointer-events: none; filter: blur(9px); float: right; width: 1px }",
    "is dark and inherits": "html { color-scheme: dark; font: 7px fantasy; text-align: right; word-break: break-all }",
    "draws its own marks": "consent-banner::before, consent-banner::after { content: 'x'; position: fixed; inset: 0 }",
}
LOOKS = """() => [...document.querySelector("consent-banner").shadowRoot.querySelectorAll(".panel, .panel *")].map((element) => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    return [element.localName, box.x, box.y, box.width, box.height, style.color, style.backgroundColor, style.font,
        style.opacity, style.visibility, style.letterSpacing, style.textTransform, style.direction, style.textAlign,
        style.cursor, style.pointerEvents];
})"""


def test_a_theme_of_the_pages_own_is_worn_by_both_layers_and_the_way_back(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2), head=THEME)
    steps: list[Callable[[], object]] = [lambda: None, lambda: open_centre(page)]
    for opens in steps:
        opens()
        expect(panel(page)).to_have_css("background-color", "rgb(255, 248, 230)")
        expect(panel(page)).to_have_css("color", "rgb(60, 20, 0)")
        expect(panel(page)).to_have_css("border-top-color", "rgb(140, 90, 40)")
        expect(panel(page)).to_have_css("border-top-left-radius", "3px")
        expect(panel(page)).to_have_css("font-family", "Georgia, serif")
        expect(part(page, "accept")).to_have_css("border-top-left-radius", "3px")
        expect(part(page, "accept")).to_have_css("font-family", "Georgia, serif")
    expect(page.locator(".purpose").first).to_have_css("border-top-color", "rgb(140, 90, 40)")
    refuse, accept = (
        part(page, action).evaluate("(button) => getComputedStyle(button).backgroundColor")
        for action in ("refuse", "accept")
    )
    assert refuse == accept != "rgb(255, 248, 230)"
    close(page)
    expect(part(page, "open")).to_have_css("background-color", "rgb(255, 248, 230)")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_style_of_the_page_changes_nothing_of_the_banner(lab: Lab, visitor: Visitor, layout: str, kind: str) -> None:
    key = site_of(lab, layout, theme="light")
    page, _ = visitor()
    looks = []
    for css in ("", HOSTILE[kind]):
        show(lab, page, key, head=f"<style>{css}</style>")
        # A click that reaches the button, not only a button that is there.
        part(page, "refuse").click(trial=True)
        looks.append(page.evaluate(LOOKS))
    assert looks[0] == looks[1]


def test_a_style_attribute_on_the_host_does_not_hide_it(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar"))
    page.evaluate(
        """() => {
            const host = document.querySelector("consent-banner");
            host.style.setProperty("display", "none", "important");
            host.hidden = true;
        }"""
    )
    expect(part(page, "refuse")).to_be_visible()
    close(page)
