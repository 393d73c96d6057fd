"""Show privacy officers what visitors decided by what is known of them, and what was erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, render_template, request
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as AnyResponse

from consent_service.consent.erasure import Erasure, certificate_url
from consent_service.consent.report import COUNTS, consent_by_day
from consent_service.consent.report_by import By, consent_by
from consent_service.consent.shown import add_shown
from consent_service.console.auth import require_site, require_user
from consent_service.console.people import Role
from consent_service.console.spans import CUSTOM, NAMES, TODAY, BadSpan, Span, choose_span, named_span
from consent_service.console.wording import NO_NUMBER, country_name, language_text, percent_text
from consent_service.db.tables import erasure_job
from consent_service.services import services
from consent_service.sites.registry import Site

DEFAULT_SPAN: Final = "28d"
# Erasures come with every withdrawal; those before the newest are in the deletions feed and in the log.
ERASURES: Final = 200
HEADINGS: Final = {
    By.DAY: "Day",
    By.LANGUAGE: "Language",
    By.COUNTRY: "Country",
    By.DEVICE: "Device",
    By.POLICY_VERSION: "Policy version",
    By.BANNER: "Banner",
}
REASONS: Final = {
    "withdrawal": "Withdrawn by the visitor",
    "request": "Request upheld",
    "retention": "Time was over",
}
STATUSES: Final = {"pending": "Waits for the keeper", "done": "Erased", "held": "Waits for a legal hold"}


@dataclass(frozen=True, slots=True)
class Row:
    """Hold the decisions of one day, language or the like; `shown` is a dash where no banner was counted."""

    name: str
    counts: tuple[int, ...]
    agreed: str
    refused: str
    shown: str


@dataclass(frozen=True, slots=True)
class Erased:
    """Hold one erasure; `certificate` is an address once it is done."""

    requested_at: datetime
    reason: str
    status: str
    events: int | None
    records: int | None
    done_at: datetime | None
    compacted_at: datetime | None
    certificate: str | None


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    bp.add_url_rule("/sites/<key>/consents", view_func=consents)
    bp.add_url_rule("/sites/<key>/erasures", view_func=erasures)


def consents(key: str) -> AnyResponse:
    """Count a period's decisions by day, language, country, device, policy version or banner."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    asked = request.args.get("by", By.LANGUAGE)
    by = By(asked) if asked in set(By) else By.LANGUAGE
    span, problem = _span(site)
    with services().engine.connect() as connection:
        rows = _count(connection, site, span, by)
        if not rows and not {"period", "from", "to"} & request.args.keys():
            # The days before today are empty at a new site; its first decisions should not have to be looked for.
            span = named_span(TODAY, services().now(), site.settings.timezone)
            rows = _count(connection, site, span, by)
    page = render_template(
        "console/consents.html",
        site=site,
        by=by,
        headings=HEADINGS,
        names=NAMES,
        span=span,
        asked=_asked(span),
        problem=problem,
        kinds=COUNTS,
        rows=rows,
        is_counted=site.settings.coverage_counts,
    )
    return make_response(page, 422 if problem else 200)


def erasures(key: str) -> AnyResponse:
    """List what was erased of a site, the newest first, with the certificates."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    with services().engine.connect() as connection:
        listed = list_erased(connection, site.site_id)
    page = render_template(
        "console/erasures.html", site=site, erasures=listed, reasons=REASONS, statuses=STATUSES, most=ERASURES
    )
    return make_response(page)


def list_erased(connection: Connection, site_id: int) -> list[Erased]:
    """Give the newest erasures of a site."""
    found = connection.execute(
        select(erasure_job)
        .where(erasure_job.c.site_id == site_id)
        .order_by(erasure_job.c.requested_at.desc(), erasure_job.c.erasure_id.desc())
        .limit(ERASURES)
    )
    return [_erased(row) for row in found]


def _erased(row: Any) -> Erased:
    erasure = Erasure(row.erasure_id, row.status, row.events, row.due_at)
    return Erased(
        requested_at=row.requested_at,
        reason=row.reason,
        status=row.status,
        events=row.events,
        records=row.records if row.removes_records else None,
        done_at=row.done_at,
        compacted_at=row.compacted_at,
        certificate=certificate_url(erasure, services().signer) if row.status == "done" else None,
    )


def _count(connection: Connection, site: Site, span: Span, by: By) -> list[Row]:
    zone, now = ZoneInfo(site.settings.timezone), services().now()
    if by is By.DAY:
        counted = consent_by_day(connection, site.site_id, span.first_day, span.last_day, zone, now)
        counted = [row for row in counted if any(row[kind] for kind in COUNTS)]
    else:
        counted = consent_by(connection, site.site_id, span.first_day, span.last_day, zone, now, by)
    rows = add_shown(connection, site, span.first_day, span.last_day, by, counted)
    return [_row(row, by) for row in rows]


def _row(row: dict[str, Any], by: By) -> Row:
    decided = sum(row[kind] for kind in ("accepted", "refused", "customised"))
    agreed = row["accepted"] + row["customised"]
    return Row(
        name=_name(row[str(by)], by),
        counts=tuple(row[kind] for kind in COUNTS),
        agreed=percent_text(100 * agreed / decided if decided else None),
        refused=percent_text(row["refused_rate"]),
        shown=NO_NUMBER if row["shown"] is None else f"{row['shown']:,}",
    )


def _name(value: Any, by: By) -> str:
    if value in (None, ""):
        return "not known"
    match by:
        case By.DAY:
            day = date.fromisoformat(value)
            return f"{day.day} {day:%b %Y}"
        case By.LANGUAGE:
            return language_text(value)
        case By.COUNTRY:
            return country_name(value)
        case By.POLICY_VERSION:
            return f"Version {value}"
        case By.BANNER:
            return f"{value[:12]}…"
    return str(value)


def _asked(span: Span) -> dict[str, str]:
    if span.name == CUSTOM:
        return {"from": span.first_day.isoformat(), "to": span.last_day.isoformat()}
    return {"period": span.name}


def _span(site: Site) -> tuple[Span, str]:
    now, zone = services().now(), site.settings.timezone
    try:
        return choose_span(request.args, now, zone, DEFAULT_SPAN), ""
    except BadSpan as error:
        return named_span(DEFAULT_SPAN, now, zone), str(error)
