"""The consent report and log over HTTP."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from consent_service.sites.registry import Site
from tests.integration.conftest import DATABASES

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
