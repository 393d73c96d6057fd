"""Show privacy officers where the ledger's checkpoints are kept outside this server, and give them the proofs."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from consent_service.console.auth import require_user
from consent_service.console.people import Role
from consent_service.errors import NotFound
from consent_service.ledger.anchors import Anchor, anchor_warnings, find_anchor, list_anchors
from consent_service.services import services

ROWS: Final = 100
KINDS: Final = {"timestamp": "Timestamp (RFC 3161)", "webhook": "Webhook", "email": "E-mail"}
STATUSES: Final = {"done": "Kept", "unverified": "Kept, not checked here", "failed": "Failed"}


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    bp.add_url_rule("/anchors", view_func=anchors)
    bp.add_url_rule("/anchors/<anchor_id>/checkpoint.txt", view_func=anchored_checkpoint)
    bp.add_url_rule("/anchors/<anchor_id>/checkpoint.tsr", view_func=anchored_stamp)


def anchors() -> AnyResponse:
    """List the newest anchors, and what is missing."""
    require_user(Role.PRIVACY_OFFICER)
    parts = services()
    with parts.engine.connect() as connection:
        listed = list_anchors(connection, ROWS)
        missing = anchor_warnings(connection, parts.config.anchors, parts.now())
    page = render_template("console/anchors.html", anchors=listed, missing=missing, kinds=KINDS, statuses=STATUSES)
    return make_response(page)


def anchored_checkpoint(anchor_id: str) -> AnyResponse:
    """Give the checkpoint that was anchored, byte for byte."""
    anchor = _find(anchor_id)
    return _file(anchor, anchor.note.encode(), "txt", "text/plain; charset=utf-8")


def anchored_stamp(anchor_id: str) -> AnyResponse:
    """Give the reply of the time-stamping authority, byte for byte."""
    anchor = _find(anchor_id)
    if anchor.token is None:
        raise NotFound("this anchor is no timestamp")
    return _file(anchor, anchor.token, "tsr", "application/timestamp-reply")


def _find(anchor_id: str) -> Anchor:
    require_user(Role.PRIVACY_OFFICER)
    with services().engine.connect() as connection:
        anchor = find_anchor(connection, anchor_id)
    if anchor is None:
        raise NotFound("there is no such anchor")
    return anchor


def _file(anchor: Anchor, content: bytes, ending: str, content_type: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="checkpoint-{anchor.tree_size}.{ending}"'
    return response
