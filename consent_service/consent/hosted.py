"""Show hosted pages that have forms: their frame, their language and their strict headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, render_template, request, url_for

from consent_service.consent.choice_words import matter_of
from consent_service.consent.privacy import language_name
from consent_service.consent.publication import Publication
from consent_service.consent.texts import text_direction, words

_HEADERS: Final = {
    "Cache-Control": "no-store",
    # With no-referrer a browser sends `Origin: null` with forms, and the origin could not be checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SECURITY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors"


def show_page(
    template: str,
    endpoint: str,
    publication: Publication,
    language: str,
    *,
    status: int = 200,
    framed_by: Sequence[str] = ("'none'",),
    **values: Any,
) -> Response:
    """Write a site's page in one of its policy's languages.

    `endpoint` is where the page is got, and `framed_by` says who may frame it (sources of `frame-ancestors`).
    """
    html = render_template(
        template,
        page=_frame(endpoint, publication, language),
        texts=publication.banner(language)["texts"],
        my=words(language, "my"),
        **values,
    )
    response = Response(html, status, mimetype="text/html", headers=dict(_HEADERS))
    response.headers["Content-Security-Policy"] = f"{_SECURITY} {' '.join(framed_by)}"
    return response


def lead_to(address: str) -> Response:
    """Answer a form with the address of the page that says what was done."""
    response = Response(status=303, headers=dict(_HEADERS))
    response.location = address
    return response


def _frame(endpoint: str, publication: Publication, language: str) -> dict[str, Any]:
    site, matter = publication.site, matter_of(publication, language)
    # In a frame the site's own page is around this one, and links lead out of the frame.
    is_framed = request.headers.get("Sec-Fetch-Dest") in ("iframe", "frame")
    return {
        "language": language,
        "dir": text_direction(language),
        "domain": site.settings.domain,
        "site_url": matter.site_url,
        "languages_label": matter.labels["languages"],
        "languages": [
            {"language": each, "name": language_name(each), "url": url_for(endpoint, key=site.key, lang=each)}
            for each in publication.current.policy.languages
        ],
        "style_url": url_for("assets.get_privacy_style"),
        "privacy_url": url_for("pages.get_privacy", key=site.key, lang=language),
        "is_framed": is_framed,
        "target": "_top" if is_framed else "_self",
    }
