"""The OpenAPI document says everything the application answers, and nothing else."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from consent_service.collect.drops import DropReason
from consent_service.consent.gate import Refusal
from consent_service.serve.openapi_model import CODES

# What is not the API: pages for people who log in, the demo, and files.
NOT_API = ("/console", "/demo", "/static")
METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH"}
DOCS = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.get_json()
    return found


def routes(app: Flask) -> set[tuple[str, str]]:
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(NOT_API):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        found |= {(method, path) for method in (rule.methods or set()) & METHODS}
    return found


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def test_every_route_is_described_and_every_description_is_a_route(app: Flask, document: dict[str, Any]) -> None:
    assert routes(app) == described(document)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        named = set(re.findall(r"{(\w+)}", path))
        for operation in item.values():
            given = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert given == named, path


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_every_refusal_of_the_gate_is_described_at_the_events_call(document: dict[str, Any]) -> None:
    response = document["paths"]["/v1/events"]["post"]["responses"]["403"]
    codes = response["content"]["application/json"]["schema"]["allOf"][1]["properties"]["error"]["properties"]
    assert set(codes["code"]["enum"]) == {str(refusal) for refusal in Refusal}
    answer = document["components"]["schemas"]["EventsAnswer"]["properties"]["dropped"]["items"]["properties"]
    assert answer["reason"]["enum"] == [str(reason) for reason in DropReason]


def test_calls_for_a_token_say_which_scope_they_need(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/api/v1/sites"]["get"]["security"] == [{"api_token": ["admin"]}]
    assert paths["/api/v2/query"]["post"]["security"] == [{"api_token": ["stats:read"]}]
    assert paths["/healthz"]["get"]["security"] == []
    for path, item in paths.items():
        if path.startswith("/api/"):
            assert all("401" in operation["responses"] for operation in item.values()), path


def test_request_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    from openapi_schema_validator import OAS31Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    registry: Registry[Any] = Registry().with_resource(
        "urn:document", Resource.from_contents(document, default_specification=DRAFT202012)
    )
    checked = 0
    for media in medias(document):
        if "example" in media:
            schema = absolute(media["schema"])
            errors = [e.message for e in OAS31Validator(schema, registry=registry).iter_errors(media["example"])]
            assert errors == []
            checked += 1
    assert checked > 50


def medias(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        for media in node.get("content", {}).values() if isinstance(node.get("content"), dict) else ():
            if isinstance(media, dict) and "schema" in media:
                yield media
        for inner in node.values():
            yield from medias(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from medias(inner)


def absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: f"urn:document{value}" if key == "$ref" else absolute(value) for key, value in schema.items()}
    return [absolute(item) for item in schema] if isinstance(schema, list) else schema


class Links(HTMLParser):
    """Collect what a page loads and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.led: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in ("link", "script", "img") and (given.get("href") or given.get("src")):
            self.loaded.append(str(given.get("href") or given.get("src")))
        if tag == "a" and given.get("href"):
            self.led.append(str(given["href"]))
        assert "style" not in given
        assert not [name for name in given if name.startswith("on")]


def test_the_page_shows_every_call_and_asks_no_other_host(client: FlaskClient, document: dict[str, Any]) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    page = Links()
    page.feed(response.text)
    assert page.loaded == ["/static/docs.css"]
    assert "script" not in page.tags
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    names = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert names <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.led if link.startswith("#")} <= set(page.ids)
    style = client.get("/static/docs.css")
    assert style.status_code == 200
    assert style.mimetype == "text/css"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_written_reference_has_every_call_and_every_code(document: dict[str, Any]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    for method, path in sorted(described(document)):
        assert f"`{method} {path}`" in text, f"docs/api.md lacks {method} {path}"
    codes = {"policy_outdated" if code == "policy_replaced" else code for code in CODES}
    missing = {code for code in codes if f"`{code}`" not in text}
    assert missing == set()
    assert {reason for reason in map(str, DropReason) if f"`{reason}`" not in text} == set()


def test_the_written_reference_names_no_call_that_is_not_there(document: dict[str, Any]) -> None:
    named = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?\s]*)`", DOCS.read_text(encoding="utf-8")))
    assert named <= described(document)
