"""The consent report by something other than the day: nobody is counted twice, and no refusal is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.secrets import write_secrets
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import republish
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TokenMaker = Callable[..., str]
COUNTS = ("accepted", "refused", "customised", "withdrawn", "expired")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings that believe this machine what country a visitor is in."""
    write_secrets(data_dir, now())
    environ = {"CONSENT_SERVICE_DATABASE_URL": database, "CONSENT_SERVICE_RATE_LIMITS": "off"}
    return replace(load_config(environ, data_dir=data_dir), trusted_proxies=(ip_network("127.0.0.0/8"),))


def of(visitor: Visitor, country: str, **headers: str) -> Visitor:
    other = visitor.another()
    other.headers |= {"CF-IPCountry": country, **headers}
    return other


def read(client: FlaskClient, site: Site, token: str, by: str, span: str = "from=2026-03-10&to=2026-03-10") -> Any:
    answer = client.get(f"/api/v1/consent?site={site.key}&{span}&by={by}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def cells(report: Any, by: str) -> dict[Any, dict[str, int]]:
    """Give the counts that are not nought, by value."""
    return {row[by]: {kind: row[kind] for kind in COUNTS if row[kind]} for row in report["results"]}


@pytest.fixture
def told(visitor: Visitor, now: Clock) -> None:
    """Let five visitors decide on one day of the site, and one on the next."""
    of(visitor, "FR").accept()
    of(visitor, "FR").refuse()
    of(visitor, "PT", **{"User-Agent": PHONE}).refuse(language="en")
    of(visitor, "XX").refuse(language="es")
    leaver = of(visitor, "FR")
    leaver.accept()
    leaver.withdraw()
    # Half past midnight in Paris, still the tenth in UTC.
    now.set(datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
    of(visitor, "DE").refuse()


@pytest.mark.usefixtures("told")
def test_refusals_are_counted_by_what_their_record_does_not_say(
    client: FlaskClient, site: Site, api_token: TokenMaker
) -> None:
    token = api_token("consent:read")
    assert cells(read(client, site, token, "country"), "country") == {
        "FR": {"accepted": 2, "refused": 1},
        "PT": {"refused": 1},
        None: {"refused": 1, "withdrawn": 1},
    }
    assert cells(read(client, site, token, "device"), "device") == {
        "Desktop": {"accepted": 2, "refused": 2},
        "Mobile": {"refused": 1},
        None: {"withdrawn": 1},
    }
    (next_day,) = read(client, site, token, "country", "from=2026-03-11&to=2026-03-11")["results"]
    assert (next_day["country"], next_day["refused"], next_day["refused_rate"]) == ("DE", 1, 100.0)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("by", ["language", "country", "device", "policy_version", "banner"])
def test_whatever_it_counts_by_the_sum_is_that_of_the_days(
    client: FlaskClient, site: Site, api_token: TokenMaker, by: str
) -> None:
    token, span = api_token("consent:read"), "from=2026-03-01&to=2026-03-31"
    assert read(client, site, token, by, span)["totals"] == read(client, site, token, "day", span)["totals"]


@pytest.mark.usefixtures("told")
def test_languages_versions_and_banners_are_those_of_the_decision(
    visitor: Visitor, client: FlaskClient, core: Core, site: Site, api_token: TokenMaker, now: Clock, refresh: Any
) -> None:
    token = api_token("consent:read")
    found = cells(read(client, site, token, "language"), "language")
    assert found == {"fr": {"accepted": 2, "refused": 1, "withdrawn": 1}, "en": {"refused": 1}, "es": {"refused": 1}}
    shown = {language: visitor.banner(language)["banner_hash"] for language in ("fr", "en", "es")}
    banners = cells(read(client, site, token, "banner"), "banner")
    assert banners == {shown[language]: counts for language, counts in found.items()}
    republish(core, site, now, valid_days=100)
    refresh()
    visitor.accept()
    span = "from=2026-03-10&to=2026-03-11"
    versions = cells(read(client, site, token, "policy_version", span), "policy_version")
    assert (versions[2], versions[1]["refused"]) == ({"accepted": 1}, 4)


@pytest.mark.usefixtures("told")
def test_what_expired_is_counted_by_what_it_was_granted_with(
    client: FlaskClient, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    now.move(days=181)
    token = api_token("consent:read")
    assert cells(read(client, site, token, "country", "from=2026-09-06&to=2026-09-06"), "country") == {
        "FR": {"expired": 1}
    }


def test_what_it_cannot_count_by_is_refused(client: FlaskClient, site: Site, api_token: TokenMaker) -> None:
    path = f"/api/v1/consent?site={site.key}&by="
    headers = {"Authorization": f"Bearer {api_token('consent:read')}"}
    for by in ("", "city", "Day", "\u00e9"):
        assert client.get(path + by, headers=headers).get_json()["error"]["problems"][0]["pointer"] == "/by"
    public = {"Authorization": f"Bearer {api_token('consent:read', is_public=True)}"}
    assert client.get(f"{path}country", headers=public).get_json()["error"]["code"] == "forbidden"
    assert client.get(f"{path}day", headers=public).status_code == 200
