"""Serve the client script, alone and as a site's bundle with its banners inside; and the hosted pages' style."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from consent_service.consent.bundle import parts_of, write_bundle
from consent_service.consent.publication import Publication
from consent_service.consent.scripts import Part, Script, bundle_script, read_part, read_static
from consent_service.consent.shelf import Asset
from consent_service.errors import NotFound
from consent_service.services import services
from consent_service.sites.settings import Layout

bp = Blueprint("assets", __name__)

SCRIPT_CACHE = "public, max-age=300, stale-while-revalidate=3600"
JAVASCRIPT = "text/javascript; charset=utf-8"
# The scripts of a version are compatible for ever and, once it is released, the same bytes for ever: docs/versions.md.
SCRIPTS: Final = {
    "consent.js": "consent.js",
    "consent.more.js": "consent.more.js",
    "consent.v1.js": "consent.js",
    "consent.v1.more.js": "consent.more.js",
    "consent.extra.js": "consent.extra.js",
    "consent.v1.extra.js": "consent.extra.js",
}


@bp.get("/consent.js", defaults={"name": "consent.js"})
@bp.get("/consent.v1.js", defaults={"name": "consent.v1.js"})
@bp.get("/consent.more.js", defaults={"name": "consent.more.js"})
@bp.get("/consent.v1.more.js", defaults={"name": "consent.v1.more.js"})
@bp.get("/consent.extra.js", defaults={"name": "consent.extra.js"})
@bp.get("/consent.v1.extra.js", defaults={"name": "consent.v1.extra.js"})
def get_script(name: str) -> Response:
    """Give the client script, which fetches the banner config of its `data-site`, or a part it loads on demand."""
    return _script(_file(SCRIPTS[name]))


@bp.get("/c/<key>.js")
def get_bundle(key: str) -> Response:
    """Give the client script with a site's banners inside: one request for everything."""
    parts = services()
    site = parts.sites.by_key(key)
    publication = None if site is None else parts.publications.of(site)
    if publication is None:
        raise NotFound("there is no bundle of this site")
    return _script(parts.shelf.give(f"c/{key}.js", publication, lambda: bundle(publication)))


@bp.get("/static/privacy.css")
def get_privacy_style() -> Response:
    """Give the style of the hosted privacy page."""
    return _answer(_file("privacy.css"), "text/css; charset=utf-8", SCRIPT_CACHE)


def bundle(publication: Publication) -> bytes:
    """Write a site's bundle."""
    is_dialog = publication.site.settings.banner.layout is Layout.DIALOG
    return write_bundle(
        publication.banners,
        publication.current.policy.default_language,
        core=read_static("consent.dialog.js" if is_dialog else "consent.core.js"),
        parts={part: read_part(part) for part in Part},
        script=script_of(publication).script_hash,
    )


def script_of(publication: Publication) -> Script:
    """Give the script that a site's bundle runs, without the site's config."""
    is_dialog = publication.site.settings.banner.layout is Layout.DIALOG
    return bundle_script(is_dialog=is_dialog, parts=parts_of(publication.banner()))


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


def _file(name: str) -> Asset:
    return services().shelf.give(name, None, lambda: read_static(name))
