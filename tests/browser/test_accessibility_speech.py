"""What is said aloud: one polite status line, there before it is used."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.stage import Visitor, close, open_centre, panel, part, show, site_of

# Writes down each change of each status line of ours, how long the line had stood there, and whether it could be heard:
# what lies behind a modal dialog is not.
LISTEN = """
    window.heard = [];
    const born = new WeakMap();
    const look = (root) => {
        const line = root.querySelector('[role="status"]');
        if (line && !born.has(line)) born.set(line, performance.now());
    };
    const said = (line) => {
        const modal = line.getRootNode().querySelector("dialog:modal");
        if (line.textContent) window.heard.push({ words: line.textContent, age: performance.now() - born.get(line),
            lines: line.getRootNode().querySelectorAll('[role="status"],[role="alert"],[aria-live]').length,
            audible: line.isConnected && (!modal || modal.contains(line)) });
    };
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (options) {
        const root = attach.call(this, options);
        new MutationObserver((changes) => {
            look(root);
            const lines = new Set(changes.map(({ target }) => target.closest?.('[role="status"]')).filter(Boolean));
            lines.forEach(said);
        }).observe(root, { childList: true, subtree: true, characterData: true });
        return root;
    };
"""


def heard(page: Page, count: int) -> list[str]:
    """Wait until so many things were said; give their words, each said in a line that stood there before."""
    page.wait_for_function("(count) => heard.length >= count", arg=count)
    found = page.evaluate("heard")
    assert [each for each in found if each["age"] < 50 or each["lines"] != 1 or not each["audible"]] == []
    return [each["words"] for each in found]


def listen(visitor: Visitor, lab: Lab, layout: str, purposes: int = 1) -> Page:
    """Open a page that notes what is said."""
    page, _ = visitor()
    page.add_init_script(LISTEN)
    return show(lab, page, site_of(lab, layout, purposes=purposes))


@pytest.mark.parametrize("layout", ["bar", "corner"])
def test_the_bar_says_its_heading_once_and_the_outcome_after_the_choice(
    lab: Lab, visitor: Visitor, layout: str
) -> None:
    page = listen(visitor, lab, layout)
    heading = panel(page).locator("h2").inner_text()
    assert heard(page, 1) == [heading]
    close(page)
    assert heard(page, 2) == [heading, "Votre choix est enregistré."]
    status = page.locator('consent-banner [role="status"]')
    expect(status).to_have_count(1)


def test_a_dialog_says_nothing_of_its_own_for_its_heading_has_the_focus(lab: Lab, visitor: Visitor) -> None:
    page = listen(visitor, lab, "dialog")
    close(page)
    assert heard(page, 1) == ["Votre choix est enregistré."]


def test_the_same_outcome_twice_is_said_twice(lab: Lab, visitor: Visitor) -> None:
    page = listen(visitor, lab, "dialog")
    close(page)
    heard(page, 1)
    part(page, "open").click()
    expect(part(page, "refuse")).to_be_visible()
    close(page)
    assert heard(page, 2) == ["Votre choix est enregistré."] * 2


@pytest.mark.parametrize("where", ["dialog", "centre"])
def test_what_has_to_be_said_inside_a_modal_dialog_can_be_heard(lab: Lab, visitor: Visitor, where: str) -> None:
    page = listen(visitor, lab, "dialog" if where == "dialog" else "bar", purposes=2)
    before = 0
    if where == "centre":
        heard(page, 1)
        open_centre(page)
        before = 1
    # A click that no hand made is answered with a question.
    part(page, "accept").evaluate("(button) => button.click()")
    said = heard(page, before + 1)
    assert said[-1] == "Veuillez confirmer votre choix en appuyant encore une fois sur le bouton."
    expect(panel(page).locator(".note")).to_have_text(said[-1])


def test_a_failure_is_said(lab: Lab, visitor: Visitor) -> None:
    page = listen(visitor, lab, "bar")
    heard(page, 1)
    page.context.route("**/v1/decisions", lambda route: route.abort())
    part(page, "accept").click()
    page.wait_for_function("heard.length >= 2", timeout=30000)
    assert "n'a pas pu être enregistré" in heard(page, 2)[-1]
    expect(panel(page).locator(".note")).to_contain_text("n'a pas pu être enregistré")
