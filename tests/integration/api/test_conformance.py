"""Whatever is sent, the application answers as its OpenAPI document says: status, type, shape, and never a 5xx."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from consent_service.sites.access import Scope
from consent_service.sites.registry import Site
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import USER_AGENT, Visitor

EXAMPLES = 10
SEED = 20260310
# Documents with rules that a schema cannot tell; other tests send good ones.
HARD_TO_GUESS = (
    "POST /api/v1/sites/{key}/policies",
    "PUT /api/v1/sites/{key}",
    "POST /api/v1/users",
    # Addresses that only those know who were told, a place among many, and a site that counts its banners.
    "GET /v1/erasures/{name}",
    "GET /v1/copies/{link}/{format}",
    "GET /v1/ledger/tile/{place}",
    "POST /v1/shown",
)
# Forms with a token that only their page knows; they lead on with a 303.
FORMS = ("POST /banner/{key}", "POST /my/{key}")
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def operations(app: Flask) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def aim(case: Any, site: Site, visitor: Visitor) -> None:
    """Let a request reach what is there instead of an unknown site."""
    there = {"key": site.key, "version": 1, "a": 1, "b": 1, "receipt_id": visitor.receipt_id}
    for name in case.path_parameters or ():
        case.path_parameters[name] = there.get(name, case.path_parameters[name])
    if case.query and "site" in case.query:
        case.query |= {"site": site.key, "from": "2026-03-01", "to": "2026-03-31"}
        case.query.pop("cursor", None)
    if case.path == "/v1/ledger/proof":
        case.query = {"receipt": visitor.receipt_id}
    if case.path == "/v1/ledger/consistency":
        case.query = {"from": 1, "to": 1}
    if isinstance(case.body, dict):
        if "action" in case.body:
            # A refusal is recorded whatever version, hash or token it cites.
            case.body |= {"action": "refuse_all", "purposes": {"analytics": False}}
        for member, value in (("site", site.key), ("site_id", site.key), ("token", visitor.token)):
            if member in case.body:
                case.body[member] = value


def test_every_call_answers_as_the_document_says(
    app: Flask, site: Site, keeper: KeeperInHand, visitor: Visitor, api_token: Callable[..., str]
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    api = api_token(*map(str, Scope))
    answered: set[tuple[str, int]] = set()

    def check(operation: Any) -> None:
        # The call before may have withdrawn this visitor's consent.
        visitor.accept()
        keeper.sign()
        own = visitor.token

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), is_aimed=st.booleans())
        def run(case: Any, is_aimed: bool) -> None:
            bearer = api if case.path.startswith(("/api", "/metrics")) else own
            if is_aimed:
                aim(case, site, visitor)
            headers = {"Authorization": f"Bearer {bearer}", "User-Agent": USER_AGENT}
            if case.path.startswith("/v1"):
                headers["Origin"] = site.origins[0]
            response = case.call(headers=headers)
            answered.add((operation.label, response.status_code))
            case.validate_response(response, checks=CHECKS)

        run()

    for operation in operations(app):
        check(operation)
    good = {label for label, status in answered if status < 300}
    without = {operation.label for operation in operations(app)} - good
    # Ids of tokens and addresses of people that are there are not guessed.
    assert without <= {"DELETE /api/v1/tokens/{token_id}", "POST /api/v1/users/{email}/reset", *HARD_TO_GUESS, *FORMS}


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/withdrawals", "/v1/events", "/api/v2/query"])
def test_any_json_at_all_is_answered_without_a_5xx(
    app: Flask, site: Site, keeper: KeeperInHand, visitor: Visitor, api_token: Callable[..., str], path: str
) -> None:
    visitor.accept()
    bearer = api_token("stats:read") if path.startswith("/api") else visitor.token
    headers = {"Authorization": f"Bearer {bearer}", "Origin": site.origins[0], "User-Agent": USER_AGENT}
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(site.key)
    names = st.sampled_from(["site", "site_id", "token", "events", "purposes", "metrics", "date_range", "filters"])
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(), inner, max_size=4)
    )
    client = app.test_client()

    @seed(SEED)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(body=st.dictionaries(names | st.text(), values, max_size=8) | values, is_aimed=st.booleans())
    def run(body: Any, is_aimed: bool) -> None:
        if is_aimed and isinstance(body, dict):
            body = {**body, "site": site.key, "site_id": site.key}
        response = client.post(path, json=body, headers=headers)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert set(response.get_json()) == {"error"}

    run()
