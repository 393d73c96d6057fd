"""Withdrawals: whatever the policy has become since, they reach every event of the visitor, once and for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from consent_service.config import Config
from consent_service.consent.removal import remove_records
from consent_service.consent.tokens import TokenSigner
from consent_service.core import Core
from consent_service.db.tables import decision, decision_removal, erasure_job, receipt, revocation
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import purposes_of, renamed, republish, rows
from tests.integration.consent.reader import FOREIGN, Reader
from tests.integration.consent.test_forms_my import hand_over
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Refresh = Callable[[], None]


def rename_measuring(core: Core, site: Site, now: Clock, refresh: Refresh) -> None:
    """Let another purpose measure from now on; the one that measured is gone."""
    (analytics,) = purposes_of(core, site)
    republish(core, site, now, purposes=[renamed(analytics, "audience")], material_purposes=["audience"])
    refresh()


def add_second(core: Core, site: Site, now: Clock, refresh: Refresh) -> None:
    """Ask for a second purpose, which measures nothing."""
    (analytics,) = purposes_of(core, site)
    second = renamed(analytics, "marketing", measures=False, cookies=[])
    republish(core, site, now, purposes=[analytics, second], material_purposes=["marketing"])
    refresh()


def test_what_measured_under_an_earlier_policy_is_erased_on_withdrawal(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    granted = visitor.accept().get_json()
    rename_measuring(core, site, now, refresh)
    answer = visitor.withdraw().get_json()
    assert (answer["purposes"], answer["erasure"]["status"]) == (["analytics"], "pending")
    assert [job["receipt_id"] for job in rows(core, erasure_job)] == [granted["receipt_id"]]


def test_refusing_what_measuring_is_called_now_withdraws_what_it_was_called(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    visitor.accept()
    rename_measuring(core, site, now, refresh)
    answer = visitor.refuse().get_json()
    assert (answer["withdrawn"], answer["erasure"]["status"]) == (["analytics"], "pending")


def test_accepting_what_measuring_is_called_now_withdraws_nothing(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    first = visitor.accept().get_json()
    rename_measuring(core, site, now, refresh)
    second = visitor.accept().get_json()
    assert (second["receipt_id"], second["withdrawn"], second["erasure"]) == (first["receipt_id"], [], None)
    assert rows(core, erasure_job) == []
    # The receipt still holds what was measured before: its end erases both.
    assert visitor.withdraw().get_json()["erasure"]["status"] == "pending"


def test_where_children_are_addressed_now_a_withdrawal_still_erases(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    visitor.accept()
    republish(core, site, now, audience="children", purposes=[])
    refresh()
    answer = visitor.withdraw().get_json()
    assert (answer["purposes"], answer["erasure"]["status"]) == (["analytics"], "pending")


def test_withdrawing_what_measures_nothing_erases_nothing_until_the_last(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    add_second(core, site, now, refresh)
    visitor.accept()
    assert visitor.withdraw(purposes=["marketing"]).get_json()["erasure"] is None
    assert visitor.withdraw().get_json()["erasure"]["status"] == "pending"


def test_a_receipt_that_begins_over_another_ends_it(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    add_second(core, site, now, refresh)
    first = visitor.accept().get_json()
    visitor.withdraw(purposes=["analytics"])
    old = visitor.token
    now.move(days=1)
    answer = visitor.decide("save", purposes={"analytics": True, "marketing": False}).get_json()
    assert answer["receipt_id"] != first["receipt_id"]
    # The marketing that the old receipt still granted was turned off by this very choice.
    assert answer["withdrawn"] == ["marketing"]
    ended = next(row for row in rows(core, receipt) if row["receipt_id"] == first["receipt_id"])
    assert (ended["purposes"], sorted(ended["withdrawn"])) == ([], ["analytics", "marketing"])
    assert (ended["withdrawn_at"], ended["expires_at"]) == (now(), now())
    newest = rows(core, revocation)[-1]
    assert (newest["receipt_id"], newest["purposes"]) == (first["receipt_id"], ["marketing"])
    last = next(row for row in rows(core, decision) if row["decision_id"] == ended["decision_id"])
    assert (last["action"], last["withdrawn"], last["receipt_id"]) == ("withdraw", ["marketing"], first["receipt_id"])
    assert answer["receipt_id"].encode() not in last["record"]
    # Nothing of the old receipt can be brought back, nor does its token stand for anything.
    assert visitor.send(visitor.event(), token=old).get_json()["error"]["code"] == "withdrawn"
    assert visitor.pageview().status_code == 202


def test_what_goes_on_under_a_new_receipt_was_not_withdrawn(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    add_second(core, site, now, refresh)
    visitor.accept()
    visitor.withdraw(purposes=["analytics"])
    answer = visitor.accept().get_json()
    assert answer["withdrawn"] == []
    assert sorted(row["purposes"] for row in rows(core, receipt)) == [[], ["analytics", "marketing"]]


def test_withdrawing_a_part_twice_gives_the_first_answer(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    add_second(core, site, now, refresh)
    visitor.accept()
    first = visitor.withdraw(purposes=["marketing"]).get_json()
    now.move(hours=1)
    again = visitor.withdraw(purposes=["marketing"]).get_json()
    assert (again["withdrawn_at"], again["purposes"]) == (first["withdrawn_at"], ["marketing"])
    assert len(rows(core, revocation)) == 1
    # What stays granted stays.
    assert visitor.pageview().status_code == 202
    now.move(hours=1)
    token = visitor.token
    last = visitor.withdraw().get_json()
    now.move(hours=1)
    assert visitor.withdraw(token=token).get_json()["withdrawn_at"] == last["withdrawn_at"] != first["withdrawn_at"]
    partly = visitor.withdraw(token=token, purposes=["marketing"]).get_json()
    assert partly["withdrawn_at"] == first["withdrawn_at"]
    assert partly["erasure"]["id"] == last["erasure"]["id"]


def test_withdrawing_what_was_never_granted_ends_nothing(visitor: Visitor, core: Core) -> None:
    visitor.accept()
    answer = visitor.withdraw(purposes=["marketing"]).get_json()
    assert (answer["purposes"], answer["erasure"]) == ([], None)
    assert rows(core, revocation) == []
    assert visitor.pageview().status_code == 202


def test_a_page_cannot_keep_what_was_collected(visitor: Visitor, core: Core) -> None:
    granted = visitor.accept().get_json()
    assert visitor.withdraw(erase=False).get_json()["erasure"]["status"] == "pending"
    assert [job["receipt_id"] for job in rows(core, erasure_job)] == [granted["receipt_id"]]


def test_an_earlier_erasure_does_not_stand_for_a_later_one(
    visitor: Visitor, another: Callable[..., Reader], core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    (analytics,) = purposes_of(core, site)
    # The second purpose measures from now on, beside the one that did.
    both = [{**analytics, "measures": False}, renamed(analytics, "audience", cookies=[])]
    republish(core, site, now, purposes=both, material_purposes=["audience"])
    refresh()
    visitor.accept()
    early = visitor.withdraw(purposes=["analytics"]).get_json()["erasure"]
    now.move(hours=1)
    reader, token = another(FOREIGN), visitor.token
    hand_over(reader, token)
    reader.act("withdraw", untick=("1",))
    assert len(rows(core, erasure_job)) == 1
    now.move(hours=1)
    with core.engine.begin() as connection:
        connection.execute(update(erasure_job).values(status="done", done_at=now()))
    late = visitor.withdraw(token=token).get_json()["erasure"]
    assert (late["status"], late["id"] != early["id"]) == ("pending", True)


def test_the_token_of_what_is_kept_is_of_the_policy_it_was_granted_under(
    visitor: Visitor, core: Core, config: Config, site: Site, now: Clock, refresh: Refresh
) -> None:
    visitor.accept()
    old = visitor.token
    add_second(core, site, now, refresh)
    visitor.accept()
    answer = visitor.withdraw(token=old, purposes=["analytics"]).get_json()
    kept = TokenSigner([key.value for key in config.secret_keys]).open(answer["token"], now())
    assert (kept.policy_version, kept.purpose_bits) == (2, 0b10)


def test_records_that_are_deleted_leave_no_name_behind(visitor: Visitor, core: Core, now: Clock) -> None:
    granted = visitor.accept().get_json()
    visitor.withdraw()
    visitor.another().accept()
    receipt_id = granted["receipt_id"]
    gone = core.writer.run(lambda connection: remove_records(connection, receipt_id, reason="erasure", now=now()))
    assert gone == 2
    for table in (decision, receipt, revocation, decision_removal):
        assert [row for row in rows(core, table) if receipt_id in row.values()] == []
    assert rows(core, decision_removal) == []
    # What is left still goes only by name.
    with pytest.raises(DatabaseError, match="decision"), core.engine.begin() as connection:
        connection.execute(delete(decision))
