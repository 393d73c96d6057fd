"""A site's settings and its policy: what one names and the other does not have is told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_service.sites.registry import Site
from tests.integration.conftest import EXAMPLES

Headers = dict[str, str]
NAMED = ("consent_mode.analytics", "uet.analytics", "blocking[0].purpose")


@pytest.fixture
def admin(api_token: Callable[..., str]) -> Headers:
    return {"Authorization": f"Bearer {api_token('admin')}"}


def childrens_policy() -> dict[str, Any]:
    """Give a policy that asks for nothing."""
    return {**tomllib.loads((EXAMPLES / "policy.toml").read_text()), "audience": "children", "purposes": []}


def test_settings_that_name_a_purpose_the_policy_lacks_are_refused(
    client: FlaskClient, admin: Headers, site: Site
) -> None:
    path = f"/api/v1/sites/{site.key}"
    before = client.get(path, headers=admin).get_json()["settings"]
    wrong = {**before, "uet": {"marketing": ["ad_storage"]}, "blocking": [{"purpose": "ads", "host": "*.ads.example"}]}
    answer = client.put(path, json=wrong, headers=admin)
    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.get_json()["error"]["problems"]] == [
        "/uet/marketing",
        "/blocking/0/purpose",
    ]
    assert client.get(path, headers=admin).get_json()["settings"] == before


def test_a_policy_that_leaves_settings_behind_is_published_with_warnings(
    client: FlaskClient, admin: Headers, site: Site
) -> None:
    path = f"/api/v1/sites/{site.key}"
    answer = client.post(f"{path}/policies", json=childrens_policy(), headers=admin)
    assert answer.status_code == 201
    warnings = [item["message"] for item in answer.get_json()["warnings"] if item["place"] == "purposes"]
    assert warnings == [
        f"the site's setting {place} names the purpose analytics, which the policy does not have" for place in NAMED
    ]
    # What was blocked stays so, and the site can still be paused.
    settings = client.get(path, headers=admin).get_json()["settings"]
    assert settings["blocking"][0]["purpose"] == "analytics"
    assert client.post(f"{path}/pause", headers=admin).status_code == 200
    assert client.put(path, json=settings, headers=admin).status_code == 422


def test_a_policy_that_fits_warns_of_nothing(client: FlaskClient, admin: Headers, site: Site) -> None:
    fitting = {**tomllib.loads((EXAMPLES / "policy.toml").read_text()), "valid_days": 90}
    answer = client.post(f"/api/v1/sites/{site.key}/policies", json=fitting, headers=admin)
    assert (answer.status_code, answer.get_json()["warnings"]) == (201, [])
