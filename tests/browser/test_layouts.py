"""The banner on small screens, in every built-in language, with the text larger or further apart than planned."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from consent_service.consent.texts import built_in_languages, text_direction
from tests.browser.lab import Lab
from tests.browser.stage import LAYOUTS, Visitor, open_centre, panel, part, show, site_of

EVERY = tuple(sorted(built_in_languages()))
SMALL, ZOOMED = {"width": 320, "height": 640}, {"width": 320, "height": 256}
# What a page may do to help its reader (WCAG 1.4.12), done to ours as well.
SPACING = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
        p { margin-bottom: 2em !important }`);
    const root = document.querySelector("consent-banner").shadowRoot;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}"""
# Where things are: the panel's share of the window, what sticks out, and whether the buttons are whole and side by side.
MEASURE = """() => {
    const root = document.querySelector("consent-banner").shadowRoot, panel = root.querySelector(".panel");
    const text = root.querySelector(".text"), bounds = panel.getBoundingClientRect();
    const within = (rect) => rect.left >= -0.5 && rect.top >= -0.5 && rect.right <= innerWidth + 0.5
        && rect.bottom <= innerHeight + 0.5;
    const words = (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return [...range.getClientRects()];
    };
    const problems = [];
    const claim = (holds, what) => holds || problems.push(what);
    claim(within(bounds), "the panel leaves the window");
    claim(panel.scrollHeight <= panel.clientHeight && panel.scrollWidth <= panel.clientWidth, "the panel overflows");
    claim(text.scrollWidth <= text.clientWidth, "the text scrolls sideways");
    claim(text.clientHeight >= 40, "there is no line of text to read");
    claim(document.documentElement.scrollWidth <= innerWidth, "the page scrolls sideways");
    for (const button of root.querySelectorAll(".panel button")) {
        const box = button.getBoundingClientRect();
        claim(within(box), `${button.dataset.action} leaves the window`);
        claim(words(button).every((rect) => rect.left >= box.left && rect.right <= box.right && rect.top >= box.top
            && rect.bottom <= box.bottom), `${button.dataset.action} cuts its word`);
    }
    const [refuse, accept] = [...root.querySelectorAll('[data-action="refuse"], [data-action="accept"]')]
        .map((button) => button.getBoundingClientRect());
    const scrolls = text.scrollHeight > text.clientHeight;
    claim(!scrolls || (text.tabIndex === 0 && text.getAttribute("role") === "group"), "what scrolls takes no focus");
    return {
        share: (innerHeight - bounds.top) / innerHeight, size: Math.min(...[...root.querySelectorAll("p, h2, button, a")]
            .map((element) => parseFloat(getComputedStyle(element).fontSize))),
        scrolled: text.scrollHeight - text.clientHeight, problems,
        abreast: Math.abs(refuse.top - accept.top) < 0.5 && Math.abs(refuse.width - accept.width) < 0.5,
    };
}"""


def measure(page: Page, size: dict[str, int]) -> dict[str, Any]:
    """Give the measures at a size, once the page has come to rest in it."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: dict[str, Any] = page.evaluate(MEASURE)
    return found


@pytest.mark.parametrize(("purposes", "share"), [(1, 0.42), (2, 0.50)])
def test_on_a_small_screen_the_bar_leaves_most_of_the_page_in_every_language(
    lab: Lab, visitor: Visitor, purposes: int, share: float, record_property: Any
) -> None:
    key = site_of(lab, "bar", purposes=purposes, languages=EVERY)
    page, _ = visitor(viewport=SMALL)
    shares, wrong = {}, {}
    for language in EVERY:
        show(lab, page, key, lang=language)
        assert page.locator("consent-banner").get_attribute("lang") == language
        found = measure(page, SMALL)
        shares[language] = (round(found["share"], 4), found["scrolled"])
        if found["problems"] or found["share"] > share or found["size"] < 16 or not found["abreast"]:
            wrong[language] = found
        zoomed = measure(page, ZOOMED)
        if zoomed["problems"] or zoomed["share"] > 0.6 or zoomed["size"] < 16 or not zoomed["abreast"]:
            wrong[f"{language}, zoomed"] = zoomed
    longest = sorted(shares, key=lambda language: shares[language], reverse=True)
    record_property("longest", [(language, shares[language]) for language in longest[:5]])
    print(purposes, {language: shares[language] for language in longest})
    assert len(shares) == 35
    assert wrong == {}


@pytest.mark.parametrize("purposes", [1, 2])
@pytest.mark.parametrize("lang", ["fr", "ar", "de", "el", "bg", "hu"])
def test_with_wider_spacing_nothing_is_cut(lab: Lab, visitor: Visitor, lang: str, purposes: int) -> None:
    key = site_of(lab, "bar", purposes=purposes, languages=EVERY)
    page, _ = visitor(viewport=SMALL)
    show(lab, page, key, lang=lang)
    before = panel(page).locator(".text").evaluate("(text) => text.scrollHeight")
    page.evaluate(SPACING)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert panel(page).locator(".text").evaluate("(text) => text.scrollHeight") > before
    assert measure(page, SMALL)["problems"] == []
    assert measure(page, {"width": 1366, "height": 768})["problems"] == []


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lang", ["fr", "ar", "de", "el"])
def test_with_text_of_twice_the_size_nothing_is_cut(lab: Lab, visitor: Visitor, layout: str, lang: str) -> None:
    key = site_of(lab, layout, purposes=2, languages=EVERY)
    for size in (SMALL, {"width": 1366, "height": 768}):
        page, _ = visitor(viewport=size)
        show(lab, page, key, lang=lang, head="<style>html{font-size:200%} main{overflow-wrap:anywhere}</style>")
        found = measure(page, size)
        assert found["problems"] == []
        assert found["size"] == 32


@pytest.mark.parametrize("size", [SMALL, ZOOMED, {"width": 768, "height": 1024}, {"width": 1366, "height": 768}])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_scrolls_sideways_in_any_layout_nor_in_the_preference_centre(
    lab: Lab, visitor: Visitor, layout: str, size: dict[str, int]
) -> None:
    page, _ = visitor(viewport=size)
    for lang in ("fr", "ar"):
        show(lab, page, site_of(lab, layout, purposes=2), lang=lang)
        assert measure(page, size)["problems"] == []
        open_centre(page)
        for summary in page.locator("summary").all():
            summary.click()
        assert measure(page, size)["problems"] == []


@pytest.mark.parametrize(("lang", "side"), [("fr", "left"), ("ar", "right")])
def test_the_corner_and_the_way_back_stand_where_lines_begin(lab: Lab, visitor: Visitor, lang: str, side: str) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "corner"), lang=lang)
    rest = page.evaluate("document.documentElement.clientWidth")
    for what in ("corner", "way back"):
        box = (panel(page) if what == "corner" else part(page, "open")).bounding_box()
        assert box is not None
        gaps = {"left": box["x"], "right": rest - box["x"] - box["width"]}
        assert 8 <= gaps[side] <= 32, what
        assert gaps["right" if side == "left" else "left"] > rest / 2, what
        if what == "corner":
            part(page, "refuse").click()
            expect(part(page, "open")).to_be_visible()


def test_directions_are_those_of_the_built_in_languages(lab: Lab, visitor: Visitor) -> None:
    key = site_of(lab, "bar", languages=EVERY)
    page, _ = visitor()
    for language in ("he", "ar", "ja", "de"):
        page.goto(lab.page(f"/direction-{language}", lab.tag(key), lang=language))
        expect(part(page, "accept")).to_be_visible()
        expect(page.locator("consent-banner")).to_have_attribute("dir", text_direction(language))
