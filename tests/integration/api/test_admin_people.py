"""An admin token makes tokens, lets people in and reads the audit trail, for its own site alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, select

from consent_service.console.people import Role, add_user, reset_user
from consent_service.core import Core
from consent_service.db.audit import note
from consent_service.db.tables import api_token as token_table
from consent_service.db.tables import audit, user
from consent_service.sites.access import revoke_token
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import parse_settings
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES

Headers = dict[str, str]


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def admin(api_token: Callable[..., str]) -> Headers:
    return bearer(api_token("admin"))


@pytest.fixture
def other(core: Core, now: Clock) -> Site:
    settings = parse_settings('name = "Other"\ndomain = "other.example"', format="toml")
    return core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))


def rows(core: Core, table: Any) -> list[Any]:
    with core.engine.connect() as connection:
        return list(connection.execute(select(table)))


def add(core: Core, now: Clock, email: str, role: Role, *sites: Site) -> None:
    ids = [each.site_id for each in sites]
    core.writer.run(lambda connection: add_user(connection, email, role, ids, actor="test", now=now()))


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_token_is_made_used_listed_without_its_text_and_ended(
    client: FlaskClient, admin: Headers, site: Site, core: Core
) -> None:
    wish = {"scopes": ["consent:read", "consent:read"], "expires_days": 30}
    response = client.post("/api/v1/tokens", json=wish, headers=admin)
    assert response.status_code == 201
    made = response.get_json()
    assert (made["scopes"], made["site"]) == (["consent:read"], site.key)
    report = f"/api/v1/consent?site={site.key}"
    assert client.get(report, headers=bearer(made["token"])).status_code == 200

    listed = client.get("/api/v1/tokens", headers=admin)
    assert made["token"] not in listed.text
    entry = next(item for item in listed.get_json()["tokens"] if item["id"] == made["id"])
    assert entry["is_valid"]
    assert entry["created_by"].startswith("token:")
    assert all(made["token"] not in str(row) for row in rows(core, token_table))

    ended = client.delete(f"/api/v1/tokens/{made['id']}", headers=admin)
    assert ended.get_json() == {"id": made["id"], "revoked": True}
    assert client.get(report, headers=bearer(made["token"])).status_code == 401
    assert client.delete(f"/api/v1/tokens/{made['id']}", headers=admin).status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "admin"},
        {"scopes": ["admin"], "expires_days": 0},
        {"scopes": ["admin"], "expires_days": "30"},
        {"scopes": ["admin"], "public": 1},
        {"scopes": ["admin"], "public": True},
        {"scopes": ["stats:read", "events:export"], "public": True},
        {"scopes": ["admin"], "site": "another"},
        [],
    ],
)
def test_a_wish_for_a_token_is_strict(client: FlaskClient, admin: Headers, core: Core, wish: Any) -> None:
    before = len(rows(core, token_table))
    response = client.post("/api/v1/tokens", json=wish, headers=admin)
    assert (response.status_code, response.get_json()["error"]["code"]) == (422, "invalid")
    assert len(rows(core, token_table)) == before


def test_another_sites_token_is_neither_listed_nor_ended(
    client: FlaskClient, admin: Headers, other: Site, api_token: Callable[..., str], core: Core
) -> None:
    text = api_token("admin", site_id=other.site_id)
    foreign = next(row.token_id for row in rows(core, token_table) if row.site_id == other.site_id)
    assert foreign not in client.get("/api/v1/tokens", headers=admin).text
    assert client.delete(f"/api/v1/tokens/{foreign}", headers=admin).status_code == 404
    assert client.delete("/api/v1/tokens/%00", headers=admin).status_code == 404
    assert client.get("/api/v1/sites", headers=bearer(text)).status_code == 200


def test_a_token_makes_none_that_outlives_it(
    client: FlaskClient, api_token: Callable[..., str], core: Core, now: Clock
) -> None:
    headers = bearer(api_token("admin", days=10))
    late = client.post("/api/v1/tokens", json={"scopes": ["stats:read"], "expires_days": 11}, headers=headers)
    assert late.status_code == 422
    assert late.get_json()["error"]["problems"][0]["pointer"] == "/expires_days"
    made = client.post("/api/v1/tokens", json={"scopes": ["stats:read"]}, headers=headers).get_json()
    row = next(row for row in rows(core, token_table) if row.token_id == made["id"])
    assert row.expires_at == now() + timedelta(days=10)
    now.move(days=9, hours=12)
    last = client.post("/api/v1/tokens", json={"scopes": ["stats:read"]}, headers=headers)
    assert last.status_code == 403
    now.move(days=1)
    assert client.get("/api/v1/tokens", headers=headers).status_code == 401


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_person_is_let_in_with_a_link_and_reset_with_another(
    client: FlaskClient, admin: Headers, site: Site, core: Core
) -> None:
    wish = {"email": "Officer@Nouvelles.example", "role": "privacy_officer"}
    response = client.post("/api/v1/users", json=wish, headers=admin)
    assert response.status_code == 201
    made = response.get_json()
    assert (made["email"], made["sites"]) == ("officer@nouvelles.example", [site.key])
    path = made["setup_url"].removeprefix("http://127.0.0.1:8000")
    assert client.get(path).status_code == 200

    again = client.post("/api/v1/users", json=wish, headers=admin)
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "conflict")
    listed = client.get("/api/v1/users", headers=admin).get_json()["users"]
    assert [item["email"] for item in listed] == ["officer@nouvelles.example"]

    reset = client.post("/api/v1/users/officer@nouvelles.example/reset", headers=admin)
    assert reset.status_code == 200
    assert reset.get_json()["setup_url"] != made["setup_url"]
    assert client.get(path).status_code == 410
    noted = [(row.action, row.site_id) for row in rows(core, audit) if row.actor.startswith("token:")]
    assert noted == [("user.add", site.site_id), ("user.reset", site.site_id)]


def test_no_administrator_is_made_or_reset_or_shown(
    client: FlaskClient, admin: Headers, site: Site, core: Core, now: Clock
) -> None:
    add(core, now, "root@nouvelles.example", Role.ADMIN, site)
    wish = {"email": "me@nouvelles.example", "role": "admin"}
    response = client.post("/api/v1/users", json=wish, headers=admin)
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "forbidden")
    assert client.get("/api/v1/users", headers=admin).get_json() == {"users": []}
    assert client.post("/api/v1/users/root@nouvelles.example/reset", headers=admin).status_code == 404
    assert len(rows(core, user)) == 1


def test_who_has_no_site_listed_sees_this_one_and_is_shown_but_not_reset(
    client: FlaskClient, admin: Headers, site: Site, core: Core, now: Clock
) -> None:
    add(core, now, "all@nouvelles.example", Role.ANALYST)
    [shown] = client.get("/api/v1/users", headers=admin).get_json()["users"]
    assert (shown["email"], shown["sites"]) == ("all@nouvelles.example", [site.key])
    assert client.post("/api/v1/users/all@nouvelles.example/reset", headers=admin).status_code == 403


def test_who_was_added_and_which_token_ended_stands_in_the_trail_of_each_site_they_see(
    client: FlaskClient, admin: Headers, site: Site, other: Site, core: Core, now: Clock, api_token: Callable[..., str]
) -> None:
    add(core, now, "both@other.example", Role.VIEWER, site, other)
    core.writer.run(lambda it: reset_user(it, "both@other.example", actor="test", now=now()))
    api_token("stats:read")
    token_id = next(row.token_id for row in rows(core, token_table) if row.scopes == ["stats:read"])
    core.writer.run(lambda it: revoke_token(it, token_id, actor="test", now=now()))
    theirs = bearer(api_token("admin", site_id=other.site_id))

    def trail(headers: Headers) -> list[tuple[str, str]]:
        entries = client.get("/api/v1/audit", headers=headers).get_json()["entries"]
        assert "sites" not in str(entries)
        return [(entry["action"], entry["subject"]) for entry in entries]

    people = {("user.add", "both@other.example"), ("user.reset", "both@other.example")}
    assert people <= set(trail(admin))
    assert people <= set(trail(theirs))
    assert ("token.revoke", token_id) in trail(admin)
    assert ("token.revoke", token_id) not in trail(theirs)


def test_people_of_other_sites_are_not_shown_nor_reset(
    client: FlaskClient, admin: Headers, site: Site, other: Site, core: Core, now: Clock
) -> None:
    add(core, now, "theirs@other.example", Role.VIEWER, other)
    add(core, now, "both@other.example", Role.VIEWER, site, other)
    listed = client.get("/api/v1/users", headers=admin)
    assert [item["email"] for item in listed.get_json()["users"]] == ["both@other.example"]
    assert other.key not in listed.text
    assert client.post("/api/v1/users/theirs@other.example/reset", headers=admin).status_code == 404
    assert client.post("/api/v1/users/both@other.example/reset", headers=admin).status_code == 403
    assert client.post("/api/v1/users/%00/reset", headers=admin).status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"email": "no address", "role": "viewer"},
        {"email": "a@b.example", "role": "king"},
        {"email": "a@b.example"},
        {"email": ["a@b.example"], "role": "viewer"},
        {"email": "a@b.example", "role": "viewer", "sites": ["x"]},
        {"email": "a" * 300 + "@b.example", "role": "viewer"},
    ],
)
def test_a_wish_for_a_person_is_strict(client: FlaskClient, admin: Headers, core: Core, wish: Any) -> None:
    response = client.post("/api/v1/users", json=wish, headers=admin)
    assert (response.status_code, response.get_json()["error"]["code"]) == (422, "invalid")
    assert rows(core, user) == []


def test_the_audit_trail_shows_the_own_site_and_the_own_acts_page_by_page(
    client: FlaskClient, admin: Headers, site: Site, other: Site, core: Core, now: Clock
) -> None:
    def note_many(connection: Connection) -> None:
        for number in range(120):
            for each in (site, other):
                subject = f"{each.key} {number}"
                note(connection, at=now(), actor="test", action="site.set", subject=subject, site_id=each.site_id)

    core.writer.run(note_many)
    client.post("/api/v1/users", json={"email": "a@b.example", "role": "viewer"}, headers=admin)
    first = client.get("/api/v1/audit", headers=admin).get_json()
    assert len(first["entries"]) == 100
    assert first["entries"][0]["action"] == "user.add"
    second = client.get(f"/api/v1/audit?cursor={first['cursor']}", headers=admin).get_json()
    assert second["cursor"] is None
    ids = [entry["id"] for entry in first["entries"] + second["entries"]]
    assert ids == sorted(ids, reverse=True)
    assert {entry["site"] for entry in first["entries"] + second["entries"]} == {site.key}
    assert other.key not in str(second)
    of_site = client.get(f"/api/v1/audit?site={site.key}", headers=admin).get_json()["entries"]
    assert {entry["site"] for entry in of_site} == {site.key}
    for cursor in ("x", "-1", "9" * 40, "１２", "1.5"):
        assert client.get(f"/api/v1/audit?cursor={cursor}", headers=admin).status_code == 422
