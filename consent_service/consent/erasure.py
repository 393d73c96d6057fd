"""Ask for erasures: the keeper does what is asked here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, insert, select

from consent_service.consent.tokens import TokenSigner
from consent_service.db.tables import erasure_job
from consent_service.ids import new_id

CERTIFICATES: Final = "/v1/erasures"
_SALT: Final = "erasure-certificate/v1"
ERASE_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Tell how the erasure that came with a withdrawal stands."""

    erasure_id: str
    status: str
    events: int | None
    due_at: datetime


def certificate_name(erasure: Erasure, signer: TokenSigner) -> str:
    """Give the last part of a certificate's address, which only who was told it can know."""
    return signer.seal(_SALT).sign(erasure.erasure_id, erasure.due_at)


def certificate_url(erasure: Erasure, signer: TokenSigner) -> str:
    """Give the path of an erasure's certificate, where it will be once the erasure is done."""
    return f"{CERTIFICATES}/{certificate_name(erasure, signer)}"


def open_certificate_name(name: str, signer: TokenSigner) -> str:
    """Give the id of the erasure that a certificate's address names; raises BadToken."""
    erasure_id, _ = signer.seal(_SALT).open(name)
    return str(erasure_id)


def get_erasure(connection: Connection, erasure_id: str) -> Erasure | None:
    """Give the erasure with an id."""
    row = connection.execute(select(erasure_job).where(erasure_job.c.erasure_id == erasure_id)).one_or_none()
    return None if row is None else Erasure(row.erasure_id, row.status, row.events, row.due_at)


def find_erasure(connection: Connection, receipt_id: str, since: datetime | None = None) -> Erasure | None:
    """Give the newest erasure of a receipt's events, if one was asked for, or one `since` a time."""
    statement = select(erasure_job).where(erasure_job.c.receipt_id == receipt_id)
    if since is not None:
        statement = statement.where(erasure_job.c.requested_at >= since)
    row = connection.execute(statement.order_by(erasure_job.c.requested_at.desc()).limit(1)).one_or_none()
    return None if row is None else Erasure(row.erasure_id, row.status, row.events, row.due_at)


def request_erasure(
    connection: Connection,
    *,
    site_id: int,
    receipt_id: str,
    reason: str,
    now: datetime,
    number: int | None = None,
) -> Erasure:
    """Ask the keeper to erase every event of a receipt; a request that waits already is given back."""
    waiting = connection.execute(
        select(erasure_job).where(erasure_job.c.receipt_id == receipt_id, erasure_job.c.status == "pending")
    ).first()
    if waiting is not None:
        return Erasure(waiting.erasure_id, waiting.status, waiting.events, waiting.due_at)
    erasure = Erasure(new_id(), "pending", None, now + ERASE_WITHIN)
    connection.execute(
        insert(erasure_job).values(
            erasure_id=erasure.erasure_id,
            site_id=site_id,
            receipt_id=receipt_id,
            revocation_number=number,
            reason=reason,
            status=erasure.status,
            requested_at=now,
            due_at=erasure.due_at,
        )
    )
    return erasure
