"""Evidence: what a grant says of the click that made it, and what a refusal never says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Traffic, sent_json, until
from tests.browser.lab import Lab, policy_document

Visitor = Callable[..., tuple[Page, Traffic]]


@pytest.fixture(scope="module")
def one(lab: Lab) -> str:
    """Add a site of one purpose."""
    return lab.site(policy_document("fr"))


def test_evidence_goes_with_grants_alone(lab: Lab, visitor: Visitor, one: str) -> None:
    url = lab.page("/evidence", lab.tag(one))
    page, traffic = visitor()
    page.goto(url)
    words = page.evaluate(
        "[...document.querySelector('consent-banner').shadowRoot.querySelectorAll('h2,p,button')].map(e => e.textContent).join('\\n')"
    )
    page.locator('[data-action="accept"]').click()
    page.wait_for_function("window.consent.granted('analytics')")
    sent = sent_json(traffic.of("/v1/decisions")[0])
    assert sent["evidence"] == {"refuse_visible": True, "area_ratio": 1, "trusted": True}
    assert sent["rendered_hash"] == hashlib.sha256(words.encode()).hexdigest()
    other, heard = visitor()
    other.goto(url)
    other.locator('[data-action="refuse"]').click()
    until(lambda: heard.of("/v1/decisions"), 5, "the refusal", other)
    refused: dict[str, Any] = json.loads(heard.of("/v1/decisions")[0].post_data or "")
    assert not {"evidence", "rendered_hash", "previous"} & set(refused)


def test_a_click_that_no_person_made_is_asked_to_be_confirmed_and_a_refusal_is_taken(
    lab: Lab, visitor: Visitor, one: str
) -> None:
    url = lab.page("/robot", lab.tag(one))
    click = (
        "(name) => document.querySelector('consent-banner').shadowRoot.querySelector(`[data-action=${name}]`).click()"
    )
    page, traffic = visitor()
    page.goto(url)
    page.evaluate(click, "accept")
    expect(page.locator("consent-banner .note")).to_have_text(
        "Veuillez confirmer votre choix en appuyant encore une fois sur le bouton."
    )
    assert not traffic.of("/v1/decisions")
    page.evaluate(click, "accept")
    page.wait_for_function("consent.granted('analytics')")
    assert sent_json(traffic.of("/v1/decisions")[0])["evidence"]["trusted"] is False
    other, heard = visitor()
    other.goto(url)
    other.evaluate(click, "refuse")
    until(lambda: heard.of("/v1/decisions"), 5, "the refusal", other)
    other.wait_for_function("consent.decided()")
