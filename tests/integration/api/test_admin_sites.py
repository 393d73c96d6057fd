"""An admin token administers its own site and its policies, and nothing of any other."""

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_service.core import Core
from consent_service.db.tables import audit, policy_version
from consent_service.db.tables import site as site_table
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import parse_settings
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES, EXAMPLES
from tests.integration.visitor import Visitor

Headers = dict[str, str]
SETTINGS = {"name": "The Other Paper", "domain": "other.example", "timezone": "Europe/Madrid"}


@pytest.fixture
def admin(api_token: Callable[..., str]) -> Headers:
    return {"Authorization": f"Bearer {api_token('admin')}"}


@pytest.fixture
def other(core: Core, now: Clock) -> Site:
    settings = parse_settings('name = "Other"\ndomain = "other.example"', format="toml")
    return core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))


def policy(**changes: Any) -> dict[str, Any]:
    return {**tomllib.loads((EXAMPLES / "policy.toml").read_text()), **changes}


def rows(core: Core, table: Any) -> list[Any]:
    with core.engine.connect() as connection:
        return list(connection.execute(select(table)))


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_site_is_shown_changed_paused_and_resumed(
    client: FlaskClient, admin: Headers, site: Site, visitor: Visitor, core: Core
) -> None:
    listed = client.get("/api/v1/sites", headers=admin).get_json()["sites"]
    assert [item["key"] for item in listed] == [site.key]
    assert listed[0]["policy_version"] == 1
    shown = client.get(f"/api/v1/sites/{site.key}", headers=admin).get_json()
    assert shown["settings"] == site.settings.document()
    assert f"/c/{site.key}.js" in shown["snippet"]

    changed = {**shown["settings"], "name": "Un autre nom"}
    response = client.put(f"/api/v1/sites/{site.key}", json=changed, headers=admin)
    assert response.status_code == 200
    assert client.get(f"/api/v1/sites/{site.key}", headers=admin).get_json()["name"] == "Un autre nom"

    visitor.accept()
    assert client.post(f"/api/v1/sites/{site.key}/pause", headers=admin).get_json()["paused"] is True
    refused = visitor.pageview()
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "site_paused")
    assert client.post(f"/api/v1/sites/{site.key}/resume", headers=admin).get_json()["paused"] is False
    assert visitor.pageview().status_code == 202

    actions = [(row.action, row.actor.split(":")[0]) for row in rows(core, audit) if row.actor != "test"]
    assert actions == [("site.set", "token"), ("site.pause", "token"), ("site.resume", "token")]


def test_a_wrong_site_document_is_refused_with_every_problem_and_changes_nothing(
    client: FlaskClient, admin: Headers, site: Site, core: Core
) -> None:
    wrong = {**SETTINGS, "timezone": "Mars/Olympus", "banner": {"colour": "red"}, "origins": ["http://x.example"]}
    response = client.put(f"/api/v1/sites/{site.key}", json=wrong, headers=admin)
    assert response.status_code == 422
    error = response.get_json()["error"]
    assert error["code"] == "invalid"
    pointers = {problem["pointer"] for problem in error["problems"]}
    assert pointers == {"/timezone", "/banner/colour", "/origins/0"}
    assert [row.settings["name"] for row in rows(core, site_table)] == [site.settings.name]


def test_a_new_site_comes_with_a_token_that_reaches_it_and_the_old_token_does_not(
    client: FlaskClient, admin: Headers, site: Site
) -> None:
    response = client.post("/api/v1/sites", json=SETTINGS, headers=admin)
    assert response.status_code == 201
    made = response.get_json()
    assert made["origins"] == ["https://other.example", "https://www.other.example"]
    assert made["policy_version"] is None
    assert client.get(f"/api/v1/sites/{made['key']}", headers=admin).status_code == 403

    own = {"Authorization": f"Bearer {made['token']['token']}"}
    published = client.post(f"/api/v1/sites/{made['key']}/policies", json=policy(), headers=own)
    assert published.status_code == 201
    assert client.get(f"/v1/sites/{made['key']}/banner").status_code == 200
    assert client.get(f"/api/v1/sites/{site.key}", headers=own).status_code == 403


def test_nothing_of_another_site_is_reached(client: FlaskClient, admin: Headers, other: Site, core: Core) -> None:
    before = rows(core, audit), rows(core, site_table)
    key = other.key
    calls = [
        client.get(f"/api/v1/sites/{key}", headers=admin),
        client.put(f"/api/v1/sites/{key}", json=SETTINGS, headers=admin),
        client.put(f"/api/v1/sites/{key}", data=b"{", headers=admin, content_type="application/json"),
        client.post(f"/api/v1/sites/{key}/pause", headers=admin),
        client.post(f"/api/v1/sites/{key}/resume", headers=admin),
        client.get(f"/api/v1/sites/{key}/policies", headers=admin),
        client.post(f"/api/v1/sites/{key}/policies", json=policy(), headers=admin),
        client.get(f"/api/v1/sites/{key}/policies/1", headers=admin),
        client.get(f"/api/v1/sites/{key}/policies/1/diff/1", headers=admin),
        client.get(f"/api/v1/audit?site={key}", headers=admin),
    ]
    assert [(call.status_code, call.get_json()["error"]["code"]) for call in calls] == [(403, "forbidden")] * 10
    assert client.get("/api/v1/sites/nosuchsite12", headers=admin).status_code == 404
    assert (rows(core, audit), rows(core, site_table)) == before


def test_every_call_needs_a_token_with_the_scope(
    client: FlaskClient, site: Site, api_token: Callable[..., str]
) -> None:
    weak = {"Authorization": f"Bearer {api_token('stats:read', 'consent:read', 'events:export')}"}
    calls = [
        ("GET", "/sites"),
        ("POST", "/sites"),
        ("GET", f"/sites/{site.key}"),
        ("PUT", f"/sites/{site.key}"),
        ("POST", f"/sites/{site.key}/pause"),
        ("POST", f"/sites/{site.key}/resume"),
        ("GET", f"/sites/{site.key}/policies"),
        ("POST", f"/sites/{site.key}/policies"),
        ("GET", f"/sites/{site.key}/policies/1"),
        ("GET", f"/sites/{site.key}/policies/1/diff/1"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("DELETE", "/tokens/x"),
        ("GET", "/users"),
        ("POST", "/users"),
        ("POST", "/users/a@b.example/reset"),
        ("GET", "/audit"),
    ]
    for method, path in calls:
        bare = client.open(f"/api/v1{path}", method=method)
        assert (bare.status_code, bare.get_json()["error"]["code"]) == (401, "unauthenticated"), path
        held = client.open(f"/api/v1{path}", method=method, headers=weak)
        assert (held.status_code, held.get_json()["error"]["code"]) == (403, "forbidden"), path


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_policies_are_published_listed_shown_and_compared(
    client: FlaskClient, admin: Headers, site: Site, visitor: Visitor
) -> None:
    response = client.post(f"/api/v1/sites/{site.key}/policies", json=policy(valid_days=90), headers=admin)
    assert response.status_code == 201
    made = response.get_json()
    assert (made["version"], made["asks_again"]) == (2, False)
    assert set(made["banners"]) == {"fr", "en", "es"}
    assert visitor.banner("fr")["banner_hash"] == made["banners"]["fr"]
    assert response.headers["Location"].endswith(f"/api/v1/sites/{site.key}/policies/2")

    listed = client.get(f"/api/v1/sites/{site.key}/policies", headers=admin).get_json()["policies"]
    assert [item["version"] for item in listed] == [2, 1]
    shown = client.get(f"/api/v1/sites/{site.key}/policies/2", headers=admin).get_json()
    assert shown["policy"]["valid_days"] == 90
    compared = client.get(f"/api/v1/sites/{site.key}/policies/1/diff/2", headers=admin).get_json()
    assert compared["changes"] == [{"path": "valid_days", "kind": "changed", "before": 180, "after": 90}]
    for missing in ("3", "0", "99999999999999999999", "1/diff/9"):
        assert client.get(f"/api/v1/sites/{site.key}/policies/{missing}", headers=admin).status_code == 404


def test_a_wrong_policy_is_refused_with_every_problem_and_its_pointer(
    client: FlaskClient, admin: Headers, site: Site, core: Core
) -> None:
    wrong = policy(valid_days=9999, surprise=True)
    del wrong["purposes"][0]["title"]["es"]
    response = client.post(f"/api/v1/sites/{site.key}/policies", json=wrong, headers=admin)
    assert response.status_code == 422
    pointers = {problem["pointer"] for problem in response.get_json()["error"]["problems"]}
    assert {"/valid_days", "/surprise"} <= pointers
    assert any(pointer.startswith("/purposes/0/title") for pointer in pointers)
    assert len(rows(core, policy_version)) == 1


def test_the_same_policy_again_is_refused(client: FlaskClient, admin: Headers, site: Site) -> None:
    response = client.post(f"/api/v1/sites/{site.key}/policies", json=policy(), headers=admin)
    assert response.status_code == 422
    assert response.get_json()["error"]["problems"][0]["pointer"] == ""


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "malformed_json")),
        (b'{"name": "\\u0000"}', "application/json", (400, "malformed_json")),
        (b"[" * 60_000, "application/json", (400, "malformed_json")),
        (b"[]", "application/json", (422, "invalid")),
        (b"null", "application/json", (422, "invalid")),
        (b'{"name": "a", "name": "b"}', "application/json", (400, "malformed_json")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
        (b"{}", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b'"' + b"a" * 300_000 + b'"', "application/json", (413, "too_large")),
    ],
)
def test_a_body_that_is_no_document_is_refused_and_stores_nothing(
    client: FlaskClient,
    admin: Headers,
    site: Site,
    core: Core,
    body: bytes,
    content_type: str,
    expected: tuple[int, str],
) -> None:
    before = len(rows(core, audit))
    for method, path in (("POST", "/sites"), ("PUT", f"/sites/{site.key}"), ("POST", f"/sites/{site.key}/policies")):
        response = client.open(f"/api/v1{path}", method=method, data=body, headers=admin, content_type=content_type)
        assert (response.status_code, response.get_json()["error"]["code"]) == expected
    assert len(rows(core, audit)) == before
