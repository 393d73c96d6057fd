"""Do what an officer decides at a visitor's request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from consent_service.consent.erasure import (
    Erasure,
    find_erasure,
    is_legally_held,
    note_erasure,
    request_erasure,
)
from consent_service.consent.hold import lift_restrictions
from consent_service.consent.publication import load_publication
from consent_service.consent.removal import remove_records
from consent_service.consent.withdrawal import withdraw_receipt
from consent_service.db.audit import note
from consent_service.db.tables import erasure_job, receipt
from consent_service.sites.registry import Site


def erase_receipt(
    connection: Connection, site: Site, receipt_id: str, actor: str, now: datetime, *, with_records: bool
) -> str:
    """Close the gate and ask for the erasure of a receipt of the site, in one transaction; gives the erasure's id.

    Where an earlier erasure has done all there is, it is that one. With records they go in the keeper's same act, or
    at once where the events are gone. Under a legal hold everything waits.
    """
    publication = load_publication(connection, site)
    if publication is not None:
        withdraw_receipt(connection, receipt_id, publication, now)
    lift_restrictions(connection, site.site_id, receipt_id, now)
    # After an erasure that came with the withdrawal of everything, no event can have been stored.
    withdrawn_at = connection.execute(select(receipt.c.withdrawn_at).where(receipt.c.receipt_id == receipt_id)).scalar()
    erasure = None if withdrawn_at is None else find_erasure(connection, receipt_id, withdrawn_at)
    is_held = is_legally_held(connection, site.site_id, receipt_id)
    if erasure is None or erasure.status != "done" or (with_records and is_held):
        erasure = request_erasure(
            connection,
            site_id=site.site_id,
            receipt_id=receipt_id,
            reason="request",
            now=now,
            removes_records=with_records,
        )
    elif with_records:
        _remove_at_once(connection, site, receipt_id, erasure, now)
    # Not the receipt: with its records it is to be forgotten here too.
    detail = {"records": with_records}
    note(
        connection, at=now, actor=actor, action="erase", subject=erasure.erasure_id, site_id=site.site_id, detail=detail
    )
    return erasure.erasure_id


def _remove_at_once(connection: Connection, site: Site, receipt_id: str, erasure: Erasure, now: datetime) -> None:
    records = remove_records(connection, receipt_id, reason="erasure", now=now)
    of_it = update(erasure_job).where(erasure_job.c.erasure_id == erasure.erasure_id)
    connection.execute(of_it.values(records=records, removes_records=True))
    note_erasure(connection, site.site_id, receipt_id, erasure.erasure_id, "request", now, removes_records=True)
