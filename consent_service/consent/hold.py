"""Hold data back: kept and used for nothing, because of a legal claim or because the visitor asked (GDPR art. 18)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from consent_service.consent.erasure import ERASE_WITHIN
from consent_service.db.audit import note
from consent_service.db.journal import note_for_restore
from consent_service.db.revision import bump
from consent_service.db.tables import erasure_job, hold, receipt, site
from consent_service.ids import new_id
from consent_service.sites.registry import REVISION as SITES

REVISION: Final = "holds"
VISITOR: Final = "visitor"
MAX_REASON: Final = 500


class HoldKind(StrEnum):
    """Say why data is held: a legal hold makes erasures wait, a restriction ends with the wish to be erased."""

    LEGAL = "legal"
    RESTRICTION = "restriction"


class HoldError(Exception):
    """Tell in one sentence why a hold cannot be placed or lifted, and the mend."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold one hold; without a receipt it covers the whole site, without `until` it ends when somebody lifts it."""

    hold_id: str
    site_id: int
    receipt_id: str | None
    kind: HoldKind
    reason: str
    placed_by: str
    placed_at: datetime
    until: datetime | None
    lifted_by: str | None = None
    lifted_at: datetime | None = None


def place_hold(connection: Connection, wanted: Hold) -> Hold:
    """Hold a receipt, or a whole site, from this transaction on; raises HoldError.

    The gate refuses within a second, the events leave every report with the keeper's next turn, erasures wait.
    """
    _refuse(connection, wanted)
    if wanted.kind is HoldKind.RESTRICTION:
        same = [each for each in holds_of(connection, wanted.site_id, wanted.receipt_id) if _is_same(each, wanted)]
        if same:
            return same[0]
    connection.execute(insert(hold).values(**_values(wanted)))
    _settle(connection, wanted, wanted.placed_at)
    note_for_restore(connection, "hold", wanted.placed_at, **_written(wanted))
    _note(connection, wanted, "hold add", wanted.placed_by, wanted.placed_at)
    return wanted


def new_hold(
    site_id: int,
    receipt_id: str | None,
    reason: str,
    placed_by: str,
    now: datetime,
    *,
    kind: HoldKind = HoldKind.LEGAL,
    until: datetime | None = None,
) -> Hold:
    """Make a hold that is not placed yet."""
    return Hold(new_id(), site_id, receipt_id, kind, reason.strip(), placed_by, now, until)


def lift_hold(connection: Connection, hold_id: str, actor: str, now: datetime) -> Hold:
    """End a hold; erasures that waited for nothing else are due within a minute. Raises HoldError."""
    row = connection.execute(select(hold).where(hold.c.hold_id == hold_id)).one_or_none()
    if row is None:
        raise HoldError(f"there is no hold {hold_id}; see: consent-service hold list")
    found = _read(row)
    if found.lifted_at is not None:
        raise HoldError(f"the hold {hold_id} was lifted before, by {found.lifted_by}")
    changed = (
        update(hold).where(hold.c.hold_id == hold_id, hold.c.lifted_at.is_(None)).values(lifted_by=actor, lifted_at=now)
    )
    connection.execute(changed)
    _settle(connection, found, now)
    note_for_restore(connection, "lift", now, hold_id=hold_id, by=actor)
    _note(connection, found, "hold lift", actor, now)
    return _read(connection.execute(select(hold).where(hold.c.hold_id == hold_id)).one())


def lift_ended(connection: Connection, now: datetime) -> int:
    """End every hold whose last day is over; gives how many."""
    over = connection.execute(
        select(hold.c.hold_id).where(hold.c.lifted_at.is_(None), hold.c.until.is_not(None), hold.c.until <= now)
    )
    ended = list(over.scalars())
    for hold_id in ended:
        lift_hold(connection, hold_id, "its last day", now)
    return len(ended)


def lift_restrictions(connection: Connection, site_id: int, receipt_id: str, now: datetime) -> None:
    """End the restrictions of a receipt whose visitor now wants something else."""
    for each in holds_of(connection, site_id, receipt_id):
        if each.kind is HoldKind.RESTRICTION and each.receipt_id == receipt_id:
            lift_hold(connection, each.hold_id, VISITOR, now)


def list_holds(connection: Connection, site_id: int | None = None, *, with_lifted: bool = False) -> list[Hold]:
    """List holds, the newest first: those that stand, of one site or of all."""
    statement = select(hold).order_by(hold.c.placed_at.desc(), hold.c.hold_id.desc())
    if site_id is not None:
        statement = statement.where(hold.c.site_id == site_id)
    if not with_lifted:
        statement = statement.where(hold.c.lifted_at.is_(None))
    return [_read(row) for row in connection.execute(statement)]


def holds_of(connection: Connection, site_id: int, receipt_id: str | None) -> list[Hold]:
    """Give the holds that stand over a receipt, its site's among them; without a receipt the site's alone."""
    covers: ColumnElement[bool] = hold.c.receipt_id.is_(None)
    if receipt_id is not None:
        covers = or_(covers, hold.c.receipt_id == receipt_id)
    standing = select(hold).where(hold.c.site_id == site_id, covers, hold.c.lifted_at.is_(None))
    return [_read(row) for row in connection.execute(standing.order_by(hold.c.placed_at))]


def read_held(connection: Connection) -> tuple[frozenset[str], frozenset[int]]:
    """Give the receipts and the whole sites that are held."""
    rows = connection.execute(select(hold.c.site_id, hold.c.receipt_id).where(hold.c.lifted_at.is_(None))).all()
    receipts = frozenset(row.receipt_id for row in rows if row.receipt_id is not None)
    return receipts, frozenset(row.site_id for row in rows if row.receipt_id is None)


def _refuse(connection: Connection, wanted: Hold) -> None:
    if not wanted.reason or len(wanted.reason) > MAX_REASON:
        raise HoldError(f"a hold needs a reason, of {MAX_REASON} characters at most")
    if wanted.until is not None and wanted.until <= wanted.placed_at:
        raise HoldError("the last day of a hold must be in the future; leave it out for a hold without an end")
    if wanted.receipt_id is None:
        if connection.execute(select(site.c.site_id).where(site.c.site_id == wanted.site_id)).first() is None:
            raise HoldError("there is no such site; see: consent-service site list")
        return
    found = connection.execute(select(receipt.c.site_id).where(receipt.c.receipt_id == wanted.receipt_id)).scalar()
    if found != wanted.site_id:
        raise HoldError(f"there is no receipt {wanted.receipt_id} at this site; the consent log shows them")


def _settle(connection: Connection, changed: Hold, now: datetime) -> None:
    """Bring the receipt's mark and the erasures into line with the holds that stand now."""
    bump(connection, REVISION)
    of_site = hold.c.site_id == changed.site_id
    if changed.receipt_id is None:
        bump(connection, SITES)
    else:
        standing = select(hold.c.hold_id).where(
            of_site, hold.c.receipt_id == changed.receipt_id, hold.c.lifted_at.is_(None)
        )
        marked = update(receipt).where(receipt.c.receipt_id == changed.receipt_id)
        connection.execute(marked.values(is_restricted=connection.execute(standing).first() is not None))
    legal = (
        select(hold.c.hold_id)
        .where(
            hold.c.site_id == erasure_job.c.site_id,
            or_(hold.c.receipt_id.is_(None), hold.c.receipt_id == erasure_job.c.receipt_id),
            hold.c.kind == HoldKind.LEGAL,
            hold.c.lifted_at.is_(None),
        )
        .exists()
    )
    jobs = update(erasure_job).where(erasure_job.c.site_id == changed.site_id)
    if changed.receipt_id is not None:
        jobs = jobs.where(erasure_job.c.receipt_id == changed.receipt_id)
    connection.execute(jobs.where(erasure_job.c.status == "pending", legal).values(status="held"))
    freed = jobs.where(erasure_job.c.status == "held", ~legal)
    connection.execute(freed.values(status="pending", due_at=now + ERASE_WITHIN))


def _note(connection: Connection, changed: Hold, action: str, actor: str, at: datetime) -> None:
    # Not the receipt: with its records it may be forgotten one day, and the trail stays.
    detail: dict[str, Any] = {"kind": str(changed.kind), "whole_site": changed.receipt_id is None}
    note(connection, at=at, actor=actor, action=action, subject=changed.hold_id, site_id=changed.site_id, detail=detail)


def _is_same(one: Hold, other: Hold) -> bool:
    return (one.kind, one.receipt_id) == (other.kind, other.receipt_id)


def _values(each: Hold) -> dict[str, Any]:
    return asdict(each)


def _written(each: Hold) -> dict[str, Any]:
    values = {name: value for name, value in _values(each).items() if name not in ("lifted_by", "lifted_at")}
    values["placed_at"] = each.placed_at.isoformat()
    values["until"] = None if each.until is None else each.until.isoformat()
    return values


def read_written(line: dict[str, Any]) -> Hold:
    """Read a hold as the journal keeps it; raises KeyError or ValueError for what is none."""
    until = line["until"]
    return Hold(
        hold_id=line["hold_id"],
        site_id=line["site_id"],
        receipt_id=line["receipt_id"],
        kind=HoldKind(line["kind"]),
        reason=line["reason"],
        placed_by=line["placed_by"],
        placed_at=datetime.fromisoformat(line["placed_at"]),
        until=None if until is None else datetime.fromisoformat(until),
    )


def _read(row: Row[*tuple[Any, ...]]) -> Hold:
    values = dict(row._mapping)
    return Hold(**{**values, "kind": HoldKind(values["kind"])})
