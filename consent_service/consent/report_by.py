"""Count decisions by what is known of them: language, country, device, policy version or banner."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from consent_service.consent.kinds import REFUSED
from consent_service.consent.report import COUNTS, EXPIRED, with_rates
from consent_service.days import day_start
from consent_service.db.tables import decision, decision_count, receipt


class By(StrEnum):
    """Name what the consent report counts by."""

    DAY = "day"
    LANGUAGE = "language"
    COUNTRY = "country"
    DEVICE = "device"
    POLICY_VERSION = "policy_version"
    BANNER = "banner"


_COLUMNS: Final = {
    By.LANGUAGE: decision.c.language,
    By.COUNTRY: decision.c.country,
    By.DEVICE: decision.c.device,
    By.POLICY_VERSION: decision.c.policy_version,
    By.BANNER: decision.c.notice_hash,
}
# A refusal's record does not have them: there are only the sums of each day.
_SUMMED: Final = (By.COUNTRY, By.DEVICE)

Key = tuple[str | int | None, str]


def consent_by(
    connection: Connection, site_id: int, first_day: date, last_day: date, zone: ZoneInfo, now: datetime, by: By
) -> list[dict[str, Any]]:
    """Count the decisions of some days by anything but the day, those with the most decisions first.

    What is not known of a decision is None: country and device of a withdrawal are never known.
    """
    start, end = day_start(first_day, zone), day_start(last_day + timedelta(days=1), zone)
    counts = _decided(connection, site_id, start, end, by)
    if by in _SUMMED:
        counts.update(_summed_refusals(connection, site_id, first_day, last_day, by))
    # Both tables say the version: without the join an index alone tells it.
    column = receipt.c.policy_version if by is By.POLICY_VERSION else _COLUMNS[by]
    joined = receipt.join(decision, decision.c.decision_id == receipt.c.decision_id)
    ended = (
        select(column, func.count())
        .select_from(receipt if by is By.POLICY_VERSION else joined)
        .where(receipt.c.site_id == site_id, receipt.c.withdrawn_at.is_(None))
        .where(receipt.c.expires_at >= start, receipt.c.expires_at < min(end, now))
        .group_by(column)
    )
    counts.update({(value, EXPIRED): n for value, n in connection.execute(ended)})
    found = dict.fromkeys(value for value, _ in counts)
    rows = [{str(by): value, **with_rates({kind: counts[value, kind] for kind in COUNTS})} for value in found]
    return sorted(rows, key=lambda row: (-sum(row[kind] for kind in COUNTS), str(row[by])))


def _decided(connection: Connection, site_id: int, start: datetime, end: datetime, by: By) -> Counter[Key]:
    grouped = (
        select(_COLUMNS[by], decision.c.counts_as, func.count())
        .where(decision.c.site_id == site_id, decision.c.decided_at >= start, decision.c.decided_at < end)
        .group_by(_COLUMNS[by], decision.c.counts_as)
    )
    if by in _SUMMED:
        grouped = grouped.where(decision.c.receipt_id.is_not(None))
    counts: Counter[Key] = Counter()
    for value, kinds, n in connection.execute(grouped):
        for kind in kinds.split():
            counts[value, kind] += n
    return counts


def _summed_refusals(connection: Connection, site_id: int, first_day: date, last_day: date, by: By) -> dict[Key, int]:
    summed = (
        select(decision_count.c.value, func.sum(decision_count.c.n))
        .where(decision_count.c.site_id == site_id, decision_count.c.dimension == str(by))
        .where(decision_count.c.day.between(first_day, last_day))
        .group_by(decision_count.c.value)
    )
    return {(value or None, REFUSED): n for value, n in connection.execute(summed)}
