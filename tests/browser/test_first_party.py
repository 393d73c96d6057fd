"""A site whose nginx passes a path of its own on: choices outlive the script's storage, and subdomains share them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from tests.browser.conftest import until
from tests.browser.test_choice import choose
from tests.integration.cli.conftest import Deployment
from tests.integration.cli.program import Server
from tests.integration.fronts import HOST, ORIGIN, deploy, open_front
from tests.proxies import MEND, find_proxy

BLOG = f"https://blog.{HOST}"
Visit = Callable[[], BrowserContext]


@dataclass(frozen=True)
class Place:
    """Hold a site behind its nginx, and a browser for which its hosts are this nginx."""

    deployment: Deployment
    browser: Browser
    service: Server

    @property
    def key(self) -> str:
        """Give the site's key."""
        return self.deployment.site

    def receipts(self) -> set[str]:
        """Give the receipts under which events are stored."""
        token = self.deployment.program.json("token", "create", "--site", self.key, "--scope", "events:export")["token"]
        answer = httpx.get(
            f"{self.service.url}/api/v1/events",
            params={"site": self.key, "from": "2020-01-01", "format": "jsonl"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        answer.raise_for_status()
        return {line.partition('"receipt_id":"')[2][:32] for line in answer.text.splitlines()}


@pytest.fixture(scope="module", params=[(ORIGIN,), (ORIGIN, BLOG)], ids=["one host", "subdomains"])
def place(
    request: pytest.FixtureRequest, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Place]:
    """Run service, nginx and browser: for a site of one host, and for one that shares over its subdomains."""
    if find_proxy("nginx") is None:
        pytest.fail(f"nginx is not there: {MEND['nginx']}", pytrace=False)
    with tempfile.TemporaryDirectory(prefix="consent-") as name:
        deployment = deploy(Path(name) / "data", origins=request.param, RATE_LIMITS="off")
        service = Server(deployment.program)
        try:
            service.wait_for_line()
            tag = deployment.program.json("site", "show", deployment.site)["snippet"]
            page = (
                f'<!doctype html><html lang="fr"><head><title>Une</title>{tag}</head><body><h1>Une</h1></body></html>'
            )
            with open_front("nginx", service.port, page) as front:
                hosts = ", ".join(f"MAP {each}:443 127.0.0.1:{front.port}" for each in (HOST, f"*.{HOST}"))
                flags = [*browser_type_launch_args["args"], f"--host-resolver-rules={hosts}"]
                browser = browser_type.launch(**{**browser_type_launch_args, "args": flags})
                yield Place(deployment, browser, service)
                browser.close()
        finally:
            service.close()


@pytest.fixture
def visit(place: Place) -> Iterator[Visit]:
    """Give a function that opens a new browser profile."""
    contexts: list[BrowserContext] = []

    def make() -> BrowserContext:
        contexts.append(place.browser.new_context(locale="fr-FR", ignore_https_errors=True))
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


def cookies(page: Page) -> dict[str, Any]:
    """Give the cookies the browser holds, by name."""
    return {cookie["name"]: cookie for cookie in page.context.cookies()}


def forget(page: Page) -> None:
    """Do what Safari does after seven days without a visit: storage that scripts can write is gone."""
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.reload(wait_until="networkidle")


def is_asked(page: Page) -> bool:
    return page.locator('[data-action="refuse"]').count() > 0


def names(place: Place) -> set[str]:
    is_shared = len(place.deployment.program.json("site", "show", place.key)["settings"]["origins"]) > 1
    prefix = "__Secure-" if is_shared else "__Host-"
    return {f"{prefix}consent-{place.key}", f"consent-{place.key}-mirror"}


def test_a_grant_outlives_the_scripts_storage_and_is_withdrawn_by_the_cookie(place: Place, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(ORIGIN)
    receipt_id = choose(page, "accept")["receipt_id"]
    until(lambda: receipt_id in place.receipts(), 10, "the pageview's storing")
    held = cookies(page)
    assert set(held) == names(place)
    secret, mirror = (held[name] for name in sorted(held))
    assert (secret["httpOnly"], secret["secure"], secret["sameSite"]) == (True, True, "Lax")
    assert (mirror["httpOnly"], mirror["secure"]) == (False, True)
    # The token is where scripts cannot read it, and only there.
    assert secret["value"] not in page.evaluate("document.cookie + JSON.stringify(localStorage)")

    forget(page)
    assert not is_asked(page)
    assert page.evaluate("consent.granted('analytics') && consent.decided()")
    with page.expect_response("**/v1/events") as sent:
        page.reload()
    assert sent.value.status == 202

    forget(page)
    answer = page.evaluate("consent.withdraw()")
    assert answer["receipt_id"] == receipt_id
    assert cookies(page)[mirror["name"]]["value"].startswith("1..")
    page.reload(wait_until="networkidle")
    forget(page)
    assert not is_asked(page)
    assert not page.evaluate("consent.granted('analytics')")
    until(lambda: receipt_id not in place.receipts(), 60, "the erasure")


def test_a_refusal_outlives_the_scripts_storage_and_is_everybodys(place: Place, visit: Visit) -> None:
    held = []
    for _ in range(2):
        page = visit().new_page()
        page.goto(ORIGIN)
        assert choose(page, "refuse")["receipt_id"] is None
        forget(page)
        assert not is_asked(page)
        assert page.evaluate("consent.decided() && !consent.granted('analytics')")
        assert set(cookies(page)) == names(place)
        held.append({name: cookie["value"] for name, cookie in cookies(page).items()})
        assert page.evaluate("JSON.stringify(localStorage)").count("receipt") == 0
    assert held[0] == held[1]


def test_the_hosted_pages_act_under_the_path(place: Place, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(ORIGIN)
    receipt_id = choose(page, "accept")["receipt_id"]
    page.goto(f"{ORIGIN}/_consent/my/{place.key}?lang=en")
    assert receipt_id in page.inner_text("main")
    page.locator('[data-action="withdraw"]').click()
    expect(page).to_have_url(f"{ORIGIN}/_consent/my/{place.key}?lang=en")
    assert page.locator('[data-action="withdraw"]').count() == 0
    page.goto(f"{ORIGIN}/_consent/privacy/{place.key}?lang=en")
    page.locator("[data-consent-open]").first.click()
    expect(page.locator('consent-banner [data-action="accept"]')).to_be_visible()


def test_subdomains_share_the_choice_where_the_site_asks_for_it(place: Place, visit: Visit) -> None:
    is_shared = "__Secure-" in "".join(names(place))
    page = visit().new_page()
    page.goto(ORIGIN)
    receipt_id = choose(page, "accept")["receipt_id"]
    page.goto(BLOG)
    page.wait_for_load_state("networkidle")
    assert is_asked(page) is not is_shared
    if is_shared:
        assert page.evaluate("consent.granted('analytics')")
        assert page.evaluate("consent.withdraw()")["receipt_id"] == receipt_id
        page.goto(ORIGIN)
        forget(page)
        assert not page.evaluate("consent.granted('analytics')")
        assert not is_asked(page)
