"""Put things into the log that are no decisions, and let go of records that are forgotten."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select, text, update

from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.db.tables import notice, site
from consent_service.ids import new_id

SALT_BYTES: Final = 32
# Any number will do, as long as every process on this database uses the same one.
_ADVISORY_LOCK: Final = 7_266_115_002


class Kind(StrEnum):
    """Name what an entry of the log is about; decisions are in their own table."""

    NOTICE = "notice"
    SCREENSHOT = "screenshot"
    KEY = "key"
    ERASURE = "erasure"
    RESTORE = "restore"


DECISION: Final = "decision"


def commit_to(salt: bytes, record: bytes) -> bytes:
    """Give the 32 bytes that the log holds of a record: they say nothing once record and salt are gone."""
    return hmac.digest(salt, record, sha256)


def add_entry(
    connection: Connection,
    *,
    kind: Kind | str,
    site_id: int | None,
    subject: str,
    document: Mapping[str, Any],
    now: datetime,
) -> str:
    """Log a thing in the transaction that does it; the keeper gives it a leaf. Gives the entry's id.

    `document` becomes the record, with its version and type: canonical JSON, kept byte for byte.
    """
    entry_id = new_id()
    record = orjson.dumps({"v": 1, "type": str(kind), **document}, option=orjson.OPT_SORT_KEYS)
    connection.execute(
        insert(ledger_entry).values(
            entry_id=entry_id,
            kind=str(kind),
            site_id=site_id,
            subject=subject,
            record=record,
            salt=token_bytes(SALT_BYTES),
            created_at=now,
        )
    )
    return entry_id


def add_notice(
    connection: Connection,
    *,
    site_id: int,
    site_key: str,
    notice_hash: str,
    policy_version: int,
    language: str,
    created_at: datetime,
    now: datetime,
) -> str:
    """Log that a notice was kept: the exact words whose hash a decision's record cites as `notice`."""
    document = {
        "site": site_key,
        "notice": notice_hash,
        "policy_version": policy_version,
        "language": language,
        "created_at": created_at.isoformat(),
    }
    return add_entry(connection, kind=Kind.NOTICE, site_id=site_id, subject=notice_hash, document=document, now=now)


def add_missing_notices(connection: Connection, now: datetime) -> int:
    """Log every notice that was kept before there was a log; gives how many there were."""
    is_logged = (
        select(ledger_entry.c.entry_id)
        .where(ledger_entry.c.kind == Kind.NOTICE, ledger_entry.c.subject == notice.c.notice_hash)
        .exists()
    )
    rows = connection.execute(
        select(notice.c.notice_hash, notice.c.policy_version, notice.c.language, notice.c.created_at, site.c.site_id)
        .add_columns(site.c.key.label("site_key"))
        .join_from(notice, site, notice.c.site_id == site.c.site_id)
        .where(~is_logged)
        .order_by(notice.c.created_at, notice.c.notice_hash)
    ).all()
    for row in rows:
        add_notice(connection, now=now, **row._mapping)
    return len(rows)


def hold_log(connection: Connection) -> None:
    """Keep others from numbering leaves, or erasing what is being numbered, until this transaction ends.

    On SQLite a transaction that writes is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def forget_entries(connection: Connection, entry_ids: Sequence[str]) -> None:
    """Take the names off the leaves of records that are deleted in this transaction; their commitments stay.

    A record that has no leaf yet will not get one.
    """
    hold_log(connection)
    connection.execute(update(ledger_leaf).where(ledger_leaf.c.entry_id.in_(entry_ids)).values(entry_id=None))
