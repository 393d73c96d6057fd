"""Pages with a banner on them, made to order: layout, theme, language and number of purposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Traffic
from tests.browser.lab import Lab, policy_document, with_second_purpose

Visitor = Callable[..., tuple[Page, Traffic]]

LAYOUTS = ("bar", "corner", "dialog")
DIRECTIONS = {"fr": "ltr", "ar": "rtl"}
LINES = "".join(f'<p>Un paragraphe, <a href="#{n}">le lien {n}</a> et la suite du texte.</p>' for n in range(40))
# A page in which an inspection finds nothing, so that every finding is the client's.
ARTICLE = f'<main><h1>Une</h1><p><a href="#a" id="first">Le premier lien</a></p>{LINES}</main>'
WITH_CONTROL = f'{ARTICLE}<footer><button type="button" data-consent-open>Mes choix</button></footer>'

_KEYS: dict[tuple[str, Any], str] = {}


def site_of(
    lab: Lab, layout: str, *, purposes: int = 1, theme: str = "auto", languages: tuple[str, ...] = ("fr", "ar")
) -> str:
    """Give the key of a site with this banner, added when it is asked for first."""
    wanted = (lab.url, (layout, purposes, theme, languages))
    if wanted not in _KEYS:
        policy = policy_document(*languages)
        _KEYS[wanted] = lab.site(
            with_second_purpose(policy) if purposes > 1 else policy, banner={"layout": layout, "theme": theme}
        )
    return _KEYS[wanted]


def show(
    lab: Lab, page: Page, key: str, body: str = ARTICLE, *, lang: str = "fr", head: str = "", waits: bool = True
) -> Page:
    """Open a page of a site in a language and wait for its banner."""
    direction = DIRECTIONS.get(lang, "ltr")
    lab.count += 1
    url = lab.page(f"/staged/{lab.count}", head + lab.tag(key), body, lang=lang, attributes=f'dir="{direction}"')
    page.goto(url)
    if waits:
        expect(part(page, "accept")).to_be_visible()
    return page


def part(page: Page, action: str) -> Locator:
    """Give the button of an action."""
    return page.locator(f'[data-action="{action}"]')


def panel(page: Page) -> Locator:
    """Give what the banner shows: a region or a dialog."""
    return page.locator("consent-banner .panel")


def open_centre(page: Page) -> None:
    """Go to the preference centre."""
    part(page, "customize").click()
    expect(part(page, "save")).to_be_visible()


def close(page: Page, action: str = "refuse") -> None:
    """Choose, and wait until the panel is gone and the service has answered."""
    with page.expect_response("**/v1/decisions"):
        part(page, action).click()
    expect(panel(page)).to_have_count(0)


def focused(page: Page) -> dict[str, Any]:
    """Tell what has the focus, in the page or in the banner's shadow root, once it has moved: a frame after a choice."""
    found: dict[str, Any] = page.evaluate(
        """async () => {
            for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
            const outer = document.activeElement, inner = outer.shadowRoot && outer.shadowRoot.activeElement;
            const { localName, id, dataset, className } = inner || outer;
            return { name: localName, id, action: dataset.action || "", class: className, inside: !!inner,
                     link: (inner || outer).getAttribute("href") || "" };
        }"""
    )
    return found
