"""A change of the policy asks earlier visitors again: for what changed alone, with what it was and what it is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Traffic, sent_json, until
from tests.browser.lab import Lab, policy_document, with_second_purpose
from tests.browser.stage import close, open_centre, panel, part, show

Visitor = Callable[..., tuple[Page, Traffic]]
REASON = {"fr": "Le marketing connaît désormais la ville.", "en": "Marketing now knows the city."}
LANGUAGES = ("fr", "en")


def both(**changes: Any) -> dict[str, Any]:
    """Give the policy of two purposes; the second one's sentence names it."""
    return with_second_purpose(policy_document(*LANGUAGES), **changes)


def widened() -> dict[str, Any]:
    """Give the policy whose second purpose collects the city as well."""
    data = [*policy_document()["purposes"][0]["data"], "city"]
    return {**both(data=data), "material_purposes": ["marketing"], "material_reason": REASON}


def granted(page: Page, purpose: str) -> bool:
    found: bool = page.evaluate(f"window.consent.granted('{purpose}')")
    return found


def decide(page: Page, action: str) -> dict[str, Any]:
    """Press a button and give the decision that was sent."""
    with page.expect_request("**/v1/decisions") as sent, page.expect_response("**/v1/decisions") as answered:
        part(page, action).click()
    assert answered.value.status == 201, answered.value.text()
    expect(panel(page)).to_have_count(0)
    document: dict[str, Any] = sent_json(sent.value)
    return document


def newest_marks(lab: Lab, key: str) -> list[str]:
    token = lab.program.json("token", "create", "--site", key, "--scope", "consent:read")["token"]
    answer = httpx.get(f"{lab.url}/api/v1/decisions?site={key}", headers={"Authorization": f"Bearer {token}"})
    marks: list[str] = answer.json()["decisions"][-1]["marks"]
    return marks


def forget_files(page: Page) -> None:
    """Let the browser forget its copy of the script, as it does by itself after five minutes."""
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")


@pytest.fixture
def outgrown(lab: Lab, visitor: Visitor) -> tuple[Page, Traffic, str]:
    """Accept everything, then let the policy grow, and come back."""
    key = lab.site(both())
    page, traffic = visitor()
    show(lab, page, key)
    close(page, "accept")
    lab.publish(key, widened())
    until(lambda: "asked_again" in httpx.get(f"{lab.url}/c/{key}.js").text, 5, "the new bundle")
    forget_files(page)
    show(lab, page, key)
    return page, traffic, key


def test_the_banner_tells_the_difference_and_what_was_not_changed_stands(outgrown: Any, lab: Lab) -> None:
    page, _, key = outgrown
    said = panel(page).inner_text()
    assert REASON["fr"] in said
    assert "Données collectées. Avant" in said
    assert said.count("la ville") == 2  # in the reason and in what is new
    expect(panel(page).locator("h3")).to_have_text("Marketing")
    assert "pour : Marketing." in said.replace("\u00a0", " ")
    assert (granted(page, "analytics"), granted(page, "marketing")) == (True, False)
    sent = decide(page, "accept")
    assert (sent["action"], sent["asked"]) == ("accept_all", ["marketing"])
    assert sent["purposes"] == {"analytics": True, "marketing": True}
    until(lambda: granted(page, "marketing"), 5, "the grant")
    assert newest_marks(lab, key) == []
    show(lab, page, key, waits=False)
    page.wait_for_function("window.consent && window.consent.decided()")
    expect(panel(page)).to_have_count(0)


def test_refusing_what_changed_takes_back_that_alone_and_asks_no_more(outgrown: Any, lab: Lab) -> None:
    page, traffic, key = outgrown
    with page.expect_response("**/v1/decisions") as answered:
        part(page, "refuse").click()
    assert answered.value.status == 201
    assert answered.value.json()["purposes"] == {"analytics": True, "marketing": False}
    until(lambda: page.evaluate("window.consent.decided()"), 5, "the answer", page)
    assert (granted(page, "analytics"), granted(page, "marketing")) == (True, False)
    [withdrawal] = traffic.of("/v1/withdrawals")
    assert sent_json(withdrawal)["purposes"] == ["marketing"]
    show(lab, page, key, waits=False)
    page.wait_for_function("window.consent && window.consent.decided()")
    expect(panel(page)).to_have_count(0)


def test_the_preference_centre_tells_it_too_and_ticks_only_what_stands(outgrown: Any, lab: Lab) -> None:
    page, _, key = outgrown
    open_centre(page)
    said = panel(page).inner_text()
    assert REASON["fr"] in said
    assert "Données collectées. Avant" in said
    expect(page.locator('input[data-purpose="analytics"]')).to_be_checked()
    expect(page.locator('input[data-purpose="marketing"]')).not_to_be_checked()
    page.locator('input[data-purpose="marketing"]').check()
    sent = decide(page, "save")
    assert sent["asked"] == ["analytics", "marketing"]
    assert newest_marks(lab, key) == []


def test_a_refuser_is_left_alone_by_more_data_and_asked_about_a_new_purpose_alone(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(both())
    page, _ = visitor(locale="en-GB")
    show(lab, page, key, lang="en")
    close(page, "refuse")
    lab.publish(key, widened())
    until(lambda: "asked_again" in httpx.get(f"{lab.url}/c/{key}.js").text, 5, "the new bundle")
    forget_files(page)
    show(lab, page, key, lang="en", waits=False)
    page.wait_for_function("window.consent && window.consent.decided()")
    expect(panel(page)).to_have_count(0)
    document = widened()
    titles = dict.fromkeys(LANGUAGES, "Video")
    video = {**document["purposes"][1], "id": "video", "title": titles, "cookies": []}
    reason = dict.fromkeys(LANGUAGES, "Videos are new.")
    lab.publish(
        key,
        {
            **document,
            "purposes": [*document["purposes"], video],
            "material_purposes": ["video"],
            "material_reason": reason,
        },
    )
    until(lambda: "Videos are new" in httpx.get(f"{lab.url}/c/{key}.js").text, 5, "the new bundle")
    forget_files(page)
    show(lab, page, key, lang="en")
    said = panel(page).inner_text()
    assert "Videos are new." in said
    assert "Video · new" in said
    assert REASON["en"] not in said
    sent = decide(page, "accept")
    assert sent["purposes"] == {"analytics": False, "marketing": False, "video": True}
    assert (sent["action"], sent["asked"]) == ("save", ["video"])


def test_who_refused_what_only_collects_more_is_left_alone_beside_a_grant(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(both())
    page, traffic = visitor()
    show(lab, page, key)
    open_centre(page)
    page.locator('input[data-purpose="analytics"]').check()
    decide(page, "save")
    lab.publish(key, widened())
    until(lambda: "asked_again" in httpx.get(f"{lab.url}/c/{key}.js").text, 5, "the new bundle")
    forget_files(page)
    show(lab, page, key, waits=False)
    page.wait_for_function("window.consent && window.consent.decided()")
    expect(part(page, "open")).to_be_visible()
    expect(panel(page)).to_have_count(0)
    assert (granted(page, "analytics"), granted(page, "marketing")) == (True, False)
    shared = both(data=widened()["purposes"][1]["data"])
    heir = {"id": "ad", "name": "Régie", "role": "controller", "address": "2 rue du Port, 59000 Lille", "country": "FR"}
    shared["recipients"] = [*shared.get("recipients", []), heir]
    shared["purposes"][1]["recipients"] = [*shared["purposes"][1].get("recipients", []), "ad"]
    lab.publish(key, {**shared, "material_purposes": ["marketing"], "material_reason": REASON})
    until(lambda: "R\u00e9gie" in httpx.get(f"{lab.url}/c/{key}.js").text, 5, "the new bundle")
    forget_files(page)
    show(lab, page, key)
    assert "Régie" in panel(page).inner_text()
    assert decide(page, "refuse")["asked"] == ["marketing"]
    assert len(traffic.of("/v1/withdrawals")) == 0


def test_a_frame_that_waits_for_what_was_outgrown_opens_the_banner(outgrown: Any, lab: Lab) -> None:
    page, traffic, key = outgrown
    traffic.requests.clear()
    frame = (
        '<main><iframe data-consent="marketing" data-src="/w/none" width="400" height="200" title="V"></iframe></main>'
    )
    show(lab, page, key, frame)
    expect(page.locator("consent-frame")).to_be_visible()
    open_centre(page)
    # The centre covers the page for a pointer; the keyboard and assistive tools press so.
    page.evaluate("document.querySelector('consent-frame').shadowRoot.querySelector('button').click()")
    expect(part(page, "save")).to_have_count(0)
    assert REASON["fr"] in panel(page).inner_text()
    assert not traffic.of("/v1/decisions")
    assert decide(page, "accept")["asked"] == ["marketing"]
    expect(page.locator("iframe")).to_have_attribute("src", "/w/none")


def test_the_pinned_script_fetches_what_asks_again_with_its_integrity(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(both())
    page, traffic = visitor()
    integrity = _integrity(lab)
    tag = lab.tag(key, is_pinned=True, attributes=f'integrity="{integrity}" crossorigin')
    url = lab.page("/pinned-again", tag)
    page.goto(url)
    close(page, "accept")
    assert not traffic.of("extra")
    lab.publish(key, widened())
    until(lambda: _config(lab, key)["asked_again"], 5, "the new config")
    forget_files(page)
    page.goto(url)
    expect(part(page, "accept")).to_be_visible()
    assert "Données collectées. Avant" in panel(page).inner_text()
    assert page.evaluate("document.querySelector('script[src$=\"v1.extra.js\"]').integrity").startswith("sha384-")
    assert granted(page, "analytics")
    assert decide(page, "refuse")["asked"] == ["marketing"]


def _config(lab: Lab, key: str) -> Any:
    return httpx.get(f"{lab.url}/v1/sites/{key}/banner").json()


def _integrity(lab: Lab) -> str:
    from base64 import b64encode
    from hashlib import sha384

    digest = sha384(httpx.get(f"{lab.url}/consent.v1.js").content).digest()
    return f"sha384-{b64encode(digest).decode()}"
