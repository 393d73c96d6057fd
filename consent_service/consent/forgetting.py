"""Forget whose an erasure or a hold was, once nobody needs to be told any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, update

from consent_service.db.tables import erasure_job, hold

# As long as the deletions feed is kept: by then every copy downstream has followed.
NAMED_FOR: Final = timedelta(days=90)


def forget_names(connection: Connection, site_id: int, now: datetime) -> int:
    """Take the receipt out of a site's erasures that are complete for 90 days, and delete holds lifted as long ago.

    Certificates keep their counts, dates and leaves, the audit trail keeps that there was a hold. What a hold that
    stands is about keeps its name. Gives how many erasures and holds were forgotten.
    """
    before = now - NAMED_FOR
    standing = select(hold.c.hold_id).where(hold.c.receipt_id == erasure_job.c.receipt_id, hold.c.lifted_at.is_(None))
    named = update(erasure_job).where(
        erasure_job.c.site_id == site_id,
        erasure_job.c.receipt_id.is_not(None),
        erasure_job.c.status == "done",
        erasure_job.c.done_at < before,
        erasure_job.c.compacted_at.is_not(None),
        ~standing.exists(),
    )
    # The revocation, whose number it is, has the receipt too.
    forgotten = connection.execute(named.values(receipt_id=None, revocation_number=None)).rowcount
    lifted = (hold.c.site_id == site_id, hold.c.receipt_id.is_not(None), hold.c.lifted_at < before)
    return int(forgotten + connection.execute(delete(hold).where(*lifted)).rowcount)
