"""`notice screenshot` pictures what visitors see, and a visitor's grant says which script showed it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from consent_service.db.engine import make_engine
from consent_service.db.tables import notice_screenshot
from tests.browser.conftest import Traffic, sent_json
from tests.browser.lab import Lab, policy_document, with_second_purpose
from tests.browser.stage import open_centre, part, show
from tests.chromium import find_chromium

Visitor = Callable[..., tuple[Page, Traffic]]


def take(lab: Lab, key: str) -> list[dict[str, Any]]:
    """Run the command beside the running server."""
    answer = lab.program.json("notice", "screenshot", key, "--chromium", str(find_chromium()))
    assert answer["warnings"] == []
    pictures: list[dict[str, Any]] = answer["pictures"]
    return pictures


@pytest.fixture
def stored(lab: Lab) -> Callable[[str], bytes]:
    """Give a function that reads a kept picture by its hash."""
    engine = make_engine(f"sqlite:///{lab.directory / 'data' / 'consent.sqlite'}")

    def read(sha256: str) -> bytes:
        with engine.connect() as connection:
            # Two sites may look the same.
            png = connection.execute(select(notice_screenshot.c.png).where(notice_screenshot.c.sha256 == sha256))
            return bytes(png.scalars().all()[0])

    return read


def size_of(png: bytes) -> tuple[int, int]:
    """Give width and height of a PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("layout", ["bar", "corner", "dialog"])
def test_each_layer_is_pictured_in_each_language_and_window_and_kept_once(
    lab: Lab, stored: Callable[[str], bytes], layout: str
) -> None:
    key = lab.site(with_second_purpose(policy_document("fr", "ar")), banner={"layout": layout})
    first = take(lab, key)
    assert {(each["language"], each["surface"], each["width"], each["height"]) for each in first} == {
        (language, surface, *window)
        for language in ("fr", "ar")
        for surface in ("banner", "preferences")
        for window in ((1366, 768), (412, 823))
    }
    assert len({each["sha256"] for each in first}) == len(first) == 8
    assert all(each["is_new"] for each in first)
    for each in first:
        assert size_of(stored(each["sha256"])) == (each["width"], each["height"])
    if layout != "bar":
        return
    again = take(lab, key)
    assert [each["sha256"] for each in again] == [each["sha256"] for each in first]
    assert not any(each["is_new"] for each in again)


def test_a_picture_shows_the_banner_itself(lab: Lab, visitor: Visitor, stored: Callable[[str], bytes]) -> None:
    """What the command took is, pixel for pixel, what a browser shows of the same window where the banner stands."""
    key = lab.site(policy_document("fr"), banner={"layout": "bar", "theme": "light"})
    (desktop,) = [each for each in take(lab, key) if each["width"] == 1366]
    page, _ = visitor(viewport={"width": 1366, "height": 768}, reduced_motion="reduce", color_scheme="light")
    show(lab, page, key)
    box = page.locator("consent-banner .panel").bounding_box()
    assert box is not None
    found = page.evaluate(
        """async ([bytes, { x, y, width, height }]) => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
            const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
            context.drawImage(image, 0, 0);
            const { data } = context.getImageData(x + 2, y + 2, width - 4, height - 4);
            const colours = new Map();
            for (let at = 0; at < data.length; at += 4) {
                const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
                colours.set(colour, (colours.get(colour) || 0) + 1);
            }
            const refuse = document.querySelector("consent-banner").shadowRoot.querySelector('[data-action="refuse"]');
            const [red, green, blue] = getComputedStyle(refuse).backgroundColor.match(/\\d+/g);
            return { buttons: colours.get(`${red},${green},${blue}`) || 0,
                     area: 2 * refuse.offsetWidth * refuse.offsetHeight };
        }""",
        [list(stored(desktop["sha256"])), box],
    )
    # Both buttons, less their words and round corners.
    assert 0.8 * found["area"] < found["buttons"] < found["area"]


def test_a_grant_names_its_script_and_a_refusal_does_not(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(with_second_purpose(policy_document("fr")))
    said = {}
    for action in ("accept", "refuse"):
        page, _ = visitor()
        show(lab, page, key)
        with page.expect_request("**/v1/decisions") as sent:
            part(page, action).click()
        said[action] = sent_json(sent.value).get("script_hash")
    (taken, *_) = take(lab, key)
    assert said["refuse"] is None
    assert len(said["accept"]) == 8
    assert taken["script_hash"].startswith(said["accept"])


def test_a_grant_from_the_preference_centre_names_its_script_too(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(with_second_purpose(policy_document("fr")))
    page, _ = visitor()
    show(lab, page, key)
    open_centre(page)
    page.locator('input[data-purpose="marketing"]').check()
    with page.expect_request("**/v1/decisions") as sent:
        part(page, "save").click()
    expect(page.locator("consent-banner .panel")).to_have_count(0)
    assert len(sent_json(sent.value)["script_hash"]) == 8
