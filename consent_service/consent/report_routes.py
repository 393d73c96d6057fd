"""Answer the consent report and the consent log of the reporting API."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request

from consent_service.consent.report import consent_by_day, list_decisions, sum_up
from consent_service.errors import Invalid
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.reporting import read_days, require_access, require_site, zone_of
from consent_service.web import json_response

bp = Blueprint("consent_report", __name__, url_prefix="/api/v1")

PAGE = 500
BY = ("day",)


@bp.get("/consent")
def get_consent() -> Response:
    """Count who agreed, refused, chose and withdrew."""
    site = require_site(require_access(Scope.CONSENT_READ), request.args.get("site"))
    by = request.args.get("by", "day")
    if by not in BY:
        raise Invalid([("/by", f"must be one of {', '.join(BY)}")])
    first, last = read_days(site)
    parts = services()
    with parts.engine.connect() as connection:
        rows = consent_by_day(connection, site.site_id, first, last, zone_of(site), parts.now())
    return json_response(
        {
            "site": site.key,
            "from": first.isoformat(),
            "to": last.isoformat(),
            "by": by,
            "results": rows,
            "totals": sum_up(rows),
        }
    )


@bp.get("/decisions")
def get_decisions() -> Response:
    """List the decisions of a site for an audit, a page at a time."""
    site = require_site(require_access(Scope.CONSENT_READ), request.args.get("site"))
    cursor = _read_cursor(request.args.get("cursor"))
    with services().engine.connect() as connection:
        rows, following = list_decisions(connection, site.site_id, cursor, PAGE)
    text = None
    if following is not None:
        text = urlsafe_b64encode(f"{following[0].isoformat()} {following[1]}".encode()).decode()
    return json_response({"site": site.key, "decisions": rows, "cursor": text})


def _read_cursor(text: str | None) -> tuple[datetime, str] | None:
    if not text:
        return None
    try:
        at, _, decision_id = urlsafe_b64decode(text.encode()).decode().partition(" ")
        moment, found = datetime.fromisoformat(at), UUID(decision_id)
    except (Base64Error, UnicodeError, ValueError):
        raise Invalid([("/cursor", "is none that this service gave")]) from None
    if moment.tzinfo is None:
        raise Invalid([("/cursor", "is none that this service gave")])
    return moment, str(found)
