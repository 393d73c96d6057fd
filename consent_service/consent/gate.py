"""Decide whether events may be stored: the only place where a Grant comes into being."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    """Prove that the gate said yes; nothing that stores an event can be called without one."""

    site_id: int
    receipt_id: str
    decision_id: str
    visitor_id: int
    decided_at: datetime
    granted_at: datetime
    policy_version: int
    notice_hash: str
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
    return _grant(state, rules.data)


def confirm(state: ReceiptState | None, rules: GateRules, *, received_at: datetime) -> Grant | Refusal:
    """Grant the storing of an event that was accepted at `received_at`, unless its consent was withdrawn since.

    The keeper asks this for every event it drains: the edge may have been a moment behind a withdrawal. A policy
    that became outdated, or a receipt that expired, after the event was accepted does not take it back.
    """
    if state is None or state.is_restricted or rules.purpose in state.withdrawn:
        return Refusal.WITHDRAWN
    if state.site_id != rules.site_id:
        return Refusal.WRONG_SITE
    if rules.purpose not in state.purposes:
        return Refusal.PURPOSE_REFUSED
    if received_at >= state.expires_at:
        return Refusal.TOKEN_EXPIRED
    return _grant(state, rules.data)


def _grant(state: ReceiptState, data: frozenset[str]) -> Grant:
    return Grant(
        site_id=state.site_id,
        receipt_id=state.receipt_id,
        decision_id=state.decision_id,
        visitor_id=state.visitor_id,
        decided_at=state.decided_at,
        granted_at=state.granted_at,
        policy_version=state.policy_version,
        notice_hash=state.notice_hash,
        purposes=state.purposes,
        data=data,
    )
