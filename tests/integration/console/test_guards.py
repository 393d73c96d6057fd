"""What keeps strangers, other sites and other people's roles out of the console."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.console.browsing import ORIGIN, PASSWORD, PersonMaker, form_token
from tests.integration.keeping import KeeperInHand

XSS = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
PAGES = ("", "/policy", "/decisions")


@pytest.fixture
def other_site(core: Core, site: Site, now: Clock, refresh: Callable[[], None]) -> Site:
    """Give a second site, whose name tries to be markup."""
    settings = SiteSettings(name=XSS, domain="other.example")
    added = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))
    refresh()
    return added


@pytest.mark.parametrize("path", ["/console/", "/console/sites/{key}", "/console/sites/{key}/decisions"])
def test_without_a_login_every_page_leads_to_the_form(app: Flask, site: Site, path: str) -> None:
    response = app.test_client().get(path.format(key=site.key))
    assert (response.status_code, response.location) == (303, "/console/login")


@pytest.mark.parametrize("value", ["", "x", "a" * 4000, "ünï", "' OR 1=1 --"])
def test_a_made_up_cookie_is_no_login(app: Flask, value: str) -> None:
    client = app.test_client()
    client.set_cookie("consent-console", value)
    assert client.get("/console/").location == "/console/login"


def test_every_page_forbids_what_it_does_not_need(somebody: PersonMaker, site: Site, keeper: KeeperInHand) -> None:
    person = somebody()
    for path in ("/console/login", f"/console/sites/{site.key}", "/console/nothing", "/console/login/x"):
        headers = person.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("with_token", "headers"),
    [
        (False, {"Origin": ORIGIN}),
        (True, {"Origin": "https://evil.example"}),
        (True, {"Origin": "null"}),
        (True, {"Sec-Fetch-Site": "cross-site"}),
        (True, {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_a_form_without_token_or_from_another_site_changes_nothing(
    somebody: PersonMaker, with_token: bool, headers: dict[str, str]
) -> None:
    person = somebody()
    data = {"form_token": form_token(person.get("/console/nothing"))} if with_token else {}
    assert person.client.post("/console/logout", data=data, headers=headers).status_code == 403
    assert person.get("/console/").location != "/console/login"
    token = form_token(somebody(email="b@example.org", is_in=False).get("/console/login"))
    sent = {"email": person.user.email, "password": PASSWORD, "form_token": token if with_token else ""}
    assert person.client.post("/console/login", data=sent, headers=headers).status_code == 403


def test_the_token_of_one_browser_is_worth_nothing_in_another(somebody: PersonMaker) -> None:
    one, other = somebody(), somebody(Role.VIEWER)
    token = form_token(other.get("/console/nothing"))
    response = one.client.post("/console/logout", data={"form_token": token}, headers={"Origin": ORIGIN})
    assert response.status_code == 403


@pytest.mark.parametrize("role", [Role.PRIVACY_OFFICER, Role.ANALYST, Role.VIEWER])
def test_other_peoples_sites_are_as_unknown_as_none(
    somebody: PersonMaker, other_site: Site, keeper: KeeperInHand, role: Role
) -> None:
    person = somebody(role)
    for page in PAGES if role is Role.PRIVACY_OFFICER else ("",):
        theirs = person.get(f"/console/sites/{other_site.key}{page}")
        missing = person.get(f"/console/sites/zzzzzzzzzzzz{page}")
        assert theirs.status_code == missing.status_code == 404
        assert theirs.text == missing.text
    assert "other.example" not in person.get("/console/nothing").text


def test_who_has_no_listed_site_sees_every_site(somebody: PersonMaker, site: Site, other_site: Site) -> None:
    page = somebody(Role.ANALYST, sites=[]).get("/console/")
    assert page.status_code == 200
    assert site.key in page.text
    assert other_site.key in page.text


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_policies_and_decisions_are_for_privacy_officers(somebody: PersonMaker, site: Site, role: Role) -> None:
    person = somebody(role)
    for page in ("/policy", "/decisions"):
        assert person.get(f"/console/sites/{site.key}{page}").status_code == 403


def test_a_sites_name_is_never_markup(somebody: PersonMaker, other_site: Site, keeper: KeeperInHand) -> None:
    person = somebody()
    for path in ("/console/", *(f"/console/sites/{other_site.key}{page}" for page in PAGES)):
        page = person.get(path)
        assert page.status_code == 200
        assert "alert(1)" in page.text
        assert "<img" not in page.text.replace('<img src="/console/static/icon.svg', "")
        assert "<script>" not in page.text


def test_what_is_typed_is_never_markup(somebody: PersonMaker, site: Site, keeper: KeeperInHand) -> None:
    person = somebody(is_in=False)
    assert "<img src=x" not in person.log_in(email=XSS).text
    person.log_in()
    page = person.client.get(f"/console/sites/{site.key}", query_string={"from": XSS, "to": XSS, "period": XSS})
    assert page.status_code == 422
    assert "alert(1)" not in page.text


def test_a_page_that_is_not_there_is_a_404_in_words(somebody: PersonMaker) -> None:
    for path in ("/console/nothing", "/console/sites", "/console/sites/x/y/z", "/console/static/../pages.py"):
        page = somebody(email=f"{abs(hash(path))}@example.org").get(path)
        assert page.status_code == 404
        assert "<h1>" in page.text


def test_assets_are_kept_for_ever_under_the_address_that_names_their_content(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/console/login").text
    address = re.search(r'href="(/console/static/console\.css\?v=[0-9a-f]+)"', page)
    assert address is not None
    style = client.get(address.group(1))
    assert (style.status_code, style.mimetype) == (200, "text/css")
    assert "immutable" in style.headers["Cache-Control"]
    assert "Set-Cookie" not in style.headers
    again = client.get(address.group(1), headers={"If-None-Match": style.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/console/static/console.css?v=old").headers["Cache-Control"] == "no-cache"
