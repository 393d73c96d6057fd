"""Count refused and dropped events by reason: nothing else of them is kept."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import func, select

from consent_service.events.schema import drop_count
from consent_service.events.store import Reader
from consent_service.sites.access import SMALLEST_CELL, hide_small


def drops_by_reason(reader: Reader, site_id: int, first_day: date, last_day: date) -> dict[str, Any]:
    """Give the counts for days of the site's time zone, both included: in all, by reason, and by day and reason."""
    c = drop_count.c
    statement = (
        select(c.day, c.reason, func.sum(c.n).label("n"))
        .where(c.site_id == site_id, c.day >= first_day, c.day <= last_day)
        .group_by(c.day, c.reason)
        .order_by(c.day, c.reason)
    )
    rows = [(day, reason, int(n)) for day, reason, n in reader.fetch(statement)]
    totals: Counter[str] = Counter()
    for _, reason, n in rows:
        totals[reason] += n
    return {
        "results": [{"reason": reason, "count": n} for reason, n in totals.most_common()],
        "by_day": [{"day": day.isoformat(), "reason": reason, "count": n} for day, reason, n in rows],
        "total": sum(totals.values()),
    }


def hide_small_drops(report: dict[str, Any]) -> dict[str, Any]:
    """Give the counts as public tokens see them: None for a day's count under ten, and for each sum it is part of.

    All that is shown follows from the days that are shown, whatever days are asked for, so none can be worked out.
    """
    by_day = [{**row, "count": hide_small(row["count"])} for row in report["by_day"]]
    hidden = {row["reason"] for row in by_day if row["count"] is None}
    results = [{**row, "count": None} if row["reason"] in hidden else row for row in report["results"]]
    privacy = {
        "smallest_cell": SMALLEST_CELL,
        "unit": "events",
        "hidden": sum(row["count"] is None for row in by_day),
    }
    # The order by count would tell which of the hidden ones is the largest.
    results.sort(key=lambda row: (row["count"] is None, -(row["count"] or 0), row["reason"]))
    return {"results": results, "by_day": by_day, "total": None if hidden else report["total"], "privacy": privacy}
