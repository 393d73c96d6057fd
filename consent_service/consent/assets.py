"""Serve the client script: alone, and as a site's bundle with its banners inside; and the hosted pages' style."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import brotli
import orjson
from flask import Blueprint, Response, request

from consent_service.consent.publication import Publication
from consent_service.errors import NotFound
from consent_service.resources import data_dir
from consent_service.services import services

bp = Blueprint("assets", __name__)

SCRIPT_CACHE = "public, max-age=300, stale-while-revalidate=3600"
JAVASCRIPT = "text/javascript; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold one file as it travels, compressed once and for all."""

    body: bytes
    brotli: bytes
    gzip: bytes
    etag: str


@bp.get("/consent.js")
@bp.get("/consent.v1.js")
def get_script() -> Response:
    """Give the client script, which fetches the banner config of its `data-site`."""
    return _script(_prepare(_client()))


@bp.get("/c/<key>.js")
def get_bundle(key: str) -> Response:
    """Give the client script with a site's banners inside: one request for everything."""
    parts = services()
    site = parts.sites.by_key(key)
    publication = None if site is None else parts.publications.of(site)
    if publication is None:
        raise NotFound("there is no bundle of this site")
    return _script(_prepare(bundle(publication)))


@bp.get("/static/privacy.css")
def get_privacy_style() -> Response:
    """Give the style of the hosted privacy page."""
    return _answer(_prepare((data_dir("static") / "privacy.css").read_bytes()), "text/css; charset=utf-8", SCRIPT_CACHE)


def bundle(publication: Publication) -> bytes:
    """Write a site's bundle; its config is a variable inside the script's own function, never a global."""
    config: dict[str, Any] = {
        "site": publication.site.key,
        "default_language": publication.current.policy.default_language,
        "banners": dict(publication.banners),
    }
    # The two line separators are line ends to browsers older than ES2019.
    json = orjson.dumps(config).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return b"(function(){var CONSENT_CONFIG=" + json + b";\n" + _client() + b"\n})();\n"


def _script(asset: Asset) -> Response:
    response = _answer(asset, JAVASCRIPT, SCRIPT_CACHE)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _answer(asset: Asset, mimetype: str, cache: str) -> Response:
    encoding = request.accept_encodings.best_match(["br", "gzip"]) if request.accept_encodings else None
    body = {"br": asset.brotli, "gzip": asset.gzip}.get(encoding or "", asset.body)
    response = Response(body, content_type=mimetype, headers={"Cache-Control": cache})
    if encoding is not None:
        response.content_encoding = encoding
    response.vary.add("Accept-Encoding")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(f"{asset.etag}-{encoding or 'plain'}")
    response.make_conditional(request)
    return response


@lru_cache(maxsize=1)
def _client() -> bytes:
    return (data_dir("static") / "consent.js").read_bytes()


@lru_cache(maxsize=256)
def _prepare(body: bytes) -> Asset:
    return Asset(
        body=body,
        brotli=brotli.compress(body, quality=11),
        gzip=gzip.compress(body, 9, mtime=0),
        etag=hashlib.sha256(body).hexdigest()[:32],
    )
