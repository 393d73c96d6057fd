"""A public token reads counts of ten and more, no single decision, and no cell from which a small one follows."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from consent_service.core import Core
from consent_service.db.tables import api_token as token_table
from consent_service.errors import Invalid
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES, TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

DAYS = "from=2026-03-10&to=2026-03-12"


def read(client: FlaskClient, path: str, token: str) -> Any:
    response = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    return response.get_json()


def decide(visitor: Visitor, accepting: int, refusing: int) -> None:
    for _ in range(accepting):
        assert visitor.another().accept().status_code == 201
    for _ in range(refusing):
        assert visitor.another().refuse().status_code == 201


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_small_counts_of_the_consent_report_are_hidden_from_public_tokens_alone(
    client: FlaskClient, visitor: Visitor, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    for accepting, refusing in ((12, 10), (11, 3), (10, 0)):
        decide(visitor, accepting, refusing)
        now.move(days=1)
    path = f"/api/v1/consent?site={site.key}&{DAYS}"
    shown = read(client, path, api_token("consent:read", is_public=True))
    assert [row["accepted"] for row in shown["results"]] == [12, 11, 10]
    assert [row["refused"] for row in shown["results"]] == [10, None, 0]
    assert [row["accepted_rate"] for row in shown["results"]] == [54.5, None, 100.0]
    totals = shown["totals"]
    assert (totals["accepted"], totals["refused"], totals["refused_rate"]) == (33, None, None)
    assert shown["privacy"] == {"smallest_cell": 10, "unit": "decisions", "hidden": 1}
    every = read(client, path, api_token("consent:read"))
    assert [row["refused"] for row in every["results"]] == [10, 3, 0]
    assert (every["totals"]["refused"], "privacy" in every) == (13, False)


def test_no_two_stretches_of_the_consent_report_tell_the_day_between_them(
    client: FlaskClient, visitor: Visitor, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    for refusing in (12, 3, 12):
        decide(visitor, 0, refusing)
        now.move(days=1)
    token = api_token("consent:read", is_public=True)
    totals = {}
    for days in ("from=2026-03-10&to=2026-03-12", "from=2026-03-10&to=2026-03-10", "from=2026-03-12&to=2026-03-12"):
        totals[days] = read(client, f"/api/v1/consent?site={site.key}&{days}", token)["totals"]["refused"]
    assert list(totals.values()) == [None, 12, 12]


def test_a_public_token_reads_no_single_decision(
    client: FlaskClient, visitor: Visitor, site: Site, api_token: TokenMaker
) -> None:
    decide(visitor, 1, 0)
    path = f"/api/v1/decisions?site={site.key}"
    token = api_token("consent:read", is_public=True)
    refused = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "forbidden")
    assert len(read(client, path, api_token("consent:read"))["decisions"]) == 1


def test_small_counts_of_drops_are_hidden_from_public_tokens_alone(
    client: FlaskClient, visitor: Visitor, site: Site, keeper: KeeperInHand, api_token: TokenMaker
) -> None:
    visitor.accept()
    elsewhere, nowhere = {"url": "https://elsewhere.example/"}, {"url": "nowhere"}
    visitor.send(*(visitor.event(**elsewhere) for _ in range(11)), *(visitor.event(**nowhere) for _ in range(4)))
    path, token = f"/api/v1/drops?site={site.key}", api_token("stats:read")
    keeper.until(lambda: read(client, path, token)["total"] == 15)
    shown = read(client, path, api_token("stats:read", is_public=True))
    hidden = {"reason": "invalid_url", "count": None}
    assert shown["results"] == [{"reason": "foreign_host", "count": 11}, hidden]
    assert {row["reason"]: row["count"] for row in shown["by_day"]} == {"foreign_host": 11, "invalid_url": None}
    assert shown["total"] is None
    assert shown["privacy"] == {"smallest_cell": 10, "unit": "events", "hidden": 1}


@pytest.mark.parametrize("scope", ["events:export", "admin"])
def test_no_public_token_is_made_with_a_scope_that_public_tokens_are_refused(
    client: FlaskClient, site: Site, api_token: TokenMaker, core: Core, scope: str
) -> None:
    with pytest.raises(Invalid):
        api_token("stats:read", scope, is_public=True)
    # One that an older version made is refused all the same.
    token = api_token(scope)
    core.writer.run(lambda connection: connection.execute(update(token_table).values(is_public=True)))
    for path in (f"/api/v1/events?site={site.key}", "/api/v1/tokens"):
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 403
