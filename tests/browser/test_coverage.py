"""Whether a banner was shown is told only where the site counts it, and then nothing of who saw it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Traffic, sent_json, until
from tests.browser.lab import Lab, policy_document
from tests.browser.stage import close, panel, part, show

Visitor = Callable[..., tuple[Page, Traffic]]


def test_without_it_nothing_is_sent_before_a_choice(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr"))
    page, traffic = visitor()
    show(lab, page, key)
    part(page, "refuse").focus()
    page.keyboard.press("Escape")
    page.wait_for_load_state("networkidle")
    own = [request.url for request in traffic.of(lab.url)]
    assert own == [f"{lab.url}/c/{key}.js"]
    assert not [request for request in traffic.requests if request.method != "GET"]


@pytest.mark.parametrize("is_pinned", [False, True])
def test_with_it_one_count_is_sent_that_names_nobody(lab: Lab, visitor: Visitor, is_pinned: bool) -> None:
    key = lab.site(policy_document("fr"), coverage_counts=True)
    page, traffic = visitor()
    page.goto(lab.page(f"/counted-{is_pinned}", lab.tag(key, is_pinned=is_pinned)))
    expect(part(page, "accept")).to_be_visible()
    [count] = until(lambda: traffic.of("/v1/shown"), 5, "the count", page)
    digest = httpx.get(f"{lab.url}/v1/sites/{key}/banner").json()["banner_hash"]
    assert sent_json(count) == {"site": key, "language": "fr", "banner_hash": digest if is_pinned else digest[:16]}
    headers = count.all_headers()
    assert {"cookie", "referer"}.isdisjoint(headers)
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    close(page, "refuse")
    token = lab.program.json("token", "create", "--site", key, "--scope", "consent:read")["token"]
    answer = httpx.get(f"{lab.url}/api/v1/consent?site={key}", headers={"Authorization": f"Bearer {token}"})
    totals = answer.json()["totals"]
    assert (totals["shown"], totals["refused"], totals["ignored"]) == (1, 1, 0)
    # Who has chosen is shown no banner, and reopening it is no showing.
    page.reload()
    page.wait_for_function("window.consent && window.consent.decided()")
    part(page, "open").click()
    expect(panel(page)).to_have_count(1)
    page.wait_for_load_state("networkidle")
    assert len(traffic.of("/v1/shown")) == 1
