"""The gate says yes to a valid, current consent alone, and names the first reason for every no."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consent_service.consent.gate import GateRules, Grant, ReceiptState, Refusal, check, confirm

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
    assert confirm(None, RULES, received_at=NOW) == Refusal.WITHDRAWN


def test_the_signal_refuses_unless_the_grant_was_made_under_it() -> None:
    assert check(STATE, RULES, now=NOW, has_signal=True) == Refusal.SIGNAL_REFUSED
    under = replace(STATE, is_under_signal=True)
    assert isinstance(check(under, RULES, now=NOW, has_signal=True), Grant)
    ignoring = replace(RULES, refuses_signal=False)
    assert isinstance(check(STATE, ignoring, now=NOW, has_signal=True), Grant)


def test_an_accepted_event_stays_valid_when_its_policy_is_replaced_before_it_is_stored() -> None:
    newer = replace(RULES, material_version=9)
    assert isinstance(confirm(STATE, newer, received_at=NOW), Grant)


def test_an_accepted_event_is_not_stored_once_its_consent_was_withdrawn() -> None:
    gone = replace(STATE, withdrawn=("analytics",), purposes=())
    assert confirm(gone, RULES, received_at=NOW) == Refusal.WITHDRAWN
