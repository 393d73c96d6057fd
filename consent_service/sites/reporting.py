"""Read what every reporting call says: who asks, for which site, for which days."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from consent_service.errors import Forbidden, Invalid, NotFound
from consent_service.services import services
from consent_service.sites.access import Access, Scope, check_token, is_use_noted, note_use
from consent_service.sites.registry import Site

log = logging.getLogger("consent_service")

MAX_DAYS = 3_660


def require_access(scope: Scope) -> Access:
    """Give what the request's API token allows; raises Unauthenticated or Forbidden."""
    parts, now = services(), services().now()
    with parts.engine.connect() as connection:
        access = check_token(connection, request.headers.get("Authorization"), scope, now)
    if not is_use_noted(access, now):
        try:
            parts.writer.run(lambda connection: note_use(connection, access, now))
        except SQLAlchemyError as error:
            # What is asked can be answered all the same.
            log.warning("the use of an API token could not be noted: %s", type(error).__name__)
    return access


def require_site(access: Access, named: str | None) -> Site:
    """Give the site a call names by key or domain, which must be the token's own; raises NotFound or Forbidden."""
    if not named:
        raise Invalid([("/site", "name the site by its key or domain")])
    site = services().sites.by_key_or_domain(named)
    own = services().sites.by_id(access.site_id)
    # Two sites may share a domain; the token says which one is meant.
    if own is not None and named in (own.key, own.settings.domain):
        return own
    if site is None:
        raise NotFound("there is no site with this key or domain")
    raise Forbidden("the API token belongs to another site")


def zone_of(site: Site) -> ZoneInfo:
    """Give the site's time zone; all days of reports are its days."""
    return ZoneInfo(site.settings.timezone)


def read_days(site: Site) -> tuple[date, date]:
    """Read `from` and `to`, days of the site's time zone, both included; the last 30 days without them."""
    today = local_date(site, services().now())
    problems: list[tuple[str, str]] = []
    last = _day("to", today, problems)
    first = _day("from", last - timedelta(days=29), problems)
    if not problems and first > last:
        problems.append(("/from", "must not be after `to`"))
    if not problems and (last - first).days >= MAX_DAYS:
        problems.append(("/from", f"a report spans {MAX_DAYS} days at most"))
    if problems:
        raise Invalid(problems)
    return first, last


def local_date(site: Site, moment: datetime) -> date:
    """Give the day of a moment in the site's time zone."""
    return moment.astimezone(zone_of(site)).date()


def write_cursor(moment: datetime, row_id: object) -> str:
    """Write where a page of rows ended: after this time and this UUID."""
    return urlsafe_b64encode(f"{moment.isoformat()} {row_id}".encode()).decode()


def read_cursor() -> tuple[datetime, UUID] | None:
    """Read `cursor`, None without one; raises Invalid for what `write_cursor` did not write."""
    text = request.args.get("cursor")
    if not text:
        return None
    try:
        at, _, row_id = urlsafe_b64decode(text.encode()).decode().partition(" ")
        moment, found = datetime.fromisoformat(at), UUID(row_id)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        # A zone may lead out of the years that there are.
        return moment.astimezone(UTC), found
    except (Base64Error, UnicodeError, ValueError, OverflowError):
        raise Invalid([("/cursor", "is none that this service gave")]) from None


def _day(name: str, default: date, problems: list[tuple[str, str]]) -> date:
    text = request.args.get(name)
    if not text:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) != 10 or not 1970 <= found.year <= 9000:
        problems.append((f"/{name}", "must be a day like 2026-03-01"))
        return default
    return found
