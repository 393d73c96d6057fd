"""Lead a visitor to the copy of their data by a link of ten minutes, and write that copy as a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, Response, render_template, request
from sqlalchemy import Connection, select

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.texts import built_in_languages, choose_language, text_direction, words
from consent_service.consent.tokens import LEEWAY, BadToken, TokenSigner
from consent_service.db.audit import note
from consent_service.db.tables import receipt
from consent_service.errors import NotFound
from consent_service.ids import new_id
from consent_service.services import services
from consent_service.sites.registry import Site

SALT: Final = "receipt-link/v1"
LIFE: Final = timedelta(minutes=10)
COPIES: Final = "/v1/copies"
VISITOR: Final = "visitor"
TYPES: Final = {"json": "application/json", "csv": "text/csv"}
_FALLBACK: Final = "en"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_SECURITY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

bp = Blueprint("copies", __name__, url_prefix=COPIES, template_folder="templates")


class LinkGone(Exception):
    """Tell that a link to a copy is over, altered, or of a receipt that is not there any more."""


def make_link(
    connection: Connection, signer: TokenSigner, site: Site, receipt_id: str, actor: str, at: datetime
) -> str:
    """Give the path of a copy, without its format, that opens for ten minutes; the audit says who asked for it."""
    # A number of its own ties the opening to the making in the audit, without the receipt that may be forgotten.
    link_id = new_id()
    note(connection, at=at, actor=actor, action="access link", subject=link_id, site_id=site.site_id)
    return f"{COPIES}/{signer.seal(SALT).sign([site.key, receipt_id, link_id], at)}"


def open_link(signer: TokenSigner, link: str, now: datetime) -> tuple[str, str, str]:
    """Give the site's key, the receipt and the link's number; raises LinkGone."""
    try:
        payload, made_at = signer.seal(SALT).open(link)
    except BadToken:
        raise LinkGone from None
    if not now - LIFE < made_at <= now + LEEWAY:
        raise LinkGone
    match payload:
        case [str(key), str(receipt_id), str(link_id)]:
            return key, receipt_id, link_id
    raise LinkGone


@bp.get("/<link>/<format>")
def get_copy(link: str, format: str) -> Response:
    """Give the copy that a link leads to; without a link that holds, a page that says so."""
    limit_rate(read_sender(), "copies", "decisions")
    if format not in TYPES:
        raise NotFound("a copy is written as json or csv")
    parts = services()
    try:
        key, receipt_id, link_id = open_link(parts.signer, link, parts.now())
        site = _find_site(key, receipt_id)
    except LinkGone:
        return _gone()
    response = write_copy(site, receipt_id, format)
    parts.writer.run(
        lambda connection: note(
            connection,
            at=parts.now(),
            actor=VISITOR,
            action="access",
            subject=link_id,
            site_id=site.site_id,
            detail={"format": format},
        )
    )
    return response


def write_copy(site: Site, receipt_id: str, format: str) -> Response:
    """Answer with everything a site has stored under a receipt, as a JSON or CSV file that nobody caches."""
    parts = services()
    now = parts.now()
    response = Response(parts.copy_receipt(site, receipt_id, now, format), mimetype=TYPES[format], headers=_HEADERS)
    response.headers["Content-Disposition"] = f'attachment; filename="consent-{site.key}-{now.date()}.{format}"'
    return response


def _find_site(key: str, receipt_id: str) -> Site:
    parts = services()
    site = parts.sites.by_key(key)
    if site is None:
        raise LinkGone
    of_it = select(receipt.c.receipt_id).where(receipt.c.receipt_id == receipt_id, receipt.c.site_id == site.site_id)
    with parts.engine.connect() as connection:
        if connection.execute(of_it).first() is None:
            raise LinkGone
    return site


def _gone() -> Response:
    languages = sorted(built_in_languages())
    wanted = [tag for tag, quality in request.accept_languages if quality > 0]
    language = choose_language(languages, _FALLBACK, *wanted)
    page = render_template(
        "link_gone.html", language=language, dir=text_direction(language), text=words(language, "my")["link_gone"]
    )
    response = Response(page, 403, mimetype="text/html", headers=_HEADERS)
    response.headers["Content-Security-Policy"] = _SECURITY
    response.vary.add("Accept-Language")
    return response
