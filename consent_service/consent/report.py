"""Count decisions: who agreed, refused, chose and withdrew, day by day, without naming anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, and_, or_, select

from consent_service.consent.acts import timestamp
from consent_service.consent.decision import Action
from consent_service.db.tables import decision, receipt

ACCEPTED, REFUSED, CUSTOMISED, WITHDRAWN, EXPIRED = (
    "accepted",
    "refused",
    "customised",
    "withdrawn",
    "expired",
)
COUNTS = (ACCEPTED, REFUSED, CUSTOMISED, WITHDRAWN, EXPIRED)


def consent_by_day(
    connection: Connection, site_id: int, first_day: date, last_day: date, zone: ZoneInfo, now: datetime
) -> list[dict[str, Any]]:
    """Count decisions for each day of the site's time zone, both ends included.

    `shown` and `ignored` are None: nobody who has not decided is counted, so they are not known, and never guessed.
    `customised` are those who granted some purposes and refused others; rates are of those who decided.
    """
    start, end = _bounds(first_day, last_day, zone)
    counts: Counter[tuple[date, str]] = Counter()
    rows = connection.execute(
        select(decision.c.decided_at, decision.c.action, decision.c.purposes, decision.c.withdrawn).where(
            decision.c.site_id == site_id, decision.c.decided_at >= start, decision.c.decided_at < end
        )
    )
    for decided_at, action, purposes, withdrawn in rows:
        day = decided_at.astimezone(zone).date()
        for kind in _kinds(action, purposes, withdrawn):
            counts[day, kind] += 1
    ended = connection.execute(
        select(receipt.c.expires_at).where(
            receipt.c.site_id == site_id,
            receipt.c.withdrawn_at.is_(None),
            receipt.c.expires_at >= start,
            receipt.c.expires_at < min(end, now),
        )
    ).scalars()
    counts.update((moment.astimezone(zone).date(), EXPIRED) for moment in ended)
    days = (first_day + timedelta(days=offset) for offset in range((last_day - first_day).days + 1))
    return [{"day": day.isoformat(), **_row({kind: counts[day, kind] for kind in COUNTS})} for day in days]


def sum_up(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Add up the rows of `consent_by_day`."""
    totals = Counter[str]()
    for row in rows:
        totals.update({kind: row[kind] for kind in COUNTS})
    return _row({kind: totals[kind] for kind in COUNTS})


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
        statement = statement.where(or_(decision.c.decided_at > at, later))
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


def _kinds(action: str, purposes: dict[str, bool], withdrawn: list[str]) -> list[str]:
    kinds = [WITHDRAWN] if withdrawn else []
    if action == Action.WITHDRAW:
        return kinds
    granted = sum(purposes.values())
    if granted == 0:
        # Reopening and refusing is a withdrawal; counting it as a refusal too would count one person twice.
        return kinds or [REFUSED]
    return [*kinds, ACCEPTED if granted == len(purposes) else CUSTOMISED]


def _row(counts: dict[str, int]) -> dict[str, Any]:
    decided = counts[ACCEPTED] + counts[REFUSED] + counts[CUSTOMISED]
    rates = {
        f"{kind}_rate": round(100 * counts[kind] / decided, 1) if decided else None
        for kind in (ACCEPTED, REFUSED, CUSTOMISED)
    }
    return {"shown": None, **counts, "ignored": None, **rates}


def _bounds(first_day: date, last_day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = datetime.combine(first_day, time(), zone).astimezone(UTC)
    return start, datetime.combine(last_day + timedelta(days=1), time(), zone).astimezone(UTC)
