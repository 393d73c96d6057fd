"""A browser without JavaScript: every choice by plain forms, by the keyboard too, in a frame, on another origin."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Download, Frame, Page, expect

from tests.browser.conftest import Demo, Traffic, until
from tests.browser.lab import Lab, policy_document, with_second_purpose

Visitor = Callable[..., tuple[Page, Traffic]]

AXE = Path(__file__).parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
OFF = {"java_script_enabled": False}
# The longest words, two scripts of their own, and both directions.
LANGUAGES = ("de", "fi", "el", "hu", "mt", "ar", "ja")


def cookies(page: Page) -> dict[str, str]:
    """Give what the browser holds, by name."""
    return {str(each.get("name")): str(each.get("value")) for each in page.context.cookies()}


def press(page: Page | Frame, action: str) -> None:
    """Press the button of an action."""
    page.locator(f'button[data-action="{action}"]').click()


def main_text(page: Page | Frame) -> str:
    """Give what the page says."""
    return page.locator("main").inner_text()


def download(page: Page, action: str) -> Path:
    """Press a button that gives a file."""
    with page.expect_download() as started:
        press(page, action)
    given: Download = started.value
    return Path(given.path())


def reload_until(page: Page, words: str) -> None:
    """Load the page again until it says something: the keeper needs a moment."""
    # By address: a reload that meets the end of the navigation before it has no page to go to.
    until(lambda: page.goto(page.url) and words in main_text(page), 60, words)


def test_every_step_by_mouse(demo: Demo, visitor: Visitor) -> None:
    page, traffic = visitor(**OFF)
    page.goto(f"{demo.url}/banner/{demo.key}?lang=fr")
    assert cookies(page) == {}
    press(page, "refuse")
    expect(page.get_by_role("status")).to_contain_text("Votre choix est enregistré.")
    refusal = cookies(page)
    page.locator("summary").click()
    press(page, "accept")
    expect(page.get_by_role("status")).to_contain_text("vous avez accepté : Mesure d'audience.")
    page.get_by_role("link", name="Mon choix").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon choix")
    mark = f"/demo/?page={uuid4()}"
    token = cookies(page)[f"consent-{demo.key}"]
    assert demo.send(token, mark).json()["accepted"] == 1
    copy = copied(page, 1)
    assert copy["events"][0]["query"] == mark.partition("?")[2]
    assert [row["mechanism"] for row in copy["decisions"]] == ["no_js"]
    assert f"Numéro de reçu : {copy['receipt_id']}" in main_text(page)
    with download(page, "export-csv").open(newline="") as file:
        assert [row["kind"] for row in csv.DictReader(file)] == ["receipt", "decision", "event"]
    press(page, "withdraw")
    expect(page.get_by_role("status")).to_contain_text("Votre consentement a été retiré le")
    assert {name: cookies(page)[name] for name in refusal} == refusal
    reload_until(page, "Événements effacés : 1")
    assert demo.send(token).json()["error"]["code"] == "withdrawn"
    assert not traffic.of("/v1/")
    assert {request.resource_type for request in traffic.requests} <= {"document", "stylesheet"}


def copied(page: Page, events: int) -> dict[str, Any]:
    """Download the copy until it has some events: the keeper needs a moment."""

    def enough() -> dict[str, Any] | None:
        copy: dict[str, Any] = json.loads(download(page, "export-json").read_text())
        return copy if len(copy["events"]) >= events else None

    found: dict[str, Any] = until(enough, 20, "the copy's events")
    return found


def test_erasing_without_withdrawing_first(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor(**OFF)
    page.goto(f"{demo.url}/banner/{demo.key}?lang=en")
    press(page, "accept")
    token = cookies(page)[f"consent-{demo.key}"]
    assert demo.send(token).json()["accepted"] == 1
    page.goto(f"{demo.url}/my/{demo.key}?lang=en")
    press(page, "erase")
    reload_until(page, "What was collected has been erased.")
    assert demo.send(token).status_code == 403


def tab_to(page: Page, selector: str) -> None:
    """Go by the keyboard until an element has the focus, and see that it shows."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(f"{selector}:focus-visible")
        if focused.count():
            outline = focused.evaluate("(element) => getComputedStyle(element).outlineStyle")
            assert outline == "solid"
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def test_every_step_by_keyboard_alone(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor(**OFF)
    page.goto(f"{demo.url}/banner/{demo.key}?lang=en")
    tab_to(page, '[data-action="refuse"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("you refused")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, '[data-action="accept"]')
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("you agreed to")
    tab_to(page, 'a[href^="/my/"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("My choice")
    tab_to(page, 'input[name="erase"]')
    page.keyboard.press("Space")
    tab_to(page, '[data-action="withdraw"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your consent was withdrawn")
    tab_to(page, '[data-action="erase"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("erased")
    reload_until(page, "What was collected has been erased.")


def test_both_choices_look_the_same_and_are_large_enough(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor(**OFF)
    page.goto(f"{demo.url}/banner/{demo.key}")
    looks = [
        page.locator(f'[data-action="{action}"]').evaluate(
            """(button) => {
                const { width, height, y } = button.getBoundingClientRect(), style = getComputedStyle(button);
                return [button.tagName, width, height, y, style.font, style.color, style.backgroundColor, style.border];
            }"""
        )
        for action in ("refuse", "accept")
    ]
    assert looks[0] == looks[1]
    assert looks[0][2] >= 44


@pytest.fixture(scope="module")
def wide(lab: Lab) -> str:
    """Add a site of two purposes in many languages, on the service's own origin."""
    return lab.site(with_second_purpose(policy_document(*LANGUAGES)), origins=[lab.url])


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_320_pixels_nothing_scrolls_sideways(lab: Lab, visitor: Visitor, wide: str, language: str) -> None:
    page, _ = visitor(viewport={"width": 320, "height": 640}, **OFF)

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        outside = page.locator("main *").evaluate_all(
            """(all) => all.map((each) => [each.tagName, each.getBoundingClientRect()])
                .filter(([, box]) => box.width && (box.left < 0 || box.right > 320)).map(([tag]) => tag)"""
        )
        assert outside == []

    page.goto(f"{lab.url}/banner/{wide}?lang={language}")
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    boxes = [page.locator(f'[data-action="{action}"]').bounding_box() for action in ("refuse", "accept")]
    assert all(boxes)
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    page.locator("summary").click()
    fits()
    press(page, "accept")
    expect(page.get_by_role("status")).to_be_visible()
    fits()
    page.goto(f"{lab.url}/my/{wide}?lang={language}")
    fits()
    press(page, "withdraw")
    expect(page.get_by_role("status")).to_be_visible()
    fits()


def test_of_two_purposes_one_can_be_granted_alone(lab: Lab, visitor: Visitor, wide: str) -> None:
    page, _ = visitor(**OFF)
    page.goto(f"{lab.url}/banner/{wide}?lang=de")
    page.locator("summary").click()
    boxes = page.locator("input[data-purpose]")
    assert [boxes.nth(place).is_checked() for place in range(2)] == [False, False]
    page.locator('input[data-purpose="marketing"]').check()
    press(page, "save")
    expect(page.get_by_role("status")).to_contain_text("Marketing")
    page.locator("summary").first.click()
    page.locator("summary").nth(1).click()
    assert [boxes.nth(place).is_checked() for place in range(2)] == [False, True]


def frame_of(page: Page) -> Frame:
    """Give the frame in which the banner is shown."""
    page.wait_for_selector("iframe")
    frame = page.frames[1]
    frame.wait_for_load_state()
    return frame


def test_the_demo_shows_the_banner_in_a_frame_where_there_is_no_script(demo: Demo, visitor: Visitor) -> None:
    page, _ = visitor(**OFF)
    page.goto(f"{demo.url}/demo/")
    frame = frame_of(page)
    press(frame, "refuse")
    expect(frame.get_by_role("status")).to_contain_text("Votre choix est enregistré.")
    assert list(cookies(page)) == [f"consent-{demo.key}", f"consent-{demo.key}-mirror"]
    frame.get_by_role("link", name="Mon choix").click()
    page.wait_for_url("**/my/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon choix")


def test_with_scripts_the_demo_has_no_frame(demo: Demo, visitor: Visitor) -> None:
    page, traffic = visitor()
    page.goto(f"{demo.url}/demo/", wait_until="networkidle")
    assert page.locator("iframe").count() == 0
    assert not traffic.of("/banner/")


def test_on_another_origin_the_frame_takes_refusals_alone(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr"), origins=[lab.origin])
    url = lab.page("/framed", f'<noscript><iframe src="{lab.url}/banner/{key}" title="Choix"></iframe></noscript>', "")
    page, _ = visitor(**OFF)
    page.goto(url)
    frame = frame_of(page)
    assert frame.locator("button").count() == 1
    press(frame, "refuse")
    expect(frame.get_by_role("status")).to_contain_text("vous avez refusé")
    assert cookies(page) == {}


def test_a_page_of_nobody_cannot_frame_the_forms(lab: Lab, visitor: Visitor, wide: str) -> None:
    key = lab.site(policy_document("fr"), origins=[lab.url])
    for address in (f"{lab.url}/banner/{key}", f"{lab.url}/my/{key}"):
        url = lab.page("/thief", "", f'<iframe src="{address}" title="Stolen"></iframe>')
        page, _ = visitor(**OFF)
        with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
            page.goto(url)
        assert page.frames[1].locator("button").count() == 0


def test_a_page_on_another_origin_hands_over_the_token_and_no_address_has_it(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr"), origins=[lab.origin])
    url = lab.page("/token", lab.tag(key))
    page, traffic = visitor()
    page.goto(url)
    with page.expect_response("**/v1/decisions") as answered:
        page.locator('[data-action="accept"]').click()
    answer = answered.value.json()
    page.evaluate(
        """([action, token]) => {
            const form = document.createElement("form"), field = document.createElement("input");
            Object.assign(form, { method: "post", action });
            Object.assign(field, { type: "hidden", name: "token", value: token });
            form.append(field);
            document.body.append(form);
            form.submit();
        }""",
        [f"{lab.url}/my/{key}", answer["token"]],
    )
    page.wait_for_url("**/my/**")
    assert answer["receipt_id"] in main_text(page)
    held = next(each for each in page.context.cookies() if each.get("name") == f"consent-my-{key}")
    assert held["httpOnly"]
    assert held["sameSite"] == "Lax"
    press(page, "withdraw")
    expect(page.get_by_role("status")).to_contain_text("Votre consentement a été retiré le")
    assert not [request.url for request in traffic.requests if answer["token"] in request.url]


def violations(page: Page) -> list[str]:
    """Give what axe finds on a page, best practices included."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        "axe.run().then(({violations}) => violations.map(({id, help}) => `${id}: ${help}`))"
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["de", "ar"])
def test_axe_finds_nothing_in_any_state(lab: Lab, visitor: Visitor, wide: str, language: str, scheme: str) -> None:
    # Scripts are on for axe's sake; the pages have none.
    page, _ = visitor(color_scheme=scheme, viewport={"width": 320, "height": 640})
    mine, banner = f"{lab.url}/my/{wide}?lang={language}", f"{lab.url}/banner/{wide}?lang={language}"
    for address in (mine, banner):
        page.goto(address)
        assert violations(page) == []
    page.locator("summary").click()
    assert violations(page) == []
    press(page, "accept")
    expect(page.get_by_role("status")).to_be_visible()
    assert violations(page) == []
    page.goto(mine)
    assert violations(page) == []
    press(page, "withdraw")
    expect(page.get_by_role("status")).to_be_visible()
    assert violations(page) == []
