"""What a proxy says of the visitor is believed of trusted proxies alone."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_service.config import Config, Rate, load_config
from consent_service.secrets import write_secrets
from consent_service.sites.registry import Site
from tests.integration.clock import Clock

PROXY, STRANGER = "10.0.0.7", "203.0.113.9"
FORWARDED = {"X-Forwarded-Host": "nouvelles.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/_consent"}


@pytest.fixture
def config(data_dir: Any, database: str, now: Clock) -> Config:
    """Give settings that trust one network, and let an address decide once an hour."""
    write_secrets(data_dir, now())
    made = load_config({"CONSENT_SERVICE_DATABASE_URL": database}, data_dir=data_dir)
    return replace(made, trusted_proxies=(ip_network("10.0.0.0/8"),), rate_limits={"decisions": Rate(1 / 3600, 1)})


def get(client: FlaskClient, path: str, peer: str, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=sent, environ_base={"REMOTE_ADDR": peer})


def links(html: str) -> set[str]:
    """Give every address on a page that leads to its own host."""
    return {found for found in re.findall(r'(?:href|src|action)="([^"]*)"', html) if found.startswith("/")}


def test_hosted_pages_lead_to_the_path_under_which_they_were_asked_for(client: FlaskClient, site: Site) -> None:
    for path in (f"/privacy/{site.key}", f"/banner/{site.key}", f"/my/{site.key}"):
        page = client.get(path, headers=FORWARDED, environ_base={"REMOTE_ADDR": PROXY})
        assert page.status_code == 200
        found = links(page.text)
        assert "/_consent/static/privacy.css" in found
        assert [link for link in found if not link.startswith("/_consent/")] == []
    policy = client.get(f"/privacy/{site.key}", headers=FORWARDED, environ_base={"REMOTE_ADDR": PROXY}).text
    assert f"/_consent/c/{site.key}.js" in links(policy)
    as_data = client.get(f"/privacy/{site.key}.json", headers=FORWARDED, environ_base={"REMOTE_ADDR": PROXY}).get_json()
    assert {each["url"] for each in as_data["languages"]} == {
        f"/_consent/privacy/{site.key}?lang={language}" for language in ("fr", "en", "es")
    }


def test_a_redirect_stays_under_the_path(client: FlaskClient, site: Site) -> None:
    answer = client.post(
        f"/my/{site.key}",
        data={"token": "none of ours"},
        headers={**FORWARDED, "Origin": site.origins[0]},
        environ_base={"REMOTE_ADDR": PROXY},
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/_consent/my/{site.key}?lang=")


def test_a_stranger_is_not_believed(client: FlaskClient, site: Site) -> None:
    page = client.get(f"/privacy/{site.key}", headers=FORWARDED, environ_base={"REMOTE_ADDR": STRANGER})
    assert "_consent" not in page.text
    # Not the site's host either: the tag that may decide is not there.
    assert "<script" not in page.text


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "_consent",
        "/a//b",
        "/a?b",
        '/"><script>',
        "/" + "a" * 65,
        "/a" * 9,
        "/",
        "",
    ],
)
def test_a_prefix_that_is_no_path_is_ignored_even_of_a_proxy(client: FlaskClient, site: Site, prefix: str) -> None:
    page = get(client, f"/privacy/{site.key}", PROXY, X_Forwarded_Prefix=prefix)
    assert page.status_code == 200
    assert {link.split("/")[1] for link in links(page.text)} == {"privacy", "static"}


def test_of_several_values_the_nearest_proxys_counts(client: FlaskClient, site: Site) -> None:
    page = get(client, f"/privacy/{site.key}", PROXY, X_Forwarded_Prefix="/evil, /_consent/")
    assert "/_consent/static/privacy.css" in links(page.text)
    assert "evil" not in page.text


@pytest.mark.parametrize("host", ["evil example", "a/b", "[::1", "nouvelles.example:99999999", "\u00e9.example"])
def test_a_host_that_is_none_is_ignored(client: FlaskClient, site: Site, host: str) -> None:
    page = get(client, f"/privacy/{site.key}", PROXY, Host="www.nouvelles.example", X_Forwarded_Host=host)
    assert page.status_code == 200
    assert f"/c/{site.key}.js" in links(page.text)


def decide(client: FlaskClient, site: Site, peer: str, forwarded: str | None) -> int:
    config = client.get(f"/v1/sites/{site.key}/banner").get_json()
    body = {"site": site.key, "action": "refuse_all", "purposes": {}, "policy_version": 0, "banner_hash": None}
    body["purposes"] = {purpose["id"]: False for purpose in config["purposes"]}
    headers = {"Origin": site.origins[0]} | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    answer = client.post("/v1/decisions", json=body, headers=headers, environ_base={"REMOTE_ADDR": peer})
    return answer.status_code


def test_the_address_that_is_bounded_is_the_visitors(client: FlaskClient, site: Site) -> None:
    assert decide(client, site, PROXY, "198.51.100.1") == 201
    assert decide(client, site, PROXY, "198.51.100.2, 10.9.9.9") == 201
    assert decide(client, site, PROXY, "198.51.100.1") == 429
    # What stands before the visitor's own address was sent by the visitor.
    assert decide(client, site, PROXY, "192.0.2.1, 198.51.100.1") == 429


def test_a_stranger_cannot_borrow_an_address(client: FlaskClient, site: Site) -> None:
    assert decide(client, site, STRANGER, "198.51.100.1") == 201
    assert decide(client, site, STRANGER, "198.51.100.2") == 429
