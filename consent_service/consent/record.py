"""Write decisions: the one module that does. A decision, its receipt, its revocation and its erasure job commit
together, so that a withdrawal can never be half done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from secrets import token_bytes
from typing import Any

import orjson
from sqlalchemy import Connection, insert

from consent_service.consent.decision import Action
from consent_service.consent.erasure import Erasure, request_erasure
from consent_service.consent.kinds import kinds_of
from consent_service.db.journal import note_for_restore
from consent_service.db.tables import decision, decision_count, receipt, revocation
from consent_service.db.upsert import add_to_counts, upsert
from consent_service.ids import new_id, new_receipt_id, new_visitor_id

# A visitor id lives no longer than 395 days, however often the choice is renewed.
VISITOR_LIFE = timedelta(days=395)
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold what a site's policies say that outlives one of them.

    `measuring` is the purpose that measures now, "" for none; `measured` are all that did in any published version,
    for events may be stored under each. Its grants of a policy before `material_version` stand no more.
    """

    measuring: str
    measured: frozenset[str]
    material_version: int


@dataclass(frozen=True, slots=True)
class Act:
    """Hold one act of a visitor, judged: what it grants, under which policy and notice, and what it proves.

    `evidence`, `device` and `country` are left out of the record of a refusal; `local_day` is the site's.
    """

    site_id: int
    site_key: str
    action: str
    purposes: Mapping[str, bool]
    policy_version: int
    policy_hash: str
    notice_hash: str | None
    language: str
    mechanism: str
    terms: Terms
    decided_at: datetime
    local_day: date
    expires_at: datetime
    is_under_signal: bool
    evidence: Mapping[str, Any]
    device: str | None
    country: str | None

    @property
    def granted(self) -> tuple[str, ...]:
        """Give the purposes that are granted."""
        return tuple(purpose for purpose, is_granted in self.purposes.items() if is_granted)

    @property
    def grants_nothing_new(self) -> bool:
        """Tell whether at most something granted earlier stays: a refusal, or a withdrawal of some purposes."""
        return self.action == Action.WITHDRAW or not self.granted


@dataclass(frozen=True, slots=True)
class Recorded:
    """Tell what was written. `receipt_id` is None for a refusal without an earlier consent.

    `closed_id` is the receipt that ended because a new one began.
    """

    decision_id: str
    receipt_id: str | None
    withdrawn: tuple[str, ...]
    erasure: Erasure | None
    closed_id: str | None = None


def record(connection: Connection, act: Act, prior: Mapping[str, Any] | None, *, erases: bool = True) -> Recorded:
    """Write one decision as the continuation of `prior`, a locked receipt row, or as the start of a new receipt.

    A decision that turns off a granted purpose is a withdrawal of it (GDPR art. 7(3)). A consent that ended, or a
    measuring purpose that was withdrawn, never comes back to life: its next grant begins a new receipt and visitor,
    and ends what the old one still granted.
    """
    if prior is None or not prior["purposes"]:
        return _begin(connection, act, None)
    if _is_over(prior, act):
        return _begin(connection, act, _close(connection, act, prior))
    receipt_id, withdrawn = prior["receipt_id"], _turned_off(prior, act)
    decision_id = _append(connection, act, receipt_id, prior["decision_id"], withdrawn)
    upsert(connection, receipt, _receipt_values(act, prior, receipt_id, decision_id, withdrawn))
    erasure = None
    if withdrawn:
        erasure = _revoke(connection, act, receipt_id, decision_id, withdrawn, erases=erases)
    return Recorded(decision_id, receipt_id, withdrawn, erasure)


def record_many(connection: Connection, acts: Sequence[Act]) -> list[Recorded]:
    """Write many first decisions at once, each as `record` would write it without an earlier receipt."""
    done: list[Recorded] = []
    decisions: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    for act in acts:
        receipt_id = new_receipt_id() if act.granted else None
        values = _decision_values(act, receipt_id, None, ())
        decisions.append(values)
        if receipt_id is not None:
            receipts.append(_receipt_values(act, None, receipt_id, values["decision_id"], ()))
        done.append(Recorded(values["decision_id"], receipt_id, (), None))
    if decisions:
        connection.execute(insert(decision), decisions)
    if receipts:
        connection.execute(insert(receipt), receipts)
    add_to_counts(connection, decision_count, [row for act in acts if not act.granted for row in _counts(act)])
    return done


def _is_over(prior: Mapping[str, Any], act: Act) -> bool:
    return any(purpose in act.terms.measured and purpose in prior["withdrawn"] for purpose in act.granted)


def _turned_off(prior: Mapping[str, Any], act: Act) -> tuple[str, ...]:
    """Give the purposes that were granted and are withdrawn by this act.

    A purpose that the policy no longer has was not turned off by one who goes on being measured under its new name;
    whoever does not go on withdrew it.
    """
    gone = [purpose for purpose in prior["purposes"] if purpose not in act.granted]
    goes_on = any(purpose in act.terms.measured for purpose in act.granted)
    return tuple(purpose for purpose in gone if purpose in act.purposes or not goes_on)


def _begin(connection: Connection, act: Act, closed: Recorded | None) -> Recorded:
    if not act.granted:
        return _refusal(connection, act)
    receipt_id = new_receipt_id()
    decision_id = _append(connection, act, receipt_id, None, ())
    connection.execute(insert(receipt).values(**_receipt_values(act, None, receipt_id, decision_id, ())))
    if closed is None:
        return Recorded(decision_id, receipt_id, (), None)
    return Recorded(decision_id, receipt_id, closed.withdrawn, closed.erasure, closed.receipt_id)


def _close(connection: Connection, act: Act, prior: Mapping[str, Any]) -> Recorded:
    """End a receipt that another takes the place of: from now on one withdrawal reaches all there is.

    Its last decision names as withdrawn what the visitor turned off, not what goes on under the new receipt. Nothing
    written here names that one: two receipts must not be known as one visitor's.
    """
    left, withdrawn = tuple(prior["purposes"]), _turned_off(prior, act)
    ending = replace(
        act,
        action=Action.WITHDRAW,
        purposes=dict.fromkeys(left, False),
        expires_at=act.decided_at,
        is_under_signal=bool(prior["is_under_signal"]),
        evidence={},
        device=None,
        country=None,
    )
    receipt_id = prior["receipt_id"]
    decision_id = _append(connection, ending, receipt_id, prior["decision_id"], withdrawn)
    upsert(connection, receipt, _receipt_values(ending, prior, receipt_id, decision_id, left))
    erases = not act.terms.measured.isdisjoint(left)
    erasure = _revoke(connection, ending, receipt_id, decision_id, left, erases=erases)
    return Recorded(decision_id, receipt_id, withdrawn, erasure)


def _refusal(connection: Connection, act: Act) -> Recorded:
    decision_id = _append(connection, act, None, None, ())
    add_to_counts(connection, decision_count, _counts(act))
    return Recorded(decision_id, None, (), None)


def _append(
    connection: Connection,
    act: Act,
    receipt_id: str | None,
    previous_id: str | None,
    withdrawn: Sequence[str],
) -> str:
    values = _decision_values(act, receipt_id, previous_id, withdrawn)
    connection.execute(insert(decision).values(**values))
    return str(values["decision_id"])


def _decision_values(
    act: Act, receipt_id: str | None, previous_id: str | None, withdrawn: Sequence[str]
) -> dict[str, Any]:
    decision_id = new_id()
    shared = {
        "action": act.action,
        "purposes": dict(act.purposes),
        "withdrawn": list(withdrawn),
        "policy_version": act.policy_version,
        "language": act.language,
        "mechanism": act.mechanism,
    }
    document = {
        "v": 1,
        "type": "decision",
        "site": act.site_key,
        "decision_id": decision_id,
        "receipt_id": receipt_id,
        "previous_id": previous_id,
        "decided_at": act.decided_at.isoformat(),
        "expires_at": act.expires_at.isoformat(),
        "policy_hash": act.policy_hash,
        "notice": act.notice_hash,
        **shared,
    }
    if act.granted:
        # What proves a grant would single out one who refuses: a refusal's record has none of it.
        document |= {"device": act.device, "country": act.country, **act.evidence}
    return {
        "decision_id": decision_id,
        "site_id": act.site_id,
        "receipt_id": receipt_id,
        "previous_id": previous_id,
        "notice_hash": act.notice_hash,
        "device": act.device if act.granted else None,
        "country": act.country if act.granted else None,
        "decided_at": act.decided_at,
        "expires_at": act.expires_at,
        "record": orjson.dumps(document, option=orjson.OPT_SORT_KEYS),
        "salt": token_bytes(SALT_BYTES),
        "counts_as": " ".join(kinds_of(act.action, act.purposes, withdrawn)),
        **shared,
    }


def _receipt_values(
    act: Act, prior: Mapping[str, Any] | None, receipt_id: str, decision_id: str, withdrawn: Sequence[str]
) -> dict[str, Any]:
    now, granted = act.decided_at, act.granted
    keeps_visitor = prior is not None and _keeps_visitor(prior, act)
    keeps_grant = prior is not None and _keeps_grant(prior, act)
    turned_off = [] if prior is None else [item for item in prior["withdrawn"] if item not in granted]
    return {
        "receipt_id": receipt_id,
        "site_id": act.site_id,
        "visitor_id": prior["visitor_id"] if prior is not None and keeps_visitor else new_visitor_id(),
        "visitor_at": prior["visitor_at"] if prior is not None and keeps_visitor else now,
        "decision_id": decision_id,
        "decided_at": now,
        "granted_at": prior["granted_at"] if prior is not None and keeps_grant else now,
        "expires_at": act.expires_at,
        "policy_version": act.policy_version,
        "notice_hash": act.notice_hash or (prior["notice_hash"] if prior is not None else ""),
        "purposes": list(granted),
        "withdrawn": [*turned_off, *(item for item in withdrawn if item not in turned_off)],
        "withdrawn_at": now if withdrawn and not granted else None,
        "is_restricted": bool(prior["is_restricted"]) if prior is not None else False,
        "is_under_signal": act.is_under_signal,
        "created_at": prior["created_at"] if prior is not None else now,
    }


def _keeps_visitor(prior: Mapping[str, Any], act: Act) -> bool:
    if act.grants_nothing_new:
        return True
    # By its whole new life, not by today: a visitor that may be continued until the grant ends would outlive its own.
    return bool(act.decided_at < prior["expires_at"] and act.expires_at <= prior["visitor_at"] + VISITOR_LIFE)


def _keeps_grant(prior: Mapping[str, Any], act: Act) -> bool:
    """Tell whether events may be dated back to the earlier grant: it must have stood until this one."""
    if act.grants_nothing_new:
        return True
    is_current = act.decided_at < prior["expires_at"] and prior["policy_version"] >= act.terms.material_version
    return bool(is_current and act.terms.measuring in prior["purposes"])


def _revoke(
    connection: Connection,
    act: Act,
    receipt_id: str,
    decision_id: str,
    withdrawn: Sequence[str],
    *,
    erases: bool,
) -> Erasure | None:
    number = connection.execute(
        insert(revocation)
        .values(
            site_id=act.site_id,
            receipt_id=receipt_id,
            decision_id=decision_id,
            purposes=list(withdrawn),
            revoked_at=act.decided_at,
        )
        .returning(revocation.c.number)
    ).scalar_one()
    members = {"receipt_id": receipt_id, "purposes": list(withdrawn), "erases": erases}
    note_for_restore(connection, "withdrawal", act.decided_at, site_id=act.site_id, **members)
    # Who withdraws the last purpose keeps nothing here, whatever measured when it was granted.
    if not erases or (act.granted and act.terms.measured.isdisjoint(withdrawn)):
        return None
    return request_erasure(
        connection,
        site_id=act.site_id,
        receipt_id=receipt_id,
        reason="withdrawal",
        now=act.decided_at,
        number=number,
    )


def _counts(act: Act) -> list[dict[str, Any]]:
    return [
        {
            "site_id": act.site_id,
            "day": act.local_day,
            "action": act.action,
            "dimension": name,
            "value": value or "",
            "n": 1,
        }
        for name, value in (("device", act.device), ("country", act.country))
    ]
