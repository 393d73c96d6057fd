"""Write down who did what to the deployment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from consent_service.db.tables import audit


def note(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    site_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one row to the audit trail, in the transaction of the act itself."""
    connection.execute(
        insert(audit).values(
            at=at, actor=actor, action=action, subject=subject, site_id=site_id, detail=dict(detail or {})
        )
    )
