"""Give the signed certificate of an erasure to whoever was told its address."""

from __future__ import annotations

from flask import Blueprint, Response

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.certificate import UNKNOWN, describe_erasure
from consent_service.consent.erasure import CERTIFICATES, open_certificate_name
from consent_service.consent.tokens import BadToken
from consent_service.errors import NotFound
from consent_service.ledger.certificate import seal_document
from consent_service.services import services
from consent_service.web import allow_origins, json_response

bp = Blueprint("certificates", __name__, url_prefix=CERTIFICATES)
allow_origins(bp)


@bp.route("/<name>", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def get_certificate(name: str) -> Response:
    """Certify what an erasure deleted, signed by the log's key."""
    # Each is signed anew; it has a share of its own, so that reading it uses up no decision.
    limit_rate(read_sender(), "certificates", "decisions")
    parts = services()
    try:
        erasure_id = open_certificate_name(name, parts.signer)
    except BadToken:
        raise NotFound(UNKNOWN) from None
    with parts.engine.connect() as connection:
        document = describe_erasure(connection, erasure_id, parts.now())
    response = json_response(seal_document(parts.engine, document, parts.sign_checkpoint))
    response.headers["Content-Disposition"] = f'inline; filename="erasure-{erasure_id}.json"'
    return response
