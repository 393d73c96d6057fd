"""Write the OpenAPI document for people: one page without script, every member of every body in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from consent_service.serve.openapi_model import CODES, JSON, VISITOR, WRITTEN, Operation
from consent_service.sites.access import Scope

_DEEPEST: Final = 3
_CHOICE: Final = re.compile(r"\^\(([a-z_|]+)\)\$")


@dataclass(frozen=True, slots=True)
class Member:
    """Hold one line of a table: a member's place in the body, its type and what there is to say."""

    name: str
    depth: int
    type: str
    is_required: bool
    text: str


def write_page(
    document: Mapping[str, Any], operations: Sequence[Operation], tags: Sequence[tuple[str, str]], introduction: str
) -> str:
    """Give the page's HTML."""
    environment = Environment(
        loader=PackageLoader("consent_service.serve", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    schemas = document["components"]["schemas"]
    groups = [
        {
            "name": name,
            "id": name.lower().replace(" ", "-"),
            "text": text,
            "calls": [_call(item, schemas) for item in operations if item.tag == name],
        }
        for name, text in tags
    ]
    template = environment.get_template("docs.html")
    return template.render(
        groups=groups, introduction=introduction, server=document["servers"][0]["url"], info=document["info"]
    )


def _call(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    body = operation.body
    return {
        "id": operation.name,
        "method": operation.method,
        "path": operation.path,
        "summary": operation.summary,
        "text": operation.description,
        "needs": _needs(operation.needs),
        "parameters": [(item, _type(item.schema, schemas)) for item in operation.parameters],
        "body": None if body is None else list(flatten(body.schema, schemas)),
        "example": None if body is None else _pretty(body.example),
        "answers": [
            {
                "status": answer.status,
                "text": answer.description,
                "types": [] if answer.schema is None or answer.types == (JSON,) else answer.types,
                "members": [] if answer.schema is None else list(flatten(answer.schema, schemas)),
                "headers": answer.headers,
                "example": None if answer.example is None else _pretty(answer.example),
            }
            for answer in operation.answers
        ],
        "errors": sorted((CODES[code][0], WRITTEN.get(code, code), CODES[code][1]) for code in operation.all_errors),
    }


def _needs(needs: Scope | str | None) -> str:
    if isinstance(needs, Scope):
        return f"API token, scope {needs}"
    return "the visitor's token, where there is one" if needs == VISITOR else "no token"


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def flatten(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> Iterator[Member]:
    """List the members of an object's schema, those of inner objects below their own, to a bounded depth."""
    found = _inner(schema, schemas)
    required = found.get("required", ())
    for name, part in found.get("properties", {}).items():
        yield Member(name, depth, _type(part, schemas), name in required, part.get("description", ""))
        if depth < _DEEPEST:
            yield from flatten(part, schemas, depth + 1)


def _inner(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, lists and alternatives to the object inside, if there is one."""
    if "$ref" in schema:
        return _inner(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "items" in schema:
        return _inner(schema["items"], schemas)
    for part in schema.get("anyOf", ()):
        found = _inner(part, schemas)
        if "properties" in found:
            return found
    return schema


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _type(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(part, schemas) for part in schema["anyOf"]))
    if "const" in schema:
        return _pretty(schema["const"])
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        shown = values if len(values) <= 12 else [*values[:11], "…"]
        return " · ".join(map(str, shown)) + (" or null" if None in schema["enum"] else "")
    if "items" in schema:
        return f"list of {_type(schema['items'], schemas)}"
    choice = _CHOICE.fullmatch(schema.get("pattern", ""))
    if choice is not None:
        return " · ".join(choice[1].split("|"))
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    return str(schema.get("format", kind))
