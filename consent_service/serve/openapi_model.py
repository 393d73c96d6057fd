"""Describe calls as values, and write them as an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from consent_service.sites.access import Scope

Schema = Mapping[str, Any]

JSON: Final = "application/json"
VISITOR: Final = "visitor"
"""The security of calls that a visitor's token, or no token at all, goes with."""

# What each code means, and its status; the words are for readers of the document.
CODES: Final[Mapping[str, tuple[int, str]]] = {
    "malformed_json": (400, "the body is not JSON, or holds a NUL or a lone surrogate"),
    "unauthenticated": (401, "no API token came with the call, or one that does not hold"),
    "token_missing": (403, "no consent came with the request"),
    "token_invalid": (403, "the token is not one of ours, or was altered"),
    "token_expired": (403, "the consent is too old; ask again"),
    "wrong_site": (403, "the token belongs to another site"),
    "wrong_origin": (403, "the Origin is absent, `null`, or none of the site's"),
    "purpose_refused": (403, "the visitor did not agree to be measured"),
    "withdrawn": (403, "the consent was withdrawn"),
    "policy_outdated": (403, "the consent was given to a policy older than the latest material version"),
    "signal_refused": (403, "the browser sends Global Privacy Control and the site honours it"),
    "site_paused": (403, "the site takes no events at present"),
    "forbidden": (403, "the API token may not do this, or belongs to another site"),
    "not_found": (404, "there is no such thing"),
    "not_merged": (404, "the record is stored and not in the log yet; ask again after `Retry-After` seconds"),
    "policy_replaced": (409, "a grant cites a replaced policy version; `config` is the present banner config"),
    "idempotency_conflict": (409, "the idempotency key was used within 24 hours for another body"),
    "conflict": (409, "the thing exists already, or something else was changed at the same moment"),
    "too_large": (413, "the body is larger than this call takes"),
    "unsupported_media_type": (415, "the body is of another type, or compressed"),
    "invalid": (422, "one JSON pointer (RFC 6901) and sentence per problem in `problems`"),
    "rate_limited": (429, "this address asks too often; nothing was stored"),
    "unavailable": (503, "a store is down; nothing was kept, so send it again"),
}
# One code has two statuses: 403 for events, 409 for grants.
WRITTEN: Final = {"policy_replaced": "policy_outdated"}

BODY_ERRORS: Final = ("malformed_json", "too_large", "unsupported_media_type", "invalid")
TOKEN_ERRORS: Final = ("unauthenticated", "forbidden", "unavailable")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe a parameter of the query or the path; those of the path are always required."""

    name: str
    description: str
    schema: Schema
    place: str = "query"
    is_required: bool = False

    def document(self) -> dict[str, Any]:
        """Give the parameter object."""
        return {
            "name": self.name,
            "in": self.place,
            "required": self.is_required or self.place == "path",
            "description": self.description,
            "schema": dict(self.schema),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Describe a good answer: its status, its types with their schemas, and the headers worth knowing."""

    description: str
    schema: Schema | None = None
    status: int = 200
    types: tuple[str, ...] = (JSON,)
    headers: tuple[tuple[str, str], ...] = ()
    example: Any = None

    def document(self) -> dict[str, Any]:
        """Give the response object."""
        written: dict[str, Any] = {"description": self.description}
        if self.schema is not None:
            media: dict[str, Any] = {"schema": dict(self.schema)}
            if self.example is not None:
                media["example"] = self.example
            written["content"] = dict.fromkeys(self.types, media)
        if self.headers:
            written["headers"] = {
                name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers
            }
        return written


@dataclass(frozen=True, slots=True)
class Body:
    """Describe a request body."""

    schema: Schema
    example: Any
    types: tuple[str, ...] = (JSON,)

    def document(self) -> dict[str, Any]:
        """Give the request body object."""
        media = {"schema": dict(self.schema), "example": self.example}
        return {"required": True, "content": dict.fromkeys(self.types, media)}


@dataclass(frozen=True, slots=True)
class Operation:
    """Describe one call: `path` in OpenAPI's form, `needs` the scope of an API token or VISITOR."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[str, ...] = ()
    needs: Scope | str | None = None

    @property
    def all_errors(self) -> tuple[str, ...]:
        """Give the error codes, those every call of the kind has included."""
        of_body = () if self.body is None else BODY_ERRORS
        of_token = TOKEN_ERRORS if isinstance(self.needs, Scope) else ()
        return tuple(dict.fromkeys([*of_body, *of_token, *self.errors]))

    def document(self) -> dict[str, Any]:
        """Give the operation object."""
        written: dict[str, Any] = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            "responses": self._responses(),
        }
        if self.description:
            written["description"] = self.description
        if self.parameters:
            written["parameters"] = [parameter.document() for parameter in self.parameters]
        if self.body is not None:
            written["requestBody"] = self.body.document()
        if isinstance(self.needs, Scope):
            written["security"] = [{"api_token": [str(self.needs)]}]
        elif self.needs == VISITOR:
            written["security"] = [{"visitor_token": []}, {"visitor_cookie": []}, {}]
        else:
            written["security"] = []
        return written

    def _responses(self) -> dict[str, Any]:
        responses = {str(answer.status): answer.document() for answer in self.answers}
        by_status: dict[int, list[str]] = {}
        for code in self.all_errors:
            by_status.setdefault(CODES[code][0], []).append(code)
        for status in sorted(by_status):
            # An error with a status of its own answer is described there.
            responses.setdefault(str(status), _error_response(status, by_status[status]))
        return responses


def _error_response(status: int, codes: list[str]) -> dict[str, Any]:
    lines = "\n".join(f"- `{WRITTEN.get(code, code)}`: {CODES[code][1]}" for code in codes)
    names = [WRITTEN.get(code, code) for code in codes]
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {"properties": {"error": {"properties": {"code": {"enum": names}}}}},
        ]
    }
    example: dict[str, Any] = {"code": names[0], "message": CODES[codes[0]][1]}
    if names[0] == "invalid":
        example["problems"] = [{"pointer": "/site", "message": "must be the site's key"}]
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}\n\n{lines}",
        "content": {JSON: {"schema": schema, "example": {"error": example}}},
    }
    if status in (429, 503) or "not_merged" in names:
        response["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
    if status == 403 and any(code.startswith(("token_", "wrong_")) for code in names):
        response["headers"] = {"X-Consent-Reason": {"description": "the code once more", "schema": {"type": "string"}}}
    return response


def paths(operations: Iterable[Operation]) -> dict[str, dict[str, Any]]:
    """Give the paths object."""
    written: dict[str, dict[str, Any]] = {}
    for operation in operations:
        written.setdefault(operation.path, {})[operation.method.lower()] = operation.document()
    return written


def members(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """Write an object's schema; what is not optional is required."""
    properties = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in properties.items()},
        "required": list(required),
    }


def list_of(schema: Schema, **bounds: int) -> dict[str, Any]:
    """Write a list's schema."""
    return {"type": "array", "items": dict(schema), **bounds}


def nullable(schema: Schema) -> dict[str, Any]:
    """Write the schema of something that may be null."""
    if "type" in schema and isinstance(schema["type"], str):
        allowed = {**schema, "type": [schema["type"], "null"]}
        return {**allowed, "enum": [*schema["enum"], None]} if "enum" in schema else allowed
    return {"anyOf": [dict(schema), {"type": "null"}]}


def ref(name: str) -> dict[str, Any]:
    """Point to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}
