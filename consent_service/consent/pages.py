"""Serve the hosted privacy page of each site."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from consent_service.consent.forms import is_own_host
from consent_service.consent.policy import Policy
from consent_service.consent.privacy import privacy_page, render_privacy
from consent_service.consent.publication import Publication
from consent_service.consent.routes import find_publication
from consent_service.consent.texts import choose_language
from consent_service.errors import NotFound
from consent_service.web import find_site, json_response

bp = Blueprint("pages", __name__, url_prefix="/privacy")

_CACHE = "public, max-age=300"


@bp.get("/<key>.json")
@bp.get("/<key>/<int:version>.json")
def get_privacy_json(key: str, version: int | None = None) -> Response:
    """Give the privacy policy as data."""
    response = json_response(_page(find_publication(find_site(key)), version), cache=_CACHE)
    response.vary.add("Accept-Language")
    return response


@bp.get("/<key>")
@bp.get("/<key>/<int:version>")
def get_privacy(key: str, version: int | None = None) -> Response:
    """Give the privacy policy as a page in the reader's language."""
    publication = find_publication(find_site(key))
    # The banner can be reopened here only when this origin is one of those that may decide.
    script = url_for("assets.get_bundle", key=key) if is_own_host(publication.site) else None
    style = url_for("assets.get_privacy_style")
    page = render_privacy(_page(publication, version), script_src=script, stylesheet_href=style)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = _CACHE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.vary.add("Accept-Language")
    return response


def reader_language(policy: Policy) -> str:
    """Give the policy's language nearest to the address's `lang`, or without one to what the browser asks for."""
    asked = request.args.get("lang")
    wanted = [asked] if asked else [tag for tag, quality in request.accept_languages if quality > 0]
    return choose_language(policy.languages, policy.default_language, *wanted)


def _page(publication: Publication, version: int | None) -> dict[str, Any]:
    shown = publication.current if version is None else publication.versions.get(version)
    if shown is None:
        raise NotFound("this site has no policy version of this number")
    site = publication.site
    return privacy_page(
        site.key,
        site.settings,
        shown,
        reader_language(shown.policy),
        is_pinned=version is not None,
        root=request.script_root,
    )
