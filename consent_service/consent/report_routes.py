"""Answer the consent report and the consent log of the reporting API."""

from __future__ import annotations

from flask import Blueprint, Response, request

from consent_service.consent.public_report import hide_small_days
from consent_service.consent.report import consent_by_day, list_decisions, sum_up
from consent_service.consent.report_by import By, consent_by
from consent_service.consent.shown import add_shown, sum_shown
from consent_service.errors import Forbidden, Invalid
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.reporting import read_cursor, read_days, require_access, require_site, write_cursor, zone_of
from consent_service.web import json_response

bp = Blueprint("consent_report", __name__, url_prefix="/api/v1")

PAGE = 500


@bp.get("/consent")
def get_consent() -> Response:
    """Count who agreed, refused, chose and withdrew; public tokens see no count of fewer than ten."""
    access = require_access(Scope.CONSENT_READ)
    site = require_site(access, request.args.get("site"))
    by = _read_by()
    if access.is_public and by is not By.DAY:
        # Taken away from the days' totals, what is shown of the others would tell the one that is hidden.
        raise Forbidden("a public API token reads the consent report by day alone")
    first, last = read_days(site)
    parts = services()
    asked = (site.site_id, first, last, zone_of(site), parts.now())
    with parts.engine.connect() as connection:
        rows = consent_by_day(connection, *asked) if by is By.DAY else consent_by(connection, *asked, by)
        rows = add_shown(connection, site, first, last, by, rows)
    totals = {**sum_up(rows), **sum_shown(rows)}
    answer = hide_small_days(rows) if access.is_public else {"results": rows, "totals": totals}
    return json_response({"site": site.key, "from": first.isoformat(), "to": last.isoformat(), "by": by, **answer})


@bp.get("/decisions")
def get_decisions() -> Response:
    """List the decisions of a site for an audit, a page at a time; public tokens are refused."""
    access = require_access(Scope.CONSENT_READ)
    if access.is_public:
        raise Forbidden("a public API token reads no single decisions")
    site = require_site(access, request.args.get("site"))
    found = read_cursor()
    cursor = None if found is None else (found[0], str(found[1]))
    with services().engine.connect() as connection:
        rows, following = list_decisions(connection, site.site_id, cursor, PAGE)
    text = None if following is None else write_cursor(*following)
    return json_response({"site": site.key, "decisions": rows, "cursor": text})


def _read_by() -> By:
    try:
        return By(request.args.get("by", By.DAY))
    except ValueError:
        raise Invalid([("/by", f"must be one of {', '.join(By)}")]) from None
