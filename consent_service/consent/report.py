"""Count decisions: who agreed, refused, chose and withdrew, day by day, without naming anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import CTE, Connection, Integer, and_, column, func, or_, select, values

from consent_service.consent.kinds import ACCEPTED, CUSTOMISED, REFUSED, WITHDRAWN
from consent_service.days import day_start
from consent_service.db.columns import UtcDateTime
from consent_service.db.tables import decision, receipt
from consent_service.times import timestamp

EXPIRED, SHOWN, IGNORED = "expired", "shown", "ignored"
_TICK = timedelta(microseconds=1)
COUNTS = (ACCEPTED, REFUSED, CUSTOMISED, WITHDRAWN, EXPIRED)


def consent_by_day(
    connection: Connection, site_id: int, first_day: date, last_day: date, zone: ZoneInfo, now: datetime
) -> list[dict[str, Any]]:
    """Count decisions for each day of the site's time zone, both ends included.

    `shown` and `ignored` are None: decisions do not tell them, and they are never guessed (`shown.add_shown`).
    `customised` are those who granted some purposes and refused others; rates are of those who decided.
    """
    days = [first_day + timedelta(days=offset) for offset in range((last_day - first_day).days + 1)]
    spans = _spans(days, zone)
    counts: Counter[tuple[int, str]] = Counter()
    # Joined so that each day stays the outer loop: SQLite would else look up the day of each decision.
    decided = and_(decision.c.site_id == site_id, decision.c.decided_at.between(spans.c.start_at, spans.c.end_at))
    grouped = (
        select(spans.c.number, decision.c.counts_as, func.count())
        .join_from(spans, decision, decided, isouter=True)
        .group_by(spans.c.number, decision.c.counts_as)
    )
    for number, kinds, n in connection.execute(grouped):
        for kind in (kinds or "").split():
            counts[number, kind] += n
    over = and_(
        receipt.c.site_id == site_id,
        receipt.c.withdrawn_at.is_(None),
        receipt.c.expires_at < now,
        receipt.c.expires_at.between(spans.c.start_at, spans.c.end_at),
    )
    ended = (
        select(spans.c.number, func.count(receipt.c.expires_at))
        .join_from(spans, receipt, over, isouter=True)
        .group_by(spans.c.number)
    )
    counts.update({(number, EXPIRED): n for number, n in connection.execute(ended)})
    return [
        {"day": day.isoformat(), **with_rates({kind: counts[number, kind] for kind in COUNTS})}
        for number, day in enumerate(days)
    ]


def sum_up(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Add up the rows of `consent_by_day`."""
    totals = Counter[str]()
    for row in rows:
        totals.update({kind: row[kind] for kind in COUNTS})
    return with_rates({kind: totals[kind] for kind in COUNTS})


def list_decisions(
    connection: Connection, site_id: int, cursor: tuple[datetime, str] | None, limit: int
) -> tuple[list[dict[str, Any]], tuple[datetime, str] | None]:
    """List decisions, the oldest first, after a cursor; no more of anyone than the receipt.

    The second value is the cursor, (time, decision id), that the next page begins after; None at the end.
    """
    statement = select(decision).where(decision.c.site_id == site_id)
    if cursor is not None:
        at, last_id = cursor
        later = and_(decision.c.decided_at == at, decision.c.decision_id > last_id)
        # The first condition says nothing new, except to an index.
        statement = statement.where(decision.c.decided_at >= at, or_(decision.c.decided_at > at, later))
    rows = connection.execute(statement.order_by(decision.c.decided_at, decision.c.decision_id).limit(limit)).all()
    following = (rows[-1].decided_at, rows[-1].decision_id) if len(rows) == limit else None
    return [
        {
            "decision_id": row.decision_id,
            "receipt_id": row.receipt_id,
            "previous_id": row.previous_id,
            "action": row.action,
            "purposes": row.purposes,
            "withdrawn": row.withdrawn,
            "policy_version": row.policy_version,
            "notice_hash": row.notice_hash,
            "language": row.language,
            "mechanism": row.mechanism,
            "decided_at": timestamp(row.decided_at),
            "expires_at": timestamp(row.expires_at),
            "marks": read_marks(row.record),
        }
        for row in rows
    ], following


def read_marks(record: bytes | None) -> list[str]:
    """Give what did not fit in the evidence of a grant; nothing once the record was erased."""
    marks: list[str] = [] if record is None else orjson.loads(record).get("marks", [])
    return marks


def with_rates(counts: dict[str, int]) -> dict[str, Any]:
    """Give a row of a report: counts, the rates of those who decided, in percent, and what is not known."""
    decided = counts[ACCEPTED] + counts[REFUSED] + counts[CUSTOMISED]
    rates = {
        f"{kind}_rate": round(100 * counts[kind] / decided, 1) if decided else None
        for kind in (ACCEPTED, REFUSED, CUSTOMISED)
    }
    return {SHOWN: None, **counts, IGNORED: None, **rates}


def _spans(days: Sequence[date], zone: ZoneInfo) -> CTE:
    """Give a table of the days' first and last moments, so that the database counts by them.

    Neither database needs to know the zone, whose days have 23 or 25 hours twice a year.
    """
    starts = [day_start(day, zone) for day in [*days, days[-1] + timedelta(days=1)]]
    # Times are kept in microseconds.
    spans = [(number, start, end - _TICK) for number, (start, end) in enumerate(pairwise(starts))]
    table = values(
        column("number", Integer), column("start_at", UtcDateTime()), column("end_at", UtcDateTime()), name="span"
    )
    return table.data(spans).cte("spans")
