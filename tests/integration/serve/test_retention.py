"""What has been kept long enough goes, at its date and not before."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_service.consent.policy import Policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.db.tables import decision, decision_removal, receipt
from consent_service.documents import canonical_json
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES, EXAMPLES
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def count(core: Core, table: Any) -> int:
    with core.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def publish(core: Core, site: Site, now: Clock, **changes: Any) -> None:
    """Publish a version of the policy in which something differs; `measuring` changes its measuring purpose."""
    document = tomllib.loads((EXAMPLES / "policy.toml").read_text())
    document["purposes"][0] |= changes.pop("measuring", {})
    policy = Policy.model_validate_json(canonical_json({**document, **changes}))
    core.writer.run(lambda connection: publish_policy(connection, site, policy, actor="test", now=now()))
    core.sites.revision.forget()


def events(keeper: KeeperInHand) -> int:
    return int(keeper.store.fetch("SELECT count(*) FROM event", []).rows[0][0])


def test_events_go_after_the_policys_days_and_records_after_theirs(
    visitor: Visitor, keeper: KeeperInHand, core: Core, now: Clock
) -> None:
    visitor.accept()
    visitor.another().refuse()
    visitor.pageview("/a")
    keeper.turn()
    now.move(days=394)
    keeper.keeper.retain(is_confirmed=True)
    assert events(keeper) == 1
    now.move(days=2)
    (counted,) = keeper.keeper.plan_retention().counted
    assert (counted.events, counted.records, events(keeper)) == (1, 0, 1)
    (done,) = keeper.keeper.retain(is_confirmed=True)
    assert (done.events, events(keeper)) == (1, 0)
    assert count(core, decision) == 2
    now.move(days=180 + 1095)
    (done,) = keeper.keeper.retain(is_confirmed=True)
    assert done.records == 2
    assert (count(core, decision), count(core, receipt), count(core, decision_removal)) == (0, 0, 0)


def test_the_record_of_a_withdrawn_consent_stays_until_its_date(
    visitor: Visitor, keeper: KeeperInHand, core: Core, now: Clock
) -> None:
    visitor.accept()
    visitor.withdraw()
    keeper.turn()
    now.move(days=1094)
    keeper.keeper.retain(is_confirmed=True)
    assert count(core, decision) == 2
    now.move(days=2)
    keeper.keeper.retain(is_confirmed=True)
    assert count(core, decision) == 0


def test_erased_bytes_leave_the_disk_with_compaction(visitor: Visitor, keeper: KeeperInHand) -> None:
    mark = "a-path-nobody-else-has-81c4"
    visitor.accept()
    visitor.pageview(f"/{mark}")
    keeper.turn()
    visitor.withdraw()
    keeper.turn()
    keeper.compact()
    directory = keeper.keeping.core.config.data_dir
    found = [path.name for path in directory.rglob("*") if path.is_file() and mark.encode() in path.read_bytes()]
    assert found == []


def test_a_receipt_stays_for_as_long_as_its_events(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock
) -> None:
    # A policy like this is refused today; one that was published before stays valid.
    publish(core, site, now, record_retention_days=30)
    visitor.accept()
    visitor.pageview("/a")
    other = visitor.another()
    other.accept()
    other.pageview("/b")
    visitor.another().refuse()
    keeper.turn()
    now.move(days=180 + 31)
    keeper.keeper.retain(is_confirmed=True)
    assert (events(keeper), count(core, receipt)) == (2, 2)
    assert count(core, decision) == 2
    visitor.withdraw()
    keeper.turn()
    assert events(keeper) == 1
    now.move(days=396)
    keeper.keeper.retain(is_confirmed=True)
    assert (events(keeper), count(core, receipt)) == (0, 0)


def test_each_event_goes_by_the_policy_its_consent_was_given_to(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    visitor.accept()
    visitor.pageview("/under-395-days")
    publish(core, site, now, measuring={"retention_days": 30})
    refresh()
    other = visitor.another()
    other.accept()
    other.pageview("/under-30-days")
    keeper.turn()
    now.move(days=31)
    (done,) = keeper.keeper.plan_retention().counted
    assert done.events == 1
    (done,) = keeper.keeper.retain(is_confirmed=True)
    assert (done.events, done.events_before) == (1, now() - timedelta(days=395))
    assert keeper.store.fetch("SELECT path FROM event", []).rows == [("/under-395-days",)]
    now.move(days=365)
    (done,) = keeper.keeper.retain(is_confirmed=True)
    assert (done.events, events(keeper)) == (1, 0)


def test_a_site_that_measures_no_more_still_loses_its_old_events(
    visitor: Visitor, keeper: KeeperInHand, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    publish(core, site, now, audience="children", purposes=[])
    refresh()
    now.move(days=396)
    keeper.keeper.retain(is_confirmed=True)
    assert events(keeper) == 0


def test_bytes_of_expired_events_leave_the_disk_without_an_erasure(
    visitor: Visitor, keeper: KeeperInHand, now: Clock
) -> None:
    mark = "a-path-nobody-else-has-52e0"
    visitor.accept()
    visitor.pageview(f"/{mark}")
    keeper.turn()
    now.move(days=396)
    assert not keeper.keeper.is_compaction_due()
    keeper.keeper.retain(is_confirmed=True)
    assert not keeper.keeper.is_compaction_due()
    now.move(hours=23)
    assert keeper.keeper.is_compaction_due()
    keeper.compact()
    assert not keeper.keeper.is_compaction_due()
    directory = keeper.keeping.core.config.data_dir
    found = [path.name for path in directory.rglob("*") if path.is_file() and mark.encode() in path.read_bytes()]
    assert found == []
