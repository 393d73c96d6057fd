"""Do again, on a restored main database, what was withdrawn, erased and held since the backup was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from consent_service.consent.erasure import ask_again
from consent_service.consent.hold import HoldError, lift_hold, place_hold, read_written
from consent_service.consent.publication import load_publication
from consent_service.consent.withdrawal import withdraw_receipt
from consent_service.db.tables import erasure_job, hold, receipt
from consent_service.ids import new_id
from consent_service.sites.registry import load_sites


def replay(connection: Connection, lines: Iterable[Mapping[str, Any]], since: datetime) -> Counter[str]:
    """Replay the journal's lines, the oldest first; counts by kind what it changed.

    Whatever is erased is only asked for here: the keeper deletes it before anything is served. Erasures that were done
    while the backup was made are asked for again, since the events may have been copied before.
    """
    done: Counter[str] = Counter()
    again = update(erasure_job).where(
        erasure_job.c.receipt_id.is_not(None), erasure_job.c.status == "done", erasure_job.c.done_at >= since
    )
    connection.execute(again.values(status="pending"))
    sites = {site.site_id: site for site in load_sites(connection)}
    for line in lines:
        match line:
            case {"type": "withdrawal", "site_id": site_id, "receipt_id": receipt_id, "purposes": purposes}:
                site = sites.get(site_id)
                publication = None if site is None else load_publication(connection, site)
                if publication is None:
                    continue
                # Its erasure comes by a line of its own, and so does the end of a restriction.
                at = datetime.fromisoformat(line["at"])
                changed = withdraw_receipt(connection, receipt_id, publication, at, purposes=purposes, erases=False)
                done["withdrawals"] += changed
            case {"type": "erasure", "site_id": site_id} if site_id in sites:
                _erase(connection, line, site_id, line["erasure_id"], line["reason"], removes=line["records"])
                done["erasures"] += 1
            case {"type": "removal", "receipt_id": receipt_id}:
                site_id = connection.execute(
                    select(receipt.c.site_id).where(receipt.c.receipt_id == receipt_id)
                ).scalar()
                if site_id is not None:
                    _erase(connection, line, site_id, new_id(), "request", removes=True)
                    done["removals"] += 1
            case {"type": "hold"} | {"type": "lift"}:
                done["holds"] += _hold(connection, dict(line))
    return done


def _erase(
    connection: Connection, line: Mapping[str, Any], site_id: int, erasure_id: str, reason: str, *, removes: bool
) -> None:
    at = datetime.fromisoformat(line["at"])
    ask_again(connection, erasure_id, site_id, line["receipt_id"], reason, at, removes_records=removes)


def _hold(connection: Connection, line: dict[str, Any]) -> bool:
    known = connection.execute(select(hold.c.lifted_at).where(hold.c.hold_id == line["hold_id"])).one_or_none()
    try:
        if line["type"] == "hold" and known is None:
            place_hold(connection, read_written(line))
            return True
        if line["type"] == "lift" and known is not None and known.lifted_at is None:
            lift_hold(connection, line["hold_id"], line["by"], datetime.fromisoformat(line["at"]))
            return True
    except HoldError:
        # Of a receipt or a site that the backup does not know: there is nothing that could be held.
        return False
    return False
