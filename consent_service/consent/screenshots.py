"""Keep pictures of the banners that were published, each by the hash of its bytes and logged before it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from consent_service.db.tables import notice_screenshot
from consent_service.ledger.entries import Kind, add_entry

MAX_BYTES: Final = 4 * 1024 * 1024
_NAMED: Final = tuple(column for column in notice_screenshot.c if column.name != "png")


class Surface(StrEnum):
    """Name what a picture shows: the first layer, or the preference centre."""

    BANNER = "banner"
    PREFERENCES = "preferences"


@dataclass(frozen=True, slots=True)
class Shot:
    """Hold one picture as it was taken: PNG bytes of a window of so many CSS pixels, one to a pixel."""

    notice_hash: str
    language: str
    surface: Surface
    width: int
    height: int
    script_hash: str
    png: bytes

    @property
    def sha256(self) -> str:
        """Give the SHA-256 of the bytes in hexadecimal."""
        return hashlib.sha256(self.png).hexdigest()


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Hold what is known of a kept picture; `entry_id` is its entry in the ledger."""

    entry_id: str
    notice_hash: str
    surface: Surface
    width: int
    height: int
    sha256: str
    script_hash: str
    taken_at: datetime


def keep_screenshot(connection: Connection, site_id: int, site_key: str, shot: Shot, now: datetime) -> bool:
    """Keep a picture and log it; False when the same bytes of the same banner and script are kept already.

    Raises ValueError for one of more than MAX_BYTES.
    """
    if len(shot.png) > MAX_BYTES:
        raise ValueError(f"a picture of {len(shot.png)} bytes is larger than {MAX_BYTES}")
    said = {
        "notice_hash": shot.notice_hash,
        "surface": str(shot.surface),
        "width": shot.width,
        "height": shot.height,
        "sha256": shot.sha256,
        "script_hash": shot.script_hash,
    }
    same = [notice_screenshot.c[name] == value for name, value in said.items()]
    if connection.execute(select(notice_screenshot.c.entry_id).where(*same)).first() is not None:
        return False
    document = {"site": site_key, "taken_at": now.isoformat(), **said}
    entry_id = add_entry(
        connection, kind=Kind.SCREENSHOT, site_id=site_id, subject=shot.sha256, document=document, now=now
    )
    values = {"entry_id": entry_id, "site_id": site_id, "png": shot.png, "taken_at": now, **said}
    connection.execute(insert(notice_screenshot).values(**values))
    return True


def list_screenshots(connection: Connection, notice_hashes: Sequence[str]) -> list[Screenshot]:
    """List the kept pictures of some notices: wide ones first, the first layer before the second, then the newest."""
    order = (notice_screenshot.c.width.desc(), notice_screenshot.c.surface, notice_screenshot.c.taken_at.desc())
    rows = connection.execute(
        select(*_NAMED).where(notice_screenshot.c.notice_hash.in_(notice_hashes)).order_by(*order)
    )
    return [_screenshot(row) for row in rows]


def read_png(connection: Connection, site_id: int, sha256: str) -> bytes | None:
    """Give the bytes of a site's picture by their hash, None when there is no such picture."""
    found = select(notice_screenshot.c.png).where(
        notice_screenshot.c.site_id == site_id, notice_screenshot.c.sha256 == sha256
    )
    return connection.execute(found.limit(1)).scalar()


def _screenshot(row: Any) -> Screenshot:
    return Screenshot(
        entry_id=row.entry_id,
        notice_hash=row.notice_hash,
        surface=Surface(row.surface),
        width=row.width,
        height=row.height,
        sha256=row.sha256,
        script_hash=row.script_hash,
        taken_at=row.taken_at,
    )
