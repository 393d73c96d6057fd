"""Stream consented events to data teams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from flask import Blueprint, Response, request

from consent_service.days import day_start
from consent_service.errors import Invalid
from consent_service.export.rows import read_rows, statement, write_csv, write_jsonl
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.reporting import read_cursor, read_days, require_access, require_site, write_cursor, zone_of

bp = Blueprint("export", __name__, url_prefix="/api/v1")

CHUNK = 2_000
Chunks = Iterable[list[dict[str, Any]]]
FORMATS: dict[str, tuple[str, Callable[[Chunks], Iterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", write_jsonl),
    "csv": ("text/csv; charset=utf-8", write_csv),
}


@bp.get("/events")
def get_events() -> Response:
    """Stream a site's events with the consent that allowed each row.

    `from` and `to` are days of reception. With `limit`, the header `X-Next-Cursor` says where to go on.
    """
    site = require_site(require_access(Scope.EVENTS_EXPORT), request.args.get("site"))
    name = request.args.get("format", "jsonl")
    if name not in FORMATS:
        raise Invalid([("/format", f"must be one of {', '.join(FORMATS)}")])
    first, last = read_days(site)
    zone = zone_of(site)
    rows = statement(site.site_id, day_start(first, zone), day_start(last + timedelta(days=1), zone), read_cursor())
    limit = _limit()
    chunks = services().reader.stream(rows if limit is None else rows.limit(limit), CHUNK)
    # The first chunk is read before the answer begins, so that a store that is down is a 503 and not a torn stream.
    begun = next(iter(chunks), [])
    mimetype, write = FORMATS[name]
    response = Response(write(read_rows(site.key, chain([begun], chunks))), content_type=mimetype)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="events-{site.key}-{first}-{last}.{name}"'
    if limit is not None and len(begun) == limit:
        at, event_id = begun[-1][1], begun[-1][0]
        response.headers["X-Next-Cursor"] = write_cursor(at, event_id)
    return response


def _limit() -> int | None:
    text = request.args.get("limit")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or not 1 <= int(text) <= CHUNK:
        raise Invalid([("/limit", f"must be a whole number from 1 to {CHUNK}")])
    return int(text)
