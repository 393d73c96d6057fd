"""The gate says yes to a valid, current consent alone, and names the first reason for every no."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent_service.consent.gate import GateRules, Grant, ReceiptState, Refusal, check, confirm, write_grant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = ReceiptState(
    receipt_id="a" * 32,
    site_id=1,
    visitor_id=7,
    decision_id="d",
    decided_at=NOW - timedelta(days=1),
    granted_at=NOW - timedelta(days=1),
    expires_at=NOW + timedelta(days=179),
    policy_version=3,
    notice_hash="b" * 64,
    purposes=("analytics",),
    withdrawn=(),
    is_restricted=False,
    is_under_signal=False,
)
RULES = GateRules(1, "analytics", frozenset({"page"}), material_version=2, refuses_signal=True)


def test_a_valid_consent_is_granted_with_all_that_proves_it() -> None:
    grant = check(STATE, RULES, now=NOW, has_signal=False)
    assert isinstance(grant, Grant)
    assert (grant.receipt_id, grant.decision_id, grant.policy_version) == ("a" * 32, "d", 3)
    assert grant.data == {"page"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"withdrawn": ("analytics",), "purposes": ()}, Refusal.WITHDRAWN),
        ({"is_restricted": True}, Refusal.WITHDRAWN),
        ({"site_id": 2}, Refusal.WRONG_SITE),
        ({"expires_at": NOW}, Refusal.TOKEN_EXPIRED),
        ({"purposes": ("marketing",)}, Refusal.PURPOSE_REFUSED),
        ({"policy_version": 1}, Refusal.POLICY_OUTDATED),
    ],
)
def test_a_consent_that_does_not_hold_is_refused_with_its_reason(change: dict[str, object], reason: Refusal) -> None:
    assert check(replace(STATE, **change), RULES, now=NOW, has_signal=False) == reason  # type: ignore[arg-type]


def test_a_receipt_that_was_erased_counts_as_withdrawn() -> None:
    assert check(None, RULES, now=NOW, has_signal=False) == Refusal.WITHDRAWN


def test_the_signal_refuses_unless_the_grant_was_made_under_it() -> None:
    assert check(STATE, RULES, now=NOW, has_signal=True) == Refusal.SIGNAL_REFUSED
    under = replace(STATE, is_under_signal=True)
    assert isinstance(check(under, RULES, now=NOW, has_signal=True), Grant)
    ignoring = replace(RULES, refuses_signal=False)
    assert isinstance(check(STATE, ignoring, now=NOW, has_signal=True), Grant)


def accepted() -> dict[str, Any]:
    """Give what an inbox keeps of the grant of events that were accepted."""
    grant = check(STATE, RULES, now=NOW, has_signal=False)
    assert isinstance(grant, Grant)
    written: dict[str, Any] = json.loads(json.dumps(write_grant(grant)))
    return written


def test_a_grant_written_down_comes_back_as_it_was() -> None:
    assert confirm(accepted(), STATE) == check(STATE, RULES, now=NOW, has_signal=False)


@pytest.mark.parametrize(
    "change",
    [
        {"decision_id": "e", "decided_at": NOW, "policy_version": 9, "notice_hash": "c" * 64},
        {"purposes": ("analytics", "marketing"), "visitor_id": 8},
        {"expires_at": NOW - timedelta(days=1)},
        {"withdrawn": ("marketing",)},
    ],
    ids=["renewed", "with another purpose and visitor", "expired", "another purpose withdrawn"],
)
def test_accepted_events_keep_their_decision_whatever_else_happens_before_they_are_stored(
    change: dict[str, Any],
) -> None:
    grant = confirm(accepted(), replace(STATE, **change))
    assert grant == check(STATE, RULES, now=NOW, has_signal=False)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, Refusal.WITHDRAWN),
        (replace(STATE, withdrawn=("analytics",), purposes=()), Refusal.WITHDRAWN),
        (replace(STATE, purposes=("marketing",)), Refusal.WITHDRAWN),
        (replace(STATE, is_restricted=True), Refusal.WITHDRAWN),
        (replace(STATE, site_id=2), Refusal.WRONG_SITE),
    ],
)
def test_accepted_events_are_not_stored_once_their_consent_is_gone(state: ReceiptState | None, reason: Refusal) -> None:
    assert confirm(accepted(), state) == reason


@pytest.mark.parametrize("spoilt", [{}, {**accepted(), "decided_at": "?"}, {**accepted(), "purposes": None}])
def test_what_is_no_grant_is_told_from_one(spoilt: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        confirm(spoilt, STATE)
