"""What an automatic inspection finds, best practices included, in every state that the client puts on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.stage import LAYOUTS, Visitor, close, open_centre, part, show, site_of

AXE = Path(__file__).parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Beyond AA: the built-in themes promise a contrast of 7.
MORE = {"color-contrast-enhanced": {"enabled": True}}
PAGE = '<main><h1>Une</h1><p>Du texte, et <a href="#suite">la suite</a>.</p></main>'
LANGUAGES = ("fr", "ar")
THEMES = ("light", "dark")


def inspect(page: Page) -> dict[str, Any]:
    """Run axe on the whole page and give its findings; fails unless it looked into our shadow roots."""
    page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate(
        "([tags, rules]) => axe.run(document, {runOnly: {type: 'tag', values: tags}, rules})", [TAGS, MORE]
    )
    seen = [node["target"] for rule in found["passes"] for node in rule["nodes"]]
    assert any(isinstance(target[0], list) for target in seen), "axe saw no shadow root"
    return found


def assert_clean(page: Page) -> None:
    """Check that nothing is wrong, and that no rule about contrast was left undecided."""
    found = inspect(page)
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found["violations"]] == []
    undecided = [rule for rule in found["incomplete"] if rule["id"].startswith("color-contrast")]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in undecided] == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_axe_finds_nothing_on_the_first_layer_nor_in_the_preference_centre(
    lab: Lab, visitor: Visitor, layout: str, theme: str, lang: str
) -> None:
    # Tall enough that nothing is scrolled away, which axe could not judge.
    page, _ = visitor(color_scheme=theme, viewport={"width": 1366, "height": 2400})
    show(lab, page, site_of(lab, layout, purposes=2), PAGE, lang=lang)
    assert_clean(page)
    open_centre(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert_clean(page)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_axe_finds_nothing_with_one_purpose_on_a_small_screen(
    lab: Lab, visitor: Visitor, layout: str, lang: str
) -> None:
    page, _ = visitor(viewport={"width": 320, "height": 640})
    show(lab, page, site_of(lab, layout), PAGE, lang=lang)
    assert_clean(page)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_once_the_choice_is_made(lab: Lab, visitor: Visitor, lang: str, theme: str) -> None:
    page, _ = visitor(color_scheme=theme)
    show(lab, page, site_of(lab, "bar"), PAGE, lang=lang)
    close(page)
    expect(part(page, "open")).to_be_visible()
    assert_clean(page)


def test_axe_finds_nothing_where_the_page_has_its_own_way_back(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(
        lab,
        page,
        site_of(lab, "bar"),
        f'{PAGE}<footer><button type="button" data-consent-open>Mes choix</button></footer>',
    )
    assert_clean(page)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_in_what_stands_for_a_waiting_frame(
    lab: Lab, visitor: Visitor, lang: str, theme: str
) -> None:
    page, _ = visitor(color_scheme=theme)
    frame = '<iframe data-consent="marketing" data-src="https://player.example/v/1" title="Film" width="480"></iframe>'
    body = f"<main><h1>Une</h1><p>Le film :</p>{frame}</main>"
    show(lab, page, site_of(lab, "bar", purposes=2), body, lang=lang)
    expect(part(page, "allow")).to_be_visible()
    assert_clean(page)
