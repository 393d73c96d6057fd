"""Anchor the newest checkpoint outside the operator's reach, once a day, and remember what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from consent_service.anchor_settings import AnchorSettings
from consent_service.db.ledger_tables import ledger_anchor
from consent_service.ids import new_id
from consent_service.ledger.delivery import mail_checkpoint, post_checkpoint
from consent_service.ledger.post import NotDelivered
from consent_service.ledger.timestamp import Stamp, request_stamp

EVERY: Final = timedelta(hours=24)
MISSING_AFTER: Final = timedelta(hours=48)
FIRST_RETRY: Final = timedelta(minutes=1)
LAST_RETRY: Final = timedelta(hours=6)
MAX_ERROR: Final = 300


class Kind(StrEnum):
    """Name where a checkpoint is anchored."""

    TIMESTAMP = "timestamp"
    WEBHOOK = "webhook"
    EMAIL = "email"


class Status(StrEnum):
    """Say how an anchor stands; `unverified` is a reply that was kept and could not be checked here."""

    DONE = "done"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Hold one anchor as it stands; `token` is the authority's reply."""

    anchor_id: str
    kind: str
    status: str
    tree_size: int
    note: str
    token: bytes | None
    error: str | None
    attempts: int
    sent_at: datetime


def configured_kinds(settings: AnchorSettings) -> list[Kind]:
    """Give the kinds of anchor that the settings name."""
    given = {Kind.TIMESTAMP: settings.authority, Kind.WEBHOOK: settings.webhook, Kind.EMAIL: settings.mailbox}
    return [kind for kind, value in given.items() if value is not None]


def due_kinds(connection: Connection, settings: AnchorSettings, now: datetime) -> list[Kind]:
    """Give the kinds whose time has come: a day after one that held, sooner and sooner less often after a failure."""
    return [kind for kind in configured_kinds(settings) if _is_due(newest_anchor(connection, kind), now)]


def newest_anchor(connection: Connection, kind: str) -> Anchor | None:
    """Give the newest anchor of a kind."""
    found = list_anchors(connection, 1, kind)
    return found[0] if found else None


def list_anchors(connection: Connection, limit: int, kind: str | None = None) -> list[Anchor]:
    """Give the newest anchors, newest first, of one kind or of all."""
    statement = select(ledger_anchor).order_by(ledger_anchor.c.sent_at.desc(), ledger_anchor.c.anchor_id.desc())
    if kind is not None:
        statement = statement.where(ledger_anchor.c.kind == kind)
    return [_anchor(row) for row in connection.execute(statement.limit(limit))]


def find_anchor(connection: Connection, anchor_id: str) -> Anchor | None:
    """Give the anchor with an id."""
    row = connection.execute(select(ledger_anchor).where(ledger_anchor.c.anchor_id == anchor_id)).one_or_none()
    return None if row is None else _anchor(row)


def make_anchor(
    kind: Kind, size: int, note: str, settings: AnchorSettings, before: Anchor | None, now: datetime
) -> Anchor:
    """Send a checkpoint to one place and give what came of it; what fails is an anchor that failed, no exception.

    It is the next attempt of `before` when that failed.
    """
    is_again = before is not None and before.status == Status.FAILED
    anchor_id = before.anchor_id if before is not None and is_again else new_id()
    attempts = before.attempts + 1 if before is not None and is_again else 1
    try:
        stamp = _send(kind, note, settings, now)
    except NotDelivered as error:
        return Anchor(anchor_id, kind, Status.FAILED, size, note, None, str(error)[:MAX_ERROR], attempts, now)
    token, problem = (None, None) if stamp is None else (stamp.token, stamp.problem)
    status = Status.DONE if problem is None else Status.UNVERIFIED
    return Anchor(anchor_id, kind, status, size, note, token, problem, attempts, now)


def keep_anchor(connection: Connection, anchor: Anchor) -> None:
    """Write what came of an anchor, over the attempt before it."""
    values = {name: getattr(anchor, name) for name in Anchor.__slots__ if name != "anchor_id"}
    of_anchor = ledger_anchor.c.anchor_id == anchor.anchor_id
    if not connection.execute(update(ledger_anchor).where(of_anchor).values(**values)).rowcount:
        connection.execute(insert(ledger_anchor).values(anchor_id=anchor.anchor_id, **values))


def anchor_warnings(connection: Connection, settings: AnchorSettings, now: datetime) -> list[str]:
    """Say which anchors are missing: none is configured, or none of a kind held within 48 hours."""
    kinds = configured_kinds(settings)
    if not kinds:
        return [
            "an anchor missing: no place outside this server keeps the ledger's checkpoints, so whoever holds its key "
            "could write its history anew; set ANCHOR_TIMESTAMP_URL, ANCHOR_WEBHOOK_URL or ANCHOR_EMAIL"
        ]
    return [text for kind in kinds if (text := _warning(connection, kind, now)) is not None]


def _warning(connection: Connection, kind: Kind, now: datetime) -> str | None:
    of_kind = ledger_anchor.c.kind == kind
    held = connection.execute(
        select(func.max(ledger_anchor.c.sent_at)).where(of_kind, ledger_anchor.c.status != Status.FAILED)
    ).scalar()
    newest = newest_anchor(connection, kind)
    if held is None or held < now - MISSING_AFTER:
        since = "ever" if held is None else f"since {held:%Y-%m-%d %H:%M} UTC"
        reason = "" if newest is None or newest.error is None else f" ({newest.error})"
        mend = "try: consent-service ledger anchor"
        return f"an anchor missing: no {kind} of the ledger has succeeded {since}{reason}; {mend}"
    if newest is not None and newest.status == Status.UNVERIFIED:
        return f"the newest timestamp of the ledger could not be checked here: {newest.error}"
    return None


def _is_due(newest: Anchor | None, now: datetime) -> bool:
    if newest is None:
        return True
    if newest.status != Status.FAILED:
        return now >= newest.sent_at + EVERY
    # The doublings are bounded so that years of failures are no number too large.
    pause = min(FIRST_RETRY * (1 << min(newest.attempts - 1, 20)), LAST_RETRY)
    return now >= newest.sent_at + pause


def _anchor(row: Row[*tuple[Any, ...]]) -> Anchor:
    return Anchor(**{name: row._mapping[name] for name in Anchor.__slots__})


def _send(kind: Kind, note: str, settings: AnchorSettings, now: datetime) -> Stamp | None:
    match kind:
        case Kind.TIMESTAMP if settings.authority is not None:
            return request_stamp(note, settings.authority)
        case Kind.WEBHOOK if settings.webhook is not None:
            post_checkpoint(note, settings.webhook, new_id(), now)
        case Kind.EMAIL if settings.mailbox is not None:
            mail_checkpoint(note, settings.mailbox, now)
        case _:
            raise NotDelivered("it is not configured any more")
    return None
