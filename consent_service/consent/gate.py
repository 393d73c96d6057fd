"""Decide whether events may be stored: the only place where a Grant comes into being."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Refusal(StrEnum):
    """Name each reason for which a whole request of events is refused (HTTP 403)."""

    TOKEN_MISSING = "token_missing"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    WRONG_SITE = "wrong_site"
    WRONG_ORIGIN = "wrong_origin"
    PURPOSE_REFUSED = "purpose_refused"
    WITHDRAWN = "withdrawn"
    POLICY_OUTDATED = "policy_outdated"
    SIGNAL_REFUSED = "signal_refused"
    SITE_PAUSED = "site_paused"


@dataclass(frozen=True, slots=True)
class ReceiptState:
    """Hold what the newest decision of a receipt says.

    `purposes` are the granted purpose ids, `withdrawn` those that were granted once and then turned off.
    """

    receipt_id: str
    site_id: int
    visitor_id: int
    decision_id: str
    decided_at: datetime
    granted_at: datetime
    expires_at: datetime
    policy_version: int
    notice_hash: str
    purposes: tuple[str, ...]
    withdrawn: tuple[str, ...]
    is_restricted: bool
    is_under_signal: bool


@dataclass(frozen=True, slots=True)
class GateRules:
    """Hold what a site asks of a consent: its measuring purpose, declared data and oldest acceptable policy."""

    site_id: int
    purpose: str
    data: frozenset[str]
    material_version: int
    refuses_signal: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """Prove that the gate said yes; nothing that stores an event can be called without one.

    `purpose` is the granted one that events need, `purposes` are all that were granted.
    """

    site_id: int
    receipt_id: str
    decision_id: str
    visitor_id: int
    decided_at: datetime
    granted_at: datetime
    policy_version: int
    notice_hash: str
    purpose: str
    purposes: tuple[str, ...]
    data: frozenset[str]


def check(state: ReceiptState | None, rules: GateRules, *, now: datetime, has_signal: bool) -> Grant | Refusal:
    """Grant the storing of events under a receipt, or name the first reason not to.

    A receipt that is not in the main database any more was erased with its record: its token counts as withdrawn.
    """
    if state is None or state.is_restricted or rules.purpose in state.withdrawn:
        return Refusal.WITHDRAWN
    if state.site_id != rules.site_id:
        return Refusal.WRONG_SITE
    if now >= state.expires_at:
        return Refusal.TOKEN_EXPIRED
    if rules.purpose not in state.purposes:
        return Refusal.PURPOSE_REFUSED
    if state.policy_version < rules.material_version:
        return Refusal.POLICY_OUTDATED
    if has_signal and rules.refuses_signal and not state.is_under_signal:
        return Refusal.SIGNAL_REFUSED
    return Grant(
        site_id=state.site_id,
        receipt_id=state.receipt_id,
        decision_id=state.decision_id,
        visitor_id=state.visitor_id,
        decided_at=state.decided_at,
        granted_at=state.granted_at,
        policy_version=state.policy_version,
        notice_hash=state.notice_hash,
        purpose=rules.purpose,
        purposes=state.purposes,
        data=rules.data,
    )


def write_grant(grant: Grant) -> dict[str, Any]:
    """Write a grant as JSON-able values, to lie beside the events it allows until `confirm` reads it."""
    return {
        "site_id": grant.site_id,
        "receipt_id": grant.receipt_id,
        "decision_id": grant.decision_id,
        "visitor_id": grant.visitor_id,
        "decided_at": grant.decided_at.isoformat(),
        "granted_at": grant.granted_at.isoformat(),
        "policy_version": grant.policy_version,
        "notice_hash": grant.notice_hash,
        "purpose": grant.purpose,
        "purposes": list(grant.purposes),
        "data": sorted(grant.data),
    }


def confirm(written: Mapping[str, Any], state: ReceiptState | None) -> Grant | Refusal:
    """Give back the grant under which events were accepted, unless its consent was taken back since.

    The keeper asks this for all events it drains: the edge may have been a moment behind a withdrawal. What else
    happened since, a renewal, another policy, an expiry, changes nothing of them. Raises KeyError, TypeError or
    ValueError for what `write_grant` did not write.
    """
    grant = Grant(
        site_id=written["site_id"],
        receipt_id=written["receipt_id"],
        decision_id=written["decision_id"],
        visitor_id=written["visitor_id"],
        decided_at=datetime.fromisoformat(written["decided_at"]),
        granted_at=datetime.fromisoformat(written["granted_at"]),
        policy_version=written["policy_version"],
        notice_hash=written["notice_hash"],
        purpose=written["purpose"],
        purposes=tuple(written["purposes"]),
        data=frozenset(written["data"]),
    )
    if state is None or state.is_restricted or grant.purpose not in state.purposes:
        return Refusal.WITHDRAWN
    return grant if state.site_id == grant.site_id else Refusal.WRONG_SITE
