"""Serve the OpenAPI document of everything the outside may call, and a page to read it."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import orjson
from flask import Blueprint, Response

from consent_service import __version__
from consent_service.resources import data_dir
from consent_service.serve import openapi_admin, openapi_forms, openapi_ledger, openapi_public, openapi_reporting
from consent_service.serve.openapi_model import Operation, paths
from consent_service.serve.openapi_page import write_page
from consent_service.serve.openapi_schemas import PUBLIC, generated
from consent_service.services import services
from consent_service.web import json_response

bp = Blueprint("openapi", __name__)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *openapi_public.OPERATIONS,
    *openapi_forms.OPERATIONS,
    *openapi_ledger.OPERATIONS,
    *openapi_reporting.OPERATIONS,
    *openapi_admin.OPERATIONS,
)
_TAGS: Final = (
    (openapi_public.PAGES, "What the script on a page calls: banner, decisions, withdrawals, events."),
    (openapi_public.SCRIPTS, "What a page embeds."),
    (openapi_public.HOSTED, "What visitors read."),
    (openapi_ledger.LEDGER, "The signed log of all decisions: for visitors, auditors and mirrors."),
    (openapi_reporting.REPORTS, "What data teams, privacy officers and auditors read, with an API token of the site."),
    (
        openapi_admin.ADMINISTRATION,
        "What administers one site, with an API token whose scope is `admin`. The token reaches its own site alone: "
        "calls that name another are 403, lists show what belongs to its own.",
    ),
    (openapi_public.WATCHING, "What load balancers, Prometheus, browsers and developers ask for."),
)
_INTRODUCTION: Final = (
    "JSON is UTF-8; times are ISO 8601 UTC with `Z`; ids are lower-case hex or UUIDv7. Every error has the shape "
    '`{"error": {"code", "message"}}`. Unknown members of `/v1` requests are ignored; policy and site documents are '
    "strict."
)
_CACHE: Final = "public, max-age=300"


@bp.get("/openapi.json")
def get_openapi() -> Response:
    """Give the OpenAPI 3.1 document."""
    response = json_response(orjson.dumps(document(services().config.public_url)), cache=_CACHE)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/docs")
def get_docs() -> Response:
    """Show the document as a page that needs no script and no other host."""
    response = Response(_page(services().config.public_url), mimetype="text/html")
    response.headers["Cache-Control"] = _CACHE
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/static/docs.css")
def get_docs_style() -> Response:
    """Give the style of the page."""
    style = (data_dir("static") / "docs.css").read_bytes()
    return Response(style, mimetype="text/css", headers={"Cache-Control": _CACHE})


@cache
def document(public_url: str) -> dict[str, Any]:
    """Make the OpenAPI document of a deployment."""
    schemas = {**PUBLIC, **openapi_reporting.SCHEMAS, **openapi_admin.SCHEMAS, **generated()}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "consent-service",
            "version": __version__,
            "summary": "Consent, and what may be measured under it",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS],
        "paths": paths(OPERATIONS),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "api_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token of one site: `consent-service token create`, the console, or "
                    "`POST /api/v1/tokens`.",
                },
                "visitor_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The signed token of a decision. It may travel in the body instead.",
                },
                "visitor_cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-consent-{key}",
                    "description": "The same token, where the service answers on the site's own origin.",
                },
            },
        },
    }


@cache
def _page(public_url: str) -> str:
    return write_page(document(public_url), OPERATIONS, _TAGS, _INTRODUCTION)
