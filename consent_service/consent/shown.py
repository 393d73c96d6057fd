"""Say beside decisions how often banners were shown and left unanswered, on the days that this was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consent_service.consent.kinds import ACCEPTED, CUSTOMISED, REFUSED
from consent_service.consent.report import COUNTS, IGNORED, SHOWN, with_rates
from consent_service.consent.report_by import By
from consent_service.days import day_start
from consent_service.db.tables import coverage_count, decision, notice
from consent_service.sites.registry import Site
from consent_service.sites.reporting import local_date, zone_of

_DECIDED: Final = (ACCEPTED, REFUSED, CUSTOMISED)


def add_shown(
    connection: Connection, site: Site, first_day: date, last_day: date, by: By, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Put `shown` and `ignored` into the rows of a report, None where they are not known.

    A day is known when banners were counted on it; `ignored` is what was shown and not decided, reloads included, and
    never below nought: some decide without a banner. What a count does not say (country, device) stays None.
    """
    if not site.settings.coverage_counts or by in (By.COUNTRY, By.DEVICE):
        return list(rows)
    counts = _shown(connection, site.site_id, first_day, last_day, by)
    if by is not By.DAY:
        if not _is_whole(connection, site, first_day, last_day):
            return [{**row, SHOWN: counts.get(row[str(by)])} for row in rows]
        known = {row[str(by)] for row in rows}
        rows = [*rows, *({str(by): value, **with_rates(dict.fromkeys(COUNTS, 0))} for value in counts.keys() - known)]
    return [_with_shown(row, counts.get(row[str(by)])) for row in rows]


def sum_shown(rows: Iterable[Mapping[str, Any]]) -> dict[str, int | None]:
    """Add up what is known of `shown` and `ignored`; None where nothing is."""
    found: dict[str, int | None] = {}
    told = list(rows)
    for kind in (SHOWN, IGNORED):
        known = [row[kind] for row in told if row.get(kind) is not None]
        found[kind] = sum(known) if known else None
    return found


def _is_whole(connection: Connection, site: Site, first_day: date, last_day: date) -> bool:
    """Tell whether banners were counted from the first decision of these days on: else nothing tells the ignored."""
    zone = zone_of(site)
    start, end = day_start(first_day, zone), day_start(last_day + timedelta(days=1), zone)
    decided = select(func.min(decision.c.decided_at)).where(
        decision.c.site_id == site.site_id, decision.c.decided_at >= start, decision.c.decided_at < end
    )
    counted = select(func.min(coverage_count.c.day)).where(
        coverage_count.c.site_id == site.site_id, coverage_count.c.day.between(first_day, last_day)
    )
    first_at, first_counted = connection.execute(decided).scalar(), connection.execute(counted).scalar()
    return first_counted is not None and (first_at is None or local_date(site, first_at) >= first_counted)


def _with_shown(row: dict[str, Any], shown: int | None) -> dict[str, Any]:
    if shown is None:
        return row
    return {**row, SHOWN: shown, IGNORED: max(0, shown - sum(row[kind] for kind in _DECIDED))}


def _shown(connection: Connection, site_id: int, first_day: date, last_day: date, by: By) -> Counter[Any]:
    columns: Mapping[By, Any] = {
        By.DAY: coverage_count.c.day,
        By.LANGUAGE: coverage_count.c.language,
        By.BANNER: coverage_count.c.notice_hash,
        By.POLICY_VERSION: notice.c.policy_version,
    }
    joined = coverage_count.join(notice, notice.c.notice_hash == coverage_count.c.notice_hash)
    grouped = (
        select(columns[by], func.sum(coverage_count.c.n))
        .select_from(joined)
        .where(coverage_count.c.site_id == site_id, coverage_count.c.day.between(first_day, last_day))
        .group_by(columns[by])
    )
    found = connection.execute(grouped)
    return Counter({value.isoformat() if by is By.DAY else value: int(n) for value, n in found})
