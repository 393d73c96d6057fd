"""The consent report and log over HTTP."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_service.sites.registry import Site
from consent_service.sites.reporting import MAX_DAYS
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TokenMaker = Callable[..., str]
SOME_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-10T09:30:00", "2026-13-01T00:00:00Z"]
)
@pytest.mark.parametrize("path", ["decisions", "events"])
def test_a_cursor_of_no_time_there_is_is_refused(
    client: FlaskClient, site: Site, api_token: TokenMaker, path: str, moment: str
) -> None:
    cursor = urlsafe_b64encode(f"{moment} {SOME_ID}".encode()).decode()
    headers = {"Authorization": f"Bearer {api_token('consent:read', 'events:export')}"}
    answer = client.get(f"/api/v1/{path}?site={site.key}&cursor={cursor}", headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["problems"][0]["pointer"]) == (422, "/cursor")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2026-03-10T11:30+02:00"])
def test_a_cursor_of_any_time_is_read(client: FlaskClient, site: Site, api_token: TokenMaker, moment: str) -> None:
    cursor = urlsafe_b64encode(f"{moment} {SOME_ID}".encode()).decode()
    headers = {"Authorization": f"Bearer {api_token('consent:read')}"}
    answer = client.get(f"/api/v1/decisions?site={site.key}&cursor={cursor}", headers=headers)
    assert (answer.status_code, answer.get_json()["decisions"]) == (200, [])


def report(client: FlaskClient, site: Site, token: str, first: str, last: str) -> list[dict[str, Any]]:
    path = f"/api/v1/consent?site={site.key}&from={first}&to={last}"
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.get_json()["results"]
    return rows


def counted(rows: list[dict[str, Any]], kind: str) -> dict[str, int]:
    return {row["day"]: row[kind] for row in rows if row[kind]}


def test_decisions_are_counted_in_the_days_of_the_site(
    visitor: Visitor, client: FlaskClient, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    """In Paris 2026-03-29 has 23 hours: it ends at 22:00 UTC, the day before at 23:00."""
    token = api_token("consent:read")
    for moment in ("28T22:59:59.999999", "28T23:00:00", "29T21:59:59.999999", "29T22:00:00"):
        now.set(datetime.fromisoformat(f"2026-03-{moment}+00:00"))
        visitor.another().refuse()
    now.set(datetime(2026, 3, 31, 12, tzinfo=UTC))
    rows = report(client, site, token, "2026-03-27", "2026-03-31")
    assert [row["day"] for row in rows] == [f"2026-03-{day}" for day in (27, 28, 29, 30, 31)]
    assert counted(rows, "refused") == {"2026-03-28": 1, "2026-03-29": 2, "2026-03-30": 1}


def test_each_kind_of_decision_is_counted_once(
    visitor: Visitor, client: FlaskClient, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    token = api_token("consent:read")
    faithful, other = visitor.another(), visitor.another()
    for one in (faithful, other):
        one.accept()
    visitor.refuse()
    now.move(days=1)
    other.refuse()
    now.move(days=180)
    rows = report(client, site, token, "2026-03-10", "2026-09-10")
    assert counted(rows, "accepted") == {"2026-03-10": 2}
    assert counted(rows, "refused") == {"2026-03-10": 1}
    assert counted(rows, "withdrawn") == {"2026-03-11": 1}
    assert counted(rows, "expired") == {"2026-09-06": 1}
    assert rows[0]["accepted_rate"] == 66.7


def test_the_longest_report_there_is_can_be_asked_for(client: FlaskClient, site: Site, api_token: TokenMaker) -> None:
    rows = report(client, site, api_token("consent:read"), "2016-03-11", "2026-03-18")
    assert len(rows) == MAX_DAYS
