"""Give visitors their receipt, and everybody the programs that check one without this service."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.cookies import read_every_token
from consent_service.consent.forms import is_own_host
from consent_service.consent.held import find_held, open_held
from consent_service.consent.publication import Publication
from consent_service.consent.receipt_document import receipt_document
from consent_service.errors import NotFound
from consent_service.services import services
from consent_service.sites.registry import Site
from consent_service.web import allow_origins

bp = Blueprint("receipt", __name__)
allow_origins(bp)

RECEIPT_TYPE: Final = "application/ld+json"
_UNKNOWN: Final = "there is no such receipt, or the token is not of it"
# The page has the same policy inside, for whoever keeps it; only a header can keep it out of others' frames.
_PAGE_SECURITY: Final = "frame-ancestors 'none'"
_CACHE: Final = "public, max-age=300"


@bp.route("/v1/receipts/<receipt_id>", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def get_receipt(receipt_id: str) -> Response:
    """Give a receipt to the browser that holds its token; to all others it is as unknown as any other."""
    limit_rate(read_sender(), "receipts", "decisions")
    parts = services()
    state = parts.receipts.state(receipt_id)
    site = None if state is None else parts.sites.by_id(state.site_id)
    publication = None if site is None else parts.publications.of(site)
    if site is None or publication is None or not _holds(site, receipt_id):
        raise NotFound(_UNKNOWN)
    return write_receipt(publication, receipt_id)


@bp.get("/verify.html")
def get_verify_page() -> Response:
    """Give the page that checks receipts and bundles in the browser, offline."""
    response = _checker("verify.html", "text/html")
    response.headers["Content-Security-Policy"] = _PAGE_SECURITY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/verify.py")
def get_verify_program() -> Response:
    """Give the program that checks receipts and bundles with Python's standard library."""
    return _checker("verify.py", "text/x-python")


def write_receipt(publication: Publication, receipt_id: str) -> Response:
    """Answer with a receipt; raises NotFound when its records are not there any more."""
    parts = services()
    with parts.engine.connect() as connection:
        document = receipt_document(connection, publication, receipt_id, parts.config.public_url, parts.now())
    if document is None:
        raise NotFound(_UNKNOWN)
    return _file(document, f"receipt-{publication.site.key}.jsonld")


def _holds(site: Site, receipt_id: str) -> bool:
    """Tell whether a token of the receipt came along: Bearer, the site's cookie, or the session of its own page."""
    now = services().now()
    texts = read_every_token(request, site, None)
    held = [open_held(site, text, now) for text in texts]
    held.append(find_held(request, site, is_own=is_own_host(site), now=now))
    return any(each is not None and each.token.receipt_id == receipt_id for each in held)


def _file(document: dict[str, Any], name: str) -> Response:
    response = Response(orjson.dumps(document), mimetype=RECEIPT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _checker(name: str, mimetype: str) -> Response:
    content = files("consent_service.ledger.verifier").joinpath(name).read_bytes()
    response = Response(content, mimetype=mimetype)
    response.headers["Cache-Control"] = _CACHE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.add_etag()
    response.make_conditional(request)
    return response
