"""Find what was shown by its hash, and let go of what no record and no published version needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Select, delete, or_, select

from consent_service.consent.acts import GRACE
from consent_service.consent.publication import Publication
from consent_service.db.ledger_tables import ledger_entry
from consent_service.db.revision import bump
from consent_service.db.tables import decision, notice, notice_screenshot, receipt
from consent_service.ledger.entries import Kind, forget_entries
from consent_service.sites.registry import REVISION

_AT_ONCE: Final = 200
# A decision is dated before it is committed.
_IN_FLIGHT: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold what was shown in one language; `document` are the exact bytes whose SHA-256 is the hash."""

    notice_hash: str
    policy_version: int
    language: str
    created_at: datetime
    document: bytes

    @property
    def config(self) -> dict[str, Any]:
        """Give the banner config that was shown."""
        shown: dict[str, Any] = orjson.loads(self.document)
        return shown


def read_notice(connection: Connection, site_id: int, notice_hash: str) -> Notice | None:
    """Give a site's notice by its hash, None when there is none."""
    found = _select(notice.c.site_id == site_id, notice.c.notice_hash == notice_hash)
    row = connection.execute(found).one_or_none()
    return None if row is None else Notice(**row._mapping)


def list_notices(connection: Connection, site_id: int) -> list[Notice]:
    """List a site's notices by version and language, those of one language in the order they came about."""
    order = (notice.c.policy_version, notice.c.language, notice.c.created_at)
    return [Notice(**row._mapping) for row in connection.execute(_select(notice.c.site_id == site_id).order_by(*order))]


def find_unused(connection: Connection, publication: Publication, now: datetime) -> list[str]:
    """Find the notices of versions that are replaced, and can be granted no more, which no record cites.

    What the version in force was ever shown with stays: pages in a cache may still show it.
    """
    replaced = [
        version.version
        for version in publication.versions.values()
        if version.version < publication.current.version
        and publication.versions[version.version + 1].published_at + GRACE < now
    ]
    candidates = select(notice.c.notice_hash).where(
        notice.c.site_id == publication.site.site_id, notice.c.policy_version.in_(replaced)
    )
    hashes = set(connection.execute(candidates).scalars())
    return sorted(hashes - _cited(connection, publication.site.site_id)) if hashes else []


def remove_notices(
    connection: Connection, publication: Publication, notice_hashes: Sequence[str], *, seen_at: datetime
) -> int:
    """Delete notices with their pictures and what the ledger holds of them; their leaves stay, nameless.

    `seen_at` is when they were found unused: one that a record has cited since stays. Gives how many notices went.
    """
    site_id = publication.site.site_id
    cited_since = _cited(connection, site_id, decision.c.decided_at >= seen_at - _IN_FLIGHT)
    gone = [each for each in notice_hashes if each not in cited_since]
    for start in range(0, len(gone), _AT_ONCE):
        part = gone[start : start + _AT_ONCE]
        pictures = select(notice_screenshot.c.entry_id).where(notice_screenshot.c.notice_hash.in_(part))
        entries = select(ledger_entry.c.entry_id).where(
            or_(
                (ledger_entry.c.kind == Kind.NOTICE) & ledger_entry.c.subject.in_(part),
                ledger_entry.c.entry_id.in_(pictures),
            )
        )
        ids = list(connection.execute(entries).scalars())
        forget_entries(connection, ids)
        connection.execute(delete(ledger_entry).where(ledger_entry.c.entry_id.in_(ids)))
        connection.execute(delete(notice_screenshot).where(notice_screenshot.c.notice_hash.in_(part)))
        connection.execute(delete(notice).where(notice.c.notice_hash.in_(part)))
    if gone:
        # Web workers know the notices by heart: none may go on citing what is gone.
        bump(connection, REVISION)
    return len(gone)


def _cited(connection: Connection, site_id: int, *among: ColumnElement[bool]) -> set[str]:
    decided = select(decision.c.notice_hash).where(decision.c.site_id == site_id, *among)
    found = set(connection.execute(decided.distinct()).scalars())
    if not among:
        held = select(receipt.c.notice_hash).where(receipt.c.site_id == site_id)
        found.update(connection.execute(held.distinct()).scalars())
    return {each for each in found if each}


def _select(*where: ColumnElement[bool]) -> Select[Any]:
    columns = (notice.c.notice_hash, notice.c.policy_version, notice.c.language, notice.c.created_at, notice.c.document)
    return select(*columns).where(*where)
