"""Hostile requests get the contract's code, in its shape, and leave nothing behind."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_service.config import Config
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.api.hostile import (
    FORGED,
    INVALID,
    Fault,
    complaints,
    envelope_faults,
    kept,
    with_members,
    with_raw,
    without,
)
from tests.integration.conftest import DATABASES
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def count(core: Core, config: Config) -> Callable[[], list[int]]:
    return lambda: kept(core, config)


def test_hostile_decisions(visitor: Visitor, site: Site, count: Callable[[], list[int]]) -> None:
    good = visitor.decision("accept_all")
    faults = envelope_faults(good) | {
        "no site": without(good, "site"),
        "a site that is a number": with_members(good, *INVALID, site=7),
        "an unknown site": with_members(good, 404, "not_found", site="nosuchsite12"),
        "a site of 20 kB": with_members(good, *INVALID, site="x" * 20_000),
        "the site twice": Fault(b'{"site":"%s",' % site.key.encode() + b'"site":"x",' + b"}", 400, "malformed_json"),
        "a site given again as another": with_raw(
            good, "site", b'"%s","site":"nosuchsite12"' % site.key.encode(), 400, "malformed_json"
        ),
        "an unknown action": with_members(good, *INVALID, action="explode"),
        "an action with a line end": with_members(good, *INVALID, action="accept_all\n"),
        "an action that is a list": with_members(good, *INVALID, action=["accept_all"]),
        "withdraw as an action": with_members(good, *INVALID, action="withdraw"),
        "purposes that are a list": with_members(good, *INVALID, purposes=["analytics"]),
        "purposes that are null": with_members(good, *INVALID, purposes=None),
        "no purposes": with_members(good, *INVALID, purposes={}),
        "a purpose of text": with_members(good, *INVALID, purposes={"analytics": "true"}),
        "a purpose of 1": with_members(good, *INVALID, purposes={"analytics": 1}),
        "an unknown purpose": with_members(good, *INVALID, purposes={"analytics": True, "marketing": True}),
        "a thousand purposes": with_members(good, *INVALID, purposes={f"p{n}": True for n in range(1000)}),
        "accepting nothing": with_members(good, *INVALID, purposes={"analytics": False}),
        "refusing all but one": with_members(good, *INVALID, action="refuse_all"),
        "version 0": with_members(good, *INVALID, policy_version=0),
        "version -1": with_members(good, *INVALID, policy_version=-1),
        "version 99": with_members(good, *INVALID, policy_version=99),
        "version true": with_members(good, *INVALID, policy_version=True),
        "version 1.0": with_raw(good, "policy_version", b"1.0", *INVALID),
        "version 1e999": with_raw(good, "policy_version", b"1e999", 400, "malformed_json"),
        "version of 400 digits": with_raw(good, "policy_version", b"9" * 400, 400, "malformed_json"),
        "version of 25 digits": with_raw(good, "policy_version", b"9" * 25, *INVALID),
        "version 2**63": with_members(good, *INVALID, policy_version=2**63),
        "version as text": with_members(good, *INVALID, policy_version="1"),
    }
    assert complaints(visitor.client, "/v1/decisions", faults, {"Origin": visitor.origin}, count) == []
    assert visitor.accept().status_code == 201


def test_decisions_with_one_wrong_member(visitor: Visitor, count: Callable[[], list[int]]) -> None:
    good = visitor.decision("accept_all")
    faults = {
        "no hash": with_members(good, *INVALID, banner_hash=None),
        "another hash": with_members(good, *INVALID, banner_hash="0" * 64),
        "a hash of 20 kB": with_members(good, *INVALID, banner_hash="0" * 20_000),
        "a hash of another language": with_members(good, *INVALID, language="en"),
        "a language of 20 kB": with_members(good, *INVALID, language="f" * 20_000),
        "a key that is empty": with_members(good, *INVALID, idempotency_key=""),
        "a key of 20 kB": with_members(good, *INVALID, idempotency_key="k" * 20_000),
        "a key that is a number": with_members(good, *INVALID, idempotency_key=5),
        "a previous that is a list": with_members(good, *INVALID, previous=["x"]),
        "an unknown mechanism": with_members(good, *INVALID, mechanism="telepathy"),
        "signals that are a text": with_members(good, *INVALID, signals="gpc"),
        "evidence beyond all bounds": with_members(good, *INVALID, evidence={"area_ratio": 1e300}),
        "a layer of 10": with_members(good, *INVALID, layer=10),
        "a rendered hash that is none": with_members(good, *INVALID, rendered_hash="x"),
        "asked that is a text": with_members(good, *INVALID, asked="analytics"),
    }
    assert complaints(visitor.client, "/v1/decisions", faults, {"Origin": visitor.origin}, count) == []
    assert visitor.accept().status_code == 201


def test_hostile_withdrawals(visitor: Visitor, count: Callable[[], list[int]]) -> None:
    visitor.accept()
    good = {"site": visitor.site_key, "token": visitor.token, "purposes": None, "erase": True}
    invalid_token = (403, "token_invalid")
    faults = envelope_faults(good) | {
        "no site": without(good, "site"),
        "an unknown site": with_members(good, 404, "not_found", site="nosuchsite12"),
        "no token": without(good, "token", status=403, code="token_missing"),
        "a null token": with_members(good, 403, "token_missing", token=None),
        "an empty token": with_members(good, 403, "token_missing", token=""),
        "a token that is a number": with_members(good, *INVALID, token=5),
        "a token of blanks": with_members(good, *invalid_token, token="   "),
        "a forged token": with_members(good, *invalid_token, token=FORGED),
        "a token cut short": with_members(good, *invalid_token, token=str(visitor.token)[:-1]),
        "a token of 10 kB": with_members(good, *invalid_token, token="x" * 10_000),
        "a token of dots": with_members(good, *invalid_token, token="." * 500),
        "a token beyond ASCII": with_members(good, *invalid_token, token=f"{visitor.token}é"),
        "a token of emoji": with_members(good, *invalid_token, token="🍪" * 50),
        "purposes that are a table": with_members(good, *INVALID, purposes={"analytics": False}),
        "purposes of numbers": with_members(good, *INVALID, purposes=[1]),
        "erase as text": with_members(good, *INVALID, erase="false"),
        "erase null": with_members(good, *INVALID, erase=None),
        "an unknown mechanism": with_members(good, *INVALID, mechanism=7),
    }
    assert complaints(visitor.client, "/v1/withdrawals", faults, {"Origin": visitor.origin}, count) == []
    assert visitor.withdraw().status_code == 200


def test_a_previous_token_that_is_none_of_ours_starts_anew(visitor: Visitor) -> None:
    for previous in (FORGED, "x" * 10_000, "é", "", "🍪" * 100):
        visitor.another().accept(previous=previous)
        for action in ("accept_all", "refuse_all"):
            response = visitor.another().decide(action, previous=previous)
            assert response.status_code == 201, (previous[:20], response.text)


def test_hostile_queries(
    client: FlaskClient, site: Site, keeper: KeeperInHand, api_token: Callable[..., str], count: Callable[[], list[int]]
) -> None:
    good: dict[str, Any] = {"site_id": site.key, "metrics": ["visitors"], "date_range": "7d"}
    faults = envelope_faults(good) | {
        "no site": without(good, "site_id"),
        "a site that is a list": with_members(good, *INVALID, site_id=[site.key]),
        "an unknown site": with_members(good, 404, "not_found", site_id="nosuchsite12"),
        "no metrics": without(good, "metrics"),
        "an unknown metric": with_members(good, *INVALID, metrics=["money"]),
        "a metric twice": with_members(good, *INVALID, metrics=["visitors", "visitors"]),
        "metrics of numbers": with_members(good, *INVALID, metrics=[1]),
        "an unknown key": with_members(good, *INVALID, sql="SELECT 1"),
        "no period": without(good, "date_range"),
        "a period of the year 0": with_members(good, *INVALID, date_range=["0000-01-01", "2026-01-01"]),
        "a period of all time there is": with_members(good, *INVALID, date_range=["0001-01-01", "9999-12-31"]),
        "the last day there is": with_members(good, *INVALID, date_range=["9999-12-31", "9999-12-31"]),
        "a period backwards": with_members(good, *INVALID, date_range=["2026-03-02", "2026-03-01"]),
        "a period of numbers": with_members(good, *INVALID, date_range=[1, 2]),
        "times without an offset": with_members(
            good, *INVALID, date_range=["2026-03-01T00:00:00", "2026-03-02T00:00:00"]
        ),
        "an unknown dimension": with_members(good, *INVALID, dimensions=["event:secret"]),
        "a dimension with quotes": with_members(good, *INVALID, dimensions=['visit:source" OR 1=1']),
        "six dimensions": with_members(good, *INVALID, dimensions=["event:page"] * 6),
        "filters that are a text": with_members(good, *INVALID, filters="event:page"),
        "a filter without clauses": with_members(good, *INVALID, filters=[["is", "event:page", []]]),
        "an unknown operator": with_members(good, *INVALID, filters=[["like", "event:page", ["/"]]]),
        "a filter of numbers": with_members(good, *INVALID, filters=[["is", "event:page", [1]]]),
        "filters 300 deep": with_raw(good, "filters", b'[["not",' * 300 + b"1" + b"]]" * 300, *INVALID),
        "a limit of 0": with_members(good, *INVALID, pagination={"limit": 0}),
        "a limit of 10**18": with_members(good, *INVALID, pagination={"limit": 10**18}),
        "a limit of true": with_members(good, *INVALID, pagination={"limit": True}),
        "an offset of -1": with_members(good, *INVALID, pagination={"offset": -1}),
        "an offset of 1e999": with_raw(good, "pagination", b'{"offset":1e999}', 400, "malformed_json"),
        "an order by nothing": with_members(good, *INVALID, order_by=[["pageviews", "desc"]]),
        "an order of numbers": with_members(good, *INVALID, order_by=[1]),
        "include that is a list": with_members(good, *INVALID, include=["imports"]),
    }
    headers = {"Authorization": f"Bearer {api_token('stats:read')}"}
    assert complaints(client, "/api/v2/query", faults, headers, count) == []
    assert client.post("/api/v2/query", json=good, headers=headers).status_code == 200
    for bearer in ("", "Bearer", "Bearer  ", "Basic eDp5", "Bearer é", "Bearer " + "x" * 10_000, "Bearer \x7f"):
        response = client.post("/api/v2/query", json=good, headers={"Authorization": bearer})
        assert (response.status_code, response.get_json()["error"]["code"]) == (401, "unauthenticated")


def test_hostile_paths_and_cursors(client: FlaskClient, site: Site, api_token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {api_token('consent:read', 'events:export', 'stats:read', 'admin')}"}
    for key in ("%00", "%ff", "..%2f..", "a" * 5000, "é", "%F0%9F%8D%AA"):
        for path in ("/v1/sites/{}/banner", "/c/{}.js", "/privacy/{}", "/privacy/{}.json", "/api/v1/sites/{}"):
            assert client.get(path.format(key), headers=headers).status_code == 404, (path, key)
    nul = "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMCAA"
    for cursor in ("x", "%00", "é", nul, "A" * 5000, "MjAyNi0wMS0wMVQwMDowMDowMCB4"):
        for path in ("/api/v1/decisions", "/api/v1/events"):
            response = client.get(f"{path}?site={site.key}&cursor={cursor}", headers=headers)
            assert (response.status_code, response.get_json()["error"]["code"]) == (422, "invalid"), (path, cursor)
    for language in ("%00", "%ff", "x" * 5000, "🍪"):
        assert client.get(f"/v1/sites/{site.key}/banner?lang={language}").status_code == 200
        assert client.get(f"/privacy/{site.key}?lang={language}").status_code == 200
    for day in ("0001-01-01", "9999-12-31", "x", "2026-02-30", "２０２６-01-01", "%00"):
        response = client.get(f"/api/v1/consent?site={site.key}&from={day}&to={day}", headers=headers)
        assert response.status_code == 422, day


def test_errors_name_nobody_in_the_log(
    visitor: Visitor, app: Flask, caplog: pytest.LogCaptureFixture, site: Site
) -> None:
    secret = "nobody@example.org"
    with caplog.at_level("DEBUG", logger="consent_service"):
        visitor.post("/v1/decisions", {"site": secret, "action": secret})
        visitor.post("/v1/events", {"site": site.key, "token": secret, "events": [{"name": secret}]})
        visitor.client.get(f"/v1/sites/{secret}/banner?lang={secret}")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert secret not in "\n".join(lines)
