"""Answer a request that is sent again within 24 hours as it was answered the first time."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from consent_service.db.tables import idempotency
from consent_service.errors import IdempotencyConflict

KEPT_FOR = timedelta(hours=24)


def body_hash(kind: str, body: bytes) -> str:
    """Give the SHA-256 of a request's body, with its kind in front, as hex."""
    return hashlib.sha256(kind.encode() + b"\0" + body).hexdigest()


def find_answer(connection: Connection, site_id: int, key: str | None, digest: str, now: datetime) -> bytes | None:
    """Give the first answer to this key, or None; raises IdempotencyConflict when the body was another one."""
    if key is None:
        return None
    row = connection.execute(
        select(idempotency.c.body_hash, idempotency.c.answer, idempotency.c.created_at).where(
            idempotency.c.site_id == site_id, idempotency.c.idempotency_key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.created_at <= now - KEPT_FOR:
        connection.execute(
            delete(idempotency).where(idempotency.c.site_id == site_id, idempotency.c.idempotency_key == key)
        )
        return None
    if row.body_hash != digest:
        raise IdempotencyConflict("this idempotency key was used for another body within 24 hours")
    return bytes(row.answer)


def keep_answer(
    connection: Connection, site_id: int, key: str | None, digest: str, answer: bytes, now: datetime
) -> None:
    """Keep the answer for whoever sends the same key again."""
    if key is not None:
        connection.execute(
            insert(idempotency).values(
                site_id=site_id, idempotency_key=key, body_hash=digest, answer=answer, created_at=now
            )
        )


def prune(connection: Connection, now: datetime) -> int:
    """Drop the answers that are older than 24 hours."""
    return connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT_FOR)).rowcount
