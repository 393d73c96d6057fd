"""Renewals: a receipt goes on, but neither its grant nor its visitor reaches over a gap or beyond its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from consent_service.consent.record import VISITOR_LIFE
from consent_service.core import Core
from consent_service.db.tables import receipt
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import purposes_of, renamed, republish, rows
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Refresh = Callable[[], None]
HOUR_MS = 3_600_000


def only_receipt(core: Core) -> dict[str, Any]:
    (row,) = rows(core, receipt)
    return row


def test_a_grant_does_not_reach_back_over_the_time_in_which_the_policy_had_outgrown_it(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    visitor.accept()
    now.move(days=1)
    republish(core, site, now, material_purposes=["analytics"])
    refresh()
    now.move(days=2)
    assert visitor.pageview().get_json()["error"]["code"] == "policy_outdated"
    visitor.accept()
    assert only_receipt(core)["granted_at"] == now()
    answer = visitor.send(visitor.event(age_ms=HOUR_MS), visitor.event()).get_json()
    assert answer == {"accepted": 1, "dropped": [{"index": 0, "reason": "before_consent"}]}


def test_a_grant_reaches_back_to_the_one_it_continues_unbroken(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    visitor.accept()
    granted_at = now()
    now.move(days=1)
    republish(core, site, now, valid_days=100)
    refresh()
    now.move(days=2)
    visitor.accept()
    assert only_receipt(core)["granted_at"] == granted_at
    assert visitor.send(visitor.event(age_ms=HOUR_MS)).get_json() == {"accepted": 1, "dropped": []}


def test_withdrawing_another_purpose_moves_neither_grant_nor_visitor(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    (analytics,) = purposes_of(core, site)
    second = renamed(analytics, "marketing", measures=False, cookies=[])
    republish(core, site, now, purposes=[analytics, second], material_purposes=["marketing"], valid_days=395)
    refresh()
    visitor.accept()
    before = only_receipt(core)
    now.move(days=300)
    visitor.withdraw(purposes=["marketing"])
    after = only_receipt(core)
    for name in ("granted_at", "visitor_id", "visitor_at", "expires_at"):
        assert after[name] == before[name], name
    assert after["purposes"] == ["analytics"]


def test_no_renewal_lets_a_visitor_live_longer_than_395_days(visitor: Visitor, core: Core, now: Clock) -> None:
    seen: dict[int, timedelta] = {}
    for _ in range(6):
        visitor.accept()
        row = only_receipt(core)
        seen[row["visitor_id"]] = row["expires_at"] - row["visitor_at"]
        now.move(days=170)
    # At 0 and 170 days one visitor, for the renewal at 340 days would carry it to 520.
    assert list(seen.values()) == [timedelta(days=350)] * 3
    assert max(seen.values()) <= VISITOR_LIFE
