"""Officers see decisions by what is known of them, and every erasure with its certificate."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.console.browsing import PersonMaker, text_of
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_decisions_are_counted_by_what_is_known_of_them(
    site: Site, visitor: Visitor, somebody: PersonMaker, now: Clock
) -> None:
    for language in ("fr", "fr", "en"):
        visitor.another().accept(language=language)
    visitor.another().refuse(language="fr")
    officer = somebody(Role.PRIVACY_OFFICER)
    path = f"/console/sites/{site.key}/consents"
    page = officer.get(path)
    assert page.status_code == 200
    # Accepted, refused, customised, withdrawn, expired; then the rates of those who decided.
    assert "French 2 1 0 0 0 66.7 % 33.3 %" in text_of(page)
    assert "English 1 0 0 0 0 100.0 % 0.0 %" in text_of(page)
    assert "not known 3 1" in text_of(officer.get(f"{path}?by=country&period=day"))
    assert "Desktop 3 1" in text_of(officer.get(f"{path}?by=device&period=day"))
    assert "Version 1 3 1" in text_of(officer.get(f"{path}?by=policy_version&period=day"))
    assert f"{now().day} {now():%b %Y} 3 1" in text_of(officer.get(f"{path}?by=day&period=day"))
    assert len(re.findall(r'<th scope="row">[0-9a-f]{12}…', officer.get(f"{path}?by=banner&period=day").text)) == 2
    assert "Nobody decided in this period." in text_of(officer.get(f"{path}?from=2020-01-01&to=2020-01-02"))
    assert (
        "by=country&amp;from=2020-01-01&amp;to=2020-01-02" in officer.get(f"{path}?from=2020-01-01&to=2020-01-02").text
    )
    odd = officer.get(f"{path}?by=shoe+size&from=2020-02-01&to=2020-01-01")
    assert odd.status_code == 422
    assert "The last day must not come before the first. Shown instead" in text_of(odd)
    assert "Nobody decided in this period." in text_of(odd)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_every_erasure_is_listed_with_its_certificate(
    client: FlaskClient, core: Core, site: Site, visitor: Visitor, keeper: KeeperInHand, somebody: PersonMaker
) -> None:
    officer = somebody(Role.PRIVACY_OFFICER)
    path = f"/console/sites/{site.key}/erasures"
    assert "Nothing was erased yet." in text_of(officer.get(path))
    visitor.accept()
    visitor.pageview()
    keeper.turn()
    visitor.withdraw()
    waiting = officer.get(path)
    assert "Withdrawn by the visitor Waits for the keeper – kept – – –" in text_of(waiting)
    keeper.turn()
    keeper.sign()
    page = officer.get(path)
    assert "Withdrawn by the visitor Erased 1 kept" in text_of(page)
    assert visitor.receipt_id is not None
    assert visitor.receipt_id not in page.text
    (certificate,) = re.findall(r'href="([^"]+)" aria-label="Certificate of', page.text)
    answer = client.get(certificate)
    assert answer.status_code == 200
    assert b'"events"' in answer.data


@pytest.mark.parametrize("page", ["consents", "erasures"])
def test_others_see_neither(site: Site, somebody: PersonMaker, page: str) -> None:
    assert somebody(Role.ANALYST).get(f"/console/sites/{site.key}/{page}").status_code == 403
