"""Banners shown are counted only where a site wants it: so many a day, of nobody; what is not counted is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_service.core import Core
from consent_service.db.tables import coverage_count
from consent_service.sites.changes import change_site
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import rows
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TokenMaker = Callable[..., str]
Refresh = Callable[[], None]


@pytest.fixture
def counting(core: Core, site: Site, now: Clock, refresh: Refresh) -> None:
    """Let the site count."""
    settings = site.settings.model_copy(update={"coverage_counts": True})
    core.writer.run(
        lambda connection: change_site(connection, site.key, settings, actor="t", now=now(), action="site.set")
    )
    refresh()


def shown(visitor: Visitor, language: str = "fr", /, **members: Any) -> Any:
    digest = visitor.banner(language)["banner_hash"]
    return visitor.post("/v1/shown", {"site": visitor.site_key, "language": language, "banner_hash": digest, **members})


def report(client: FlaskClient, site: Site, token: str, by: str) -> Any:
    path = f"/api/v1/consent?site={site.key}&from=2026-03-09&to=2026-03-11&by={by}"
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).get_json()


def test_a_site_that_does_not_count_refuses_and_keeps_nothing(
    visitor: Visitor, client: FlaskClient, core: Core, site: Site, api_token: TokenMaker
) -> None:
    assert "coverage" not in visitor.banner()
    assert shown(visitor).get_json()["error"]["code"] == "forbidden"
    assert rows(core, coverage_count) == []
    visitor.accept()
    totals = report(client, site, api_token("consent:read"), "day")["totals"]
    assert (totals["shown"], totals["ignored"], totals["accepted"]) == (None, None, 1)


@pytest.mark.usefixtures("counting")
def test_what_is_kept_is_a_sum_of_the_day(visitor: Visitor, core: Core, site: Site) -> None:
    assert visitor.banner()["coverage"] is True
    answers = [shown(visitor), shown(visitor.another()), shown(visitor, "en")]
    assert [(each.status_code, each.data, "Set-Cookie" in each.headers) for each in answers] == [(204, b"", False)] * 3
    kept = {(row["language"], row["n"]) for row in rows(core, coverage_count)}
    assert kept == {("fr", 2), ("en", 1)}
    assert set(rows(core, coverage_count)[0]) == {"site_id", "day", "language", "notice_hash", "n"}


@pytest.mark.usefixtures("counting")
def test_shown_and_ignored_are_known_on_the_days_that_were_counted(
    visitor: Visitor, client: FlaskClient, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    token = api_token("consent:read")
    for _ in range(3):
        shown(visitor)
    shown(visitor, "en")
    visitor.another().refuse()
    now.move(days=1)
    visitor.another().accept()
    before, first, second = report(client, site, token, "day")["results"]
    assert (before["shown"], before["ignored"]) == (None, None)
    assert (first["shown"], first["refused"], first["ignored"]) == (4, 1, 3)
    assert (second["shown"], second["accepted"], second["ignored"]) == (None, 1, None)
    totals = report(client, site, token, "day")["totals"]
    assert (totals["shown"], totals["ignored"]) == (4, 3)
    for by in ("language", "banner", "policy_version"):
        assert report(client, site, token, by)["totals"]["shown"] == 4
    languages = {
        row["language"]: (row["shown"], row["ignored"]) for row in report(client, site, token, "language")["results"]
    }
    assert languages == {"fr": (3, 1), "en": (1, 1)}
    for by in ("country", "device"):
        assert report(client, site, token, by)["totals"]["shown"] is None
    public = report(client, site, api_token("consent:read", is_public=True), "day")
    assert public["totals"]["shown"] is None


@pytest.mark.usefixtures("counting")
def test_where_decisions_came_before_the_counting_ignored_is_not_known(
    visitor: Visitor, client: FlaskClient, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    visitor.accept()
    now.move(days=1)
    shown(visitor)
    [french] = report(client, site, api_token("consent:read"), "language")["results"]
    assert (french["shown"], french["ignored"]) == (1, None)


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"banner_hash": "0" * 64}, "invalid"),
        ({"banner_hash": "x"}, "invalid"),
        ({"language": "es"}, "invalid"),
        ({"site": "unknown"}, "not_found"),
    ],
)
def test_what_is_no_banner_of_the_site_is_not_counted(
    visitor: Visitor, core: Core, members: dict[str, Any], code: str
) -> None:
    assert shown(visitor, **members).get_json()["error"]["code"] == code
    visitor.origin = "https://elsewhere.example"
    assert shown(visitor).get_json()["error"]["code"] == "wrong_origin"
    assert rows(core, coverage_count) == []
