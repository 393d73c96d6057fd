"""The consent log gives officers, and nobody else, the evidence of a decision as a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.db.tables import audit
from consent_service.ledger.verifier.verify import verify
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.console.browsing import PersonMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.ledger.evidence import Desk
from tests.integration.visitor import Visitor


@pytest.fixture
def running(keeper: KeeperInHand) -> Iterator[KeeperInHand]:
    """Give a keeper that works by itself, as it does in a deployment."""
    thread = threading.Thread(target=keeper.keeping.run)
    thread.start()
    yield keeper
    keeper.keeping.end()
    thread.join()


def test_an_officer_takes_a_bundle_and_the_audit_says_so(
    somebody: PersonMaker, site: Site, visitor: Visitor, core: Core, running: KeeperInHand
) -> None:
    decision_id = visitor.accept().get_json()["decision_id"]
    person = somebody(Role.PRIVACY_OFFICER)
    log = person.get(f"/console/sites/{site.key}/decisions")
    path = f"/console/sites/{site.key}/decisions/{decision_id}/bundle"
    assert f'action="{path}"' in log.text
    answer = person.submit(path, log)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-{decision_id}.zip"'
    assert verify(answer.data, [Desk(core).key])
    with core.engine.connect() as connection:
        noted = connection.execute(select(audit).where(audit.c.action == "ledger.bundle")).one()
    assert (noted.actor, noted.subject) == ("privacy_officer@example.org", decision_id)
    assert person.submit(path.replace(decision_id, "unknown"), log).status_code == 404


def test_nobody_else_does(
    somebody: PersonMaker, site: Site, visitor: Visitor, core: Core, keeper: KeeperInHand
) -> None:
    settings = SiteSettings(domain="other.example", name="Other")
    other = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=core.now()))
    decision_id = visitor.accept().get_json()["decision_id"]
    path = f"/console/sites/{site.key}/decisions/{decision_id}/bundle"
    for role in (Role.ANALYST, Role.VIEWER):
        person = somebody(role)
        assert person.submit(path, person.get("/console/sites/" + site.key)).status_code == 403
    elsewhere = somebody(Role.PRIVACY_OFFICER, sites=[other.site_id], email="other@example.org")
    assert elsewhere.submit(path, elsewhere.get(f"/console/sites/{other.key}")).status_code == 404
    officer = somebody(Role.PRIVACY_OFFICER, email="third@example.org")
    assert officer.client.post(path).status_code in (400, 403)


def test_a_keeper_that_does_not_answer_is_said(somebody: PersonMaker, site: Site, visitor: Visitor) -> None:
    decision_id = visitor.accept().get_json()["decision_id"]
    person = somebody(Role.PRIVACY_OFFICER)
    log = person.get(f"/console/sites/{site.key}/decisions")
    assert person.submit(f"/console/sites/{site.key}/decisions/{decision_id}/bundle", log).status_code == 503
