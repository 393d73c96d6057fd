"""A site with two purposes: each can be granted alone, on the second layer as easily as on the first."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Traffic, until

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
Visitor = Callable[..., tuple[Page, Traffic]]


@pytest.fixture(scope="module")
def key(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Add a site of two purposes whose pages are on the demo's origin."""
    directory = tmp_path_factory.mktemp("two")
    policy = tomllib.loads((EXAMPLES / "policy.toml").read_text())
    second = {**policy["purposes"][0], "id": "marketing", "measures": False}
    second["title"] = dict.fromkeys(policy["languages"], "Marketing")
    policy["purposes"].append(second)
    (directory / "policy.json").write_text(json.dumps(policy))
    settings = {"name": "Two", "domain": "127.0.0.1", "origins": [demo.url], "timezone": "Europe/Paris"}
    (directory / "site.json").write_text(json.dumps(settings))
    added: str = demo.run("site", "add", "two.example")["key"]
    demo.run("site", "set", added, str(directory / "site.json"))
    demo.run("policy", "publish", added, str(directory / "policy.json"))
    return added


def opened(demo: Demo, visitor: Visitor, key: str) -> tuple[Page, Traffic]:
    """Open a page of the site, with the pinned script and a tag that waits for its purpose."""
    page, traffic = visitor()
    html = f"""<!doctype html><html lang="fr"><title>Two</title><body><main><h1>Two</h1></main>
        <script type="text/plain" data-consent="marketing">window.marketed = true</script>
        <script defer src="{demo.url}/consent.v1.js" data-site="{key}"></script></body></html>"""
    page.context.route(
        f"{demo.url}/two", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
    )
    page.goto(f"{demo.url}/two")
    expect(page.locator('[data-action="customize"]')).to_be_visible()
    return page, traffic


def save(page: Page) -> dict[str, Any]:
    """Save the choices and give the decision that was sent."""
    with page.expect_request("**/v1/decisions") as sent, page.expect_response("**/v1/decisions") as answered:
        page.locator('[data-action="save"]').click()
    assert answered.value.status == 201
    document: dict[str, Any] = json.loads(sent.value.post_data or "")
    return document


def test_nothing_is_ticked_and_one_purpose_can_be_granted_alone(demo: Demo, visitor: Visitor, key: str) -> None:
    page, _ = opened(demo, visitor, key)
    page.locator('[data-action="customize"]').click()
    boxes = page.locator("input[data-purpose]")
    expect(boxes).to_have_count(2)
    assert [boxes.nth(place).is_checked() for place in range(2)] == [False, False]
    page.locator('input[data-purpose="analytics"]').check()
    sent = save(page)
    assert (sent["action"], sent["purposes"]) == ("save", {"analytics": True, "marketing": False})
    until(lambda: page.evaluate("window.consent.granted('analytics')"), 5, "the grant")
    assert page.evaluate("window.consent.granted('marketing')") is False
    assert page.evaluate("window.marketed") is None


def test_a_tag_that_waits_runs_once_its_purpose_is_granted(demo: Demo, visitor: Visitor, key: str) -> None:
    page, traffic = opened(demo, visitor, key)
    page.locator('[data-action="customize"]').click()
    page.locator('input[data-purpose="marketing"]').check()
    save(page)
    until(lambda: page.evaluate("window.marketed"), 5, "the waiting tag")
    page.wait_for_load_state("networkidle")
    assert not traffic.of("/v1/events")


def test_the_words_of_both_layers_are_those_the_service_knows(demo: Demo, visitor: Visitor, key: str) -> None:
    token = demo.run("token", "create", "--site", key, "--scope", "consent:read")["token"]

    def newest_marks() -> list[str]:
        answer = httpx.get(
            f"{demo.url}/api/v1/decisions", params={"site": key}, headers={"Authorization": f"Bearer {token}"}
        )
        marks: list[str] = answer.json()["decisions"][-1]["marks"]
        return marks

    page, _ = opened(demo, visitor, key)
    with page.expect_response("**/v1/decisions"):
        page.locator('[data-action="accept"]').click()
    assert newest_marks() == []
    page, _ = opened(demo, visitor, key)
    page.locator('[data-action="customize"]').click()
    page.locator("input[data-purpose]").first.check()
    save(page)
    assert newest_marks() == []
    page, _ = opened(demo, visitor, key)
    page.evaluate("document.querySelector('consent-banner').shadowRoot.querySelector('h2').textContent = 'Autre'")
    with page.expect_response("**/v1/decisions"):
        page.locator('[data-action="accept"]').click()
    assert newest_marks() == ["other_words"]
