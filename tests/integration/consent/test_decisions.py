"""Decisions: refusals without an identifier, receipts as chains, refusing never fails, asking once is enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from consent_service.core import Core
from consent_service.db.tables import decision, decision_count, erasure_job, receipt, revocation
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import republish, rows
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_a_refusal_keeps_nothing_that_could_tell_one_from_another(visitor: Visitor, core: Core, now: Clock) -> None:
    answer = visitor.refuse(evidence={"trusted": True}, rendered_hash="a" * 64).get_json()
    now.move(hours=3)
    other = visitor.another().refuse().get_json()
    assert answer["receipt_id"] is None
    assert answer["token"] == other["token"]
    assert rows(core, receipt) == []
    (first, _) = rows(core, decision)
    assert (first["receipt_id"], first["device"], first["country"]) == (None, None, None)
    for word in (b"device", b"country", b"evidence", b"rendered", b"aaaa"):
        assert word not in first["record"]
    assert {row["dimension"] for row in rows(core, decision_count)} == {"device", "country"}


def test_a_grant_is_recorded_with_what_proves_it(visitor: Visitor, core: Core) -> None:
    answer = visitor.accept(evidence={"refuse_visible": True, "area_ratio": 1.0, "trusted": True}).get_json()
    (kept,) = rows(core, decision)
    assert kept["receipt_id"] == answer["receipt_id"]
    assert b'"refuse_visible":true' in kept["record"]
    assert len(kept["salt"]) == 32
    assert len(answer["token"]) <= 160
    (state,) = rows(core, receipt)
    assert state["purposes"] == ["analytics"]
    assert 0 <= state["visitor_id"] < 2**63


def test_a_second_decision_continues_the_receipt(visitor: Visitor, core: Core) -> None:
    first = visitor.accept().get_json()
    second = visitor.accept(mechanism="preferences").get_json()
    assert second["receipt_id"] == first["receipt_id"]
    assert second["decision_id"] != first["decision_id"]
    newest = max(rows(core, decision), key=lambda row: str(row["decision_id"]))
    assert newest["previous_id"] == first["decision_id"]


def test_turning_off_a_granted_purpose_is_its_withdrawal(visitor: Visitor, core: Core) -> None:
    first = visitor.accept().get_json()
    second = visitor.refuse().get_json()
    assert second["withdrawn"] == ["analytics"]
    assert second["receipt_id"] == first["receipt_id"]
    assert second["erasure"]["status"] == "pending"
    assert [row["purposes"] for row in rows(core, revocation)] == [["analytics"]]
    assert [row["receipt_id"] for row in rows(core, erasure_job)] == [first["receipt_id"]]
    refusal = visitor.another().refuse().get_json()
    assert second["token"] == refusal["token"]


def test_a_grant_after_a_withdrawal_is_a_new_receipt_and_a_new_visitor(visitor: Visitor, core: Core) -> None:
    first = visitor.accept().get_json()
    old = visitor.token
    visitor.withdraw()
    second = visitor.accept(previous=old).get_json()
    assert second["receipt_id"] != first["receipt_id"]
    assert len({row["visitor_id"] for row in rows(core, receipt)}) == 2


def test_an_expired_token_continues_its_receipt_with_a_new_visitor(visitor: Visitor, core: Core, now: Clock) -> None:
    first = visitor.accept().get_json()
    (before,) = rows(core, receipt)
    now.move(days=396)
    second = visitor.accept().get_json()
    (after,) = rows(core, receipt)
    assert second["receipt_id"] == first["receipt_id"]
    assert after["visitor_id"] != before["visitor_id"]
    assert after["granted_at"] == now()


@pytest.mark.parametrize("previous", ["forged", "a.b.c", "\U0001f600"])
def test_a_forged_earlier_token_is_ignored(visitor: Visitor, previous: str) -> None:
    assert visitor.accept(previous=previous).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"policy_version": 99},
        {"banner_hash": "0" * 64},
        {"banner_hash": None},
        {"language": "tlh"},
        {"evidence": None},
        {"idempotency_key": None},
        {"policy_version": 99, "purposes": {"gone": False}},
    ],
)
def test_refusing_never_fails_for_version_hash_or_evidence(visitor: Visitor, change: dict[str, Any]) -> None:
    assert visitor.refuse(**change).status_code == 201


def test_a_refusal_of_an_unknown_version_keeps_nothing_that_the_page_made_up(visitor: Visitor, core: Core) -> None:
    answer = visitor.refuse(policy_version=99, purposes={"visitor-4711": False}).get_json()
    assert (answer["purposes"], answer["policy_version"]) == ({"analytics": False}, 1)
    (kept,) = rows(core, decision)
    assert kept["purposes"] == {"analytics": False}
    assert b"4711" not in kept["record"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"policy_version": 99, "purposes": {}}, "/purposes"),
        ({"policy_version": 99}, "/policy_version"),
        ({"banner_hash": "0" * 64}, "/banner_hash"),
        ({"banner_hash": None}, "/banner_hash"),
        ({"purposes": {}}, "/purposes/analytics"),
        ({"purposes": {"analytics": True, "more": True}}, "/purposes/more"),
        ({"purposes": {"analytics": False}}, "/purposes"),
        ({"mechanism": "magic"}, "/mechanism"),
        ({"purposes": {"analytics": "yes"}}, "/purposes/analytics"),
    ],
)
def test_a_grant_that_does_not_fit_its_policy_is_refused_with_the_place(
    visitor: Visitor, core: Core, change: dict[str, Any], pointer: str
) -> None:
    response = visitor.accept(**change)
    assert response.status_code == 422
    error = response.get_json()["error"]
    assert error["code"] == "invalid"
    assert pointer in [problem["pointer"] for problem in error["problems"]]
    assert rows(core, decision) == []


def test_a_bundle_cites_its_notice_by_the_first_digits(visitor: Visitor, core: Core) -> None:
    whole = visitor.banner("fr")["banner_hash"]
    assert visitor.accept(banner_hash=whole[:16]).status_code == 201
    (kept,) = rows(core, decision)
    assert kept["notice_hash"] == whole
    for other in (whole[:15], whole[:17], "0" * 16):
        assert visitor.another().accept(banner_hash=other).status_code == 422
    assert visitor.another().refuse(banner_hash="0" * 16).status_code == 201


def test_a_hash_of_another_language_is_refused(visitor: Visitor) -> None:
    spanish = visitor.banner("es")["banner_hash"]
    response = visitor.accept(language="fr", banner_hash=spanish)
    assert response.status_code == 422


def test_a_grant_of_a_replaced_version_stands_for_a_day_unless_the_change_was_material(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Any
) -> None:
    old = visitor.decision("accept_all")
    republish(core, site, now, valid_days=100)
    refresh()
    assert visitor.post("/v1/decisions", {**old, "idempotency_key": str(uuid4())}).status_code == 201
    now.move(hours=25)
    late = visitor.post("/v1/decisions", {**old, "idempotency_key": str(uuid4())})
    assert late.status_code == 409
    assert late.get_json()["error"]["code"] == "policy_outdated"
    assert late.get_json()["error"]["config"]["policy_version"] == 2
    current = visitor.decision("accept_all")
    reasons = dict.fromkeys(("fr", "en", "es"), ".")
    republish(core, site, now, material_purposes=["analytics"], material_reason=reasons)
    refresh()
    assert visitor.post("/v1/decisions", current).status_code == 409


def test_the_same_key_gives_the_first_answer_and_another_body_a_conflict(
    visitor: Visitor, core: Core, now: Clock
) -> None:
    body = visitor.decision("accept_all")
    first = visitor.post("/v1/decisions", body)
    again = visitor.post("/v1/decisions", body)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert len(rows(core, decision)) == 1
    other = visitor.post("/v1/decisions", {**body, "mechanism": "api"})
    assert other.status_code == 409
    assert other.get_json()["error"]["code"] == "idempotency_conflict"
    now.move(hours=25)
    assert visitor.post("/v1/decisions", {**body, "mechanism": "api"}).status_code == 201


def test_cookies_are_set_on_the_sites_own_origin_alone(visitor: Visitor, client: FlaskClient, site: Site) -> None:
    cross = visitor.another().accept()
    assert "Set-Cookie" not in cross.headers
    visitor.headers |= {"Sec-Fetch-Site": "same-origin", "Host": "nouvelles.example"}
    own = visitor.accept()
    secret, mirror = own.headers.getlist("Set-Cookie")
    assert secret.startswith(f"__Host-consent-{site.key}=")
    for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert part in secret
    assert mirror.startswith(f"consent-{site.key}-mirror=1.analytics.")
    assert "HttpOnly" not in mirror
    assert own.get_json()["receipt_id"] not in mirror


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://nouvelles.example"])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/withdrawals"])
def test_a_foreign_origin_decides_nothing(visitor: Visitor, core: Core, path: str, origin: str | None) -> None:
    body = visitor.decision("accept_all") if path == "/v1/decisions" else {"site": visitor.site_key, "token": "x"}
    headers = {} if origin is None else {"Origin": origin}
    response = visitor.client.post(path, json=body, headers=headers)
    assert response.status_code == 403
    assert response.get_json()["error"]["code"] == "wrong_origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert rows(core, decision) == []


def test_a_decision_never_changes_and_goes_only_by_name(visitor: Visitor, core: Core) -> None:
    visitor.accept()
    for statement in ("UPDATE decision SET language = 'xx'", "DELETE FROM decision"):
        with pytest.raises(Exception, match="decision"), core.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert len(rows(core, decision)) == 1


def test_withdrawing_twice_gives_the_first_time(visitor: Visitor, now: Clock, core: Core) -> None:
    visitor.accept()
    token = visitor.token
    first = visitor.withdraw().get_json()
    now.move(hours=1)
    again = visitor.withdraw(token=token).get_json()
    assert again["withdrawn_at"] == first["withdrawn_at"]
    assert again["erasure"]["id"] == first["erasure"]["id"]
    assert len(rows(core, revocation)) == 1


def test_an_expired_token_withdraws_and_a_forged_one_does_not(visitor: Visitor, now: Clock) -> None:
    visitor.accept()
    token = visitor.token
    now.move(days=396)
    assert visitor.withdraw().get_json()["purposes"] == ["analytics"]
    forged = visitor.withdraw(token=f"{token}x")
    assert (forged.status_code, forged.get_json()["error"]["code"]) == (403, "token_invalid")
    missing = visitor.withdraw(token=None)
    assert (missing.status_code, missing.get_json()["error"]["code"]) == (403, "token_missing")


def test_an_expiry_is_the_policys(visitor: Visitor, now: Clock) -> None:
    granted = visitor.accept().get_json()
    assert granted["expires_at"] == (now() + timedelta(days=180)).isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    refused = visitor.another().refuse().get_json()
    assert refused["expires_at"].endswith("T00:00:00.000Z")
