"""Answer queries and the drops report of the reporting API."""

from __future__ import annotations

from flask import Blueprint, Response, request

from consent_service.browser.body import MAX_BODY, read_json
from consent_service.errors import Invalid
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.reporting import read_days, require_access, require_site
from consent_service.stats.drops import drops_by_reason, hide_small_drops
from consent_service.stats.parse import parse_query
from consent_service.stats.privacy import refuse_differencing, run_public
from consent_service.stats.query import QueryError, Site
from consent_service.stats.runner import run
from consent_service.web import json_response, read_body

bp = Blueprint("stats", __name__, url_prefix="/api")


@bp.post("/v2/query")
def post_query() -> Response:
    """Answer one query (the shape of Plausible's Stats API v2)."""
    access = require_access(Scope.STATS_READ)
    document = read_json(read_body(MAX_BODY))
    named = document.get("site_id") if isinstance(document, dict) else None
    if not isinstance(named, str):
        raise Invalid([("/site_id", "must be the site's key or domain")])
    site = require_site(access, named)
    parts = services()
    try:
        query = parse_query(document, Site(site.site_id, site.settings.timezone), parts.now())
        if access.is_public:
            refuse_differencing(query, document["date_range"])
    except QueryError as error:
        raise Invalid([(error.pointer, error.message)]) from error
    answer = run_public(parts.reader, query, parts.now()) if access.is_public else run(parts.reader, query)
    return json_response(answer.document())


@bp.get("/v1/drops")
def get_drops() -> Response:
    """Count what was refused and dropped, by reason; public tokens see no count of fewer than ten."""
    access = require_access(Scope.STATS_READ)
    site = require_site(access, request.args.get("site"))
    first, last = read_days(site)
    found = drops_by_reason(services().reader, site.site_id, first, last)
    answer = hide_small_drops(found) if access.is_public else found
    return json_response({"site": site.key, "from": first.isoformat(), "to": last.isoformat(), **answer})
