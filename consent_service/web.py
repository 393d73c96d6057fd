"""Read requests and write answers the same way everywhere: bounded bodies, JSON errors, exact origins."""

from __future__ import annotations

import logging
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from flask import Blueprint, Flask, Response, g, request
from gunicorn.http.errors import NoMoreData, ParseException
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from consent_service.errors import (
    Invalid,
    MalformedJSON,
    NotFound,
    Refused,
    ServiceError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from consent_service.services import services
from consent_service.sites.registry import Site

log = logging.getLogger("consent_service")

JSON_TYPES = ("application/json", "text/plain")
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_ALLOWED_HEADERS = "Authorization, Content-Type"
_EXPOSED_HEADERS = "X-Consent-Reason, Retry-After"

Model = TypeVar("Model", bound=BaseModel)


def json_response(document: Any, status: int = 200, *, cache: str = "no-store") -> Response:
    """Answer with JSON; a document of bytes is JSON already."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return Response(body, status, mimetype="application/json", headers={"Cache-Control": cache})


def read_body(limit: int, types: tuple[str, ...] = JSON_TYPES) -> bytes:
    """Read the request's body, at most `limit` bytes of it.

    Raises TooLarge, and UnsupportedMediaType for another type or an encoded body.
    """
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(f"the body may have {limit} bytes")
    if request.mimetype not in types:
        raise UnsupportedMediaType(f"send the body as {' or '.join(types)}")
    # A compressed body of a few bytes can be a very large one.
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")
    request.max_content_length = limit
    return request.get_data(cache=False)


def read_form(limit: int) -> MultiDict[str, str]:
    """Read a form as browsers send it without files, at most `limit` bytes; raises as `read_body`, and Invalid."""
    text = read_body(limit, (FORM_TYPE,)).decode("utf-8", "replace")
    try:
        return MultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise Invalid([("", f"has more than {MAX_FIELDS} fields")]) from error


def parse_model(model: type[Model], document: Any) -> Model:
    """Read a JSON document into a model; raises Invalid with a pointer (RFC 6901) per problem."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Invalid([(_pointer(item["loc"]), item["msg"]) for item in error.errors(include_url=False)]) from error


def find_site(key: str) -> Site:
    """Give the site with a key; raises NotFound."""
    site = services().sites.by_key(key)
    if site is None:
        raise NotFound("there is no site with this key")
    return site


def require_origin(site: Site) -> None:
    """Refuse a request that does not come from a page of the site (exact Origin; absent and `null` too)."""
    if not site.has_origin(request.headers.get("Origin")):
        g.cors_origin = None
        raise Refused("wrong_origin", "the Origin of the request is none of the site's")


def allow_origins(blueprint: Blueprint) -> None:
    """Let registered origins, and no others, read the answers of a blueprint (CORS, without credentials)."""

    @blueprint.before_request
    def begin() -> Response | None:
        origin = request.headers.get("Origin")
        g.cors_origin = origin if origin and services().sites.knows_origin(origin) else None
        return Response(status=204) if request.method == "OPTIONS" else None

    @blueprint.after_request
    def end(response: Response) -> Response:
        response.vary.add("Origin")
        origin = g.get("cors_origin")
        if origin is None:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = "7200"
        return response


def has_signal() -> bool:
    """Tell whether the browser sends Global Privacy Control: `Sec-GPC` is exactly 1 (GPC specification)."""
    return any(value.strip() == "1" for value in request.headers.get("Sec-GPC", "").split(","))


def answer_errors(app: Flask) -> None:
    """Answer every error with the contract's JSON, and write one line about it that names nobody."""

    @app.errorhandler(ServiceError)
    def refuse(error: ServiceError) -> Response:
        document = error.document()
        _note(error.status, document["error"]["code"])
        response = json_response(document, error.status)
        response.headers.update(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.response is not None and isinstance(error.response, Response):
            return error.response
        status = error.code or 500
        code = _CODES.get(status, "error")
        _note(status, code)
        response = json_response({"error": {"code": code, "message": error.description or error.name}}, status)
        response.headers.update({k: v for k, v in error.get_headers() if k in ("Allow", "Location")})
        return response

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def store_down(error: Exception) -> Response:
        log.warning("the main database does not answer: %s", type(error).__name__)
        return refuse(Unavailable("the main database does not answer; try again"))

    @app.errorhandler(ParseException)
    @app.errorhandler(NoMoreData)
    def broken_off(error: Exception) -> Response:
        # The server's own reader of chunks raises these where the body is read.
        response = refuse(MalformedJSON("the body ends too early, or its chunks are none"))
        response.headers["Connection"] = "close"
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.exception("an error that nobody expected")
        return json_response({"error": {"code": "internal", "message": "something went wrong here"}}, 500)


def _note(status: int, code: str) -> None:
    rule = request.url_rule.rule if request.url_rule is not None else "-"
    level = logging.WARNING if status >= 500 else logging.INFO
    log.log(level, "%s %s answered %s %s", request.method, rule, status, code)


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
