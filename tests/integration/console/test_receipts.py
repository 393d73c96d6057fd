"""Officers, and nobody else, hold, lift, erase, and lead a visitor to the copy of their data."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from consent_service.consent.copy_link import SALT
from consent_service.consent.hold import HoldKind, list_holds, new_hold, place_hold
from consent_service.consent.tokens import TokenSigner
from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.db.tables import audit, decision, erasure_job, receipt
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.console.browsing import Person, PersonMaker, text_of
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def officer(somebody: PersonMaker) -> Person:
    """Give a privacy officer who is logged in."""
    return somebody(Role.PRIVACY_OFFICER)


def page_of(site: Site, visitor: Visitor) -> str:
    """Give the address of a visitor's receipt in the console."""
    return f"/console/sites/{site.key}/receipts/{visitor.receipt_id}"


def links_of(officer: Person, path: str) -> dict[str, str]:
    """Press *Link for the visitor*; gives the paths that are shown, by format."""
    shown = officer.submit(f"{path}/link", officer.get(path))
    assert shown.status_code == 200
    found = [urlsplit(unescape(each)).path for each in re.findall(r'href="([^"]*/v1/copies/[^"]*)"', shown.text)]
    return {each.rpartition("/")[2]: each for each in found}


def actions(core: Core) -> list[tuple[str, str]]:
    """Give who did what, in order."""
    with core.engine.connect() as connection:
        rows = connection.execute(select(audit.c.actor, audit.c.action).order_by(audit.c.audit_id)).all()
    return [(row.actor, row.action) for row in rows]


def test_a_receipt_is_held_and_lifted(officer: Person, site: Site, visitor: Visitor, core: Core, now: Clock) -> None:
    visitor.accept()
    path = page_of(site, visitor)
    assert f'href="{path}"' in officer.get(f"/console/sites/{site.key}/decisions").text
    page = officer.get(path)
    assert "Nothing holds it." in text_of(page)
    day = str(now().date())
    held = officer.submit(f"{path}/hold", page, reason="case <7>", until=day)
    assert (held.status_code, held.headers["Location"]) == (303, path)
    with core.engine.connect() as connection:
        (hold,) = list_holds(connection, site.site_id)
    assert (hold.receipt_id, hold.kind, hold.placed_by) == (visitor.receipt_id, HoldKind.LEGAL, officer.user.email)
    assert hold.until is not None
    assert hold.until.date() > now().date()
    listed = officer.get(f"/console/sites/{site.key}/holds")
    for shown in (officer.get(path), listed):
        assert "case <7>" in text_of(shown)
        assert "case <7>" not in shown.text
    lifted = officer.submit(f"/console/sites/{site.key}/holds/{hold.hold_id}/lift", listed)
    assert lifted.headers["Location"] == f"/console/sites/{site.key}/holds"
    assert "Nothing is held." in text_of(officer.get(lifted.headers["Location"]))
    again = officer.submit(f"/console/sites/{site.key}/holds/{hold.hold_id}/lift", listed, receipt="1")
    assert again.status_code == 303


def test_a_visitors_wish_is_a_restriction(officer: Person, site: Site, visitor: Visitor) -> None:
    visitor.accept()
    path = page_of(site, visitor)
    officer.submit(f"{path}/hold", officer.get(path), reason="asked by letter", is_wish="y")
    page = officer.get(path)
    assert "Restriction" in text_of(page)
    officer.submit(f"{path}/erase", page, confirmed="1")
    page = officer.get(path)
    assert "Nothing holds it." in text_of(page)
    assert "It is being erased" in text_of(page)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": ""}, "Say why."),
        ({"reason": "x" * 501}, "Field cannot be longer"),
        ({"reason": "x", "until": "2020-01-01"}, "must be in the future"),
        ({"reason": "x", "until": "soon"}, "Not a valid date"),
    ],
)
def test_a_hold_that_is_filled_in_wrongly_is_explained(
    officer: Person, site: Site, visitor: Visitor, core: Core, fields: dict[str, str], words: str
) -> None:
    visitor.accept()
    path = page_of(site, visitor)
    answer = officer.submit(f"{path}/hold", officer.get(path), **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    with core.engine.connect() as connection:
        assert list_holds(connection) == []


def test_an_erasure_wants_to_be_confirmed_and_takes_the_records_if_asked(
    officer: Person, site: Site, visitor: Visitor, core: Core, keeper: KeeperInHand
) -> None:
    visitor.accept()
    visitor.pageview("/a")
    keeper.turn()
    path = page_of(site, visitor)
    page = officer.get(path)
    refused = officer.submit(f"{path}/erase", page, records="1")
    assert (refused.status_code, "Tick that" in text_of(refused)) == (422, True)
    with core.engine.connect() as connection:
        assert connection.execute(select(erasure_job)).all() == []
    assert officer.submit(f"{path}/erase", page, confirmed="1").headers["Location"] == path
    assert "It is being erased" in text_of(officer.get(path))
    keeper.turn()
    shown = officer.get(path)
    assert "Erased: 1 events." in text_of(shown)
    assert 'href="/v1/erasures/' in shown.text
    gone = officer.submit(f"{path}/erase", shown, confirmed="1", records="1")
    assert gone.headers["Location"] == f"/console/sites/{site.key}/decisions"
    with core.engine.connect() as connection:
        assert connection.execute(select(decision)).all() == connection.execute(select(receipt)).all() == []
    assert officer.get(path).status_code == 404


def test_an_erasure_under_a_legal_hold_says_that_it_waits(officer: Person, site: Site, visitor: Visitor) -> None:
    visitor.accept()
    path = page_of(site, visitor)
    page = officer.get(path)
    officer.submit(f"{path}/hold", page, reason="case 7")
    officer.submit(f"{path}/erase", page, confirmed="1", records="1")
    assert "An erasure waits for the legal hold." in text_of(officer.get(path))


def test_the_link_opens_the_copy_for_ten_minutes_without_a_login(
    officer: Person, site: Site, visitor: Visitor, core: Core, keeper: KeeperInHand, app: Flask, now: Clock
) -> None:
    visitor.accept()
    visitor.pageview("/mine")
    keeper.turn()
    links = links_of(officer, page_of(site, visitor))
    assert set(links) == {"json", "csv"}
    stranger = app.test_client()
    now.move(minutes=9, seconds=59)
    copy = stranger.get(links["json"])
    assert copy.status_code == 200
    assert copy.headers["Cache-Control"] == "no-store"
    assert copy.headers["Referrer-Policy"] == "no-referrer"
    assert copy.get_json()["receipt_id"] == visitor.receipt_id
    assert [row["path"] for row in copy.get_json()["events"]] == ["/mine"]
    table = stranger.get(links["csv"])
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "/mine" in table.text
    noted = [each for each in actions(core) if each[1].startswith("access")]
    assert noted == [(officer.user.email, "access link"), ("visitor", "access"), ("visitor", "access")]
    now.move(seconds=1)
    late = stranger.get(links["json"], headers={"Accept-Language": "fr"})
    assert (late.status_code, late.mimetype) == (403, "text/html")
    assert "Ce lien n&#39;est plus valable." in late.text
    assert late.headers["Cache-Control"] == "no-store"
    assert len([each for each in actions(core) if each[1] == "access"]) == 2


def test_an_altered_link_a_token_and_another_salt_open_nothing(
    officer: Person, site: Site, visitor: Visitor, core: Core, keeper: KeeperInHand, app: Flask, now: Clock
) -> None:
    visitor.accept()
    path = links_of(officer, page_of(site, visitor))["json"]
    good = path.split("/")[3]
    signer = TokenSigner([key.value for key in core.config.secret_keys])
    other = signer.seal("consent-form/v1").sign([site.key, visitor.receipt_id, "x"], now())
    elsewhere = signer.seal(SALT).sign(["nosuchsite22", visitor.receipt_id, "x"], now())
    early = signer.seal(SALT).sign([site.key, visitor.receipt_id, "x"], now().replace(year=2030))
    odd = signer.seal(SALT).sign([site.key], now())
    altered = [good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :] for at in range(0, len(good) - 1, 7)]
    stranger = app.test_client()
    tokens = [str(visitor.token), str(visitor.receipt_id)]
    for link in [*altered, *tokens, other, elsewhere, early, odd, "x", "é", "a" * 5000]:
        answer = stranger.get(f"/v1/copies/{link}/json", headers={"Authorization": f"Bearer {visitor.token}"})
        assert (answer.status_code, answer.mimetype) == (403, "text/html"), link
    assert stranger.get(path).status_code == 200
    assert stranger.get(path.replace("/json", "/xml")).status_code == 404


def test_a_link_to_what_was_erased_with_its_records_is_over(
    officer: Person, site: Site, visitor: Visitor, keeper: KeeperInHand, app: Flask
) -> None:
    visitor.accept()
    path = page_of(site, visitor)
    links = links_of(officer, path)
    officer.submit(f"{path}/erase", officer.get(path), confirmed="1", records="1")
    keeper.turn()
    assert app.test_client().get(links["json"]).status_code == 403


def test_nobody_else_does_any_of_it(somebody: PersonMaker, site: Site, visitor: Visitor, core: Core) -> None:
    visitor.accept()
    settings = SiteSettings(domain="other.example", name="Other")
    other = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=core.now()))
    wanted = new_hold(site.site_id, str(visitor.receipt_id), "case 7", "officer", core.now())
    hold = core.writer.run(lambda connection: place_hold(connection, wanted))
    path, holds = page_of(site, visitor), f"/console/sites/{site.key}/holds"
    posts = [f"{path}/hold", f"{path}/erase", f"{path}/link", f"{holds}/{hold.hold_id}/lift"]
    fields = {"reason": "x", "confirmed": "1"}
    before = actions(core)
    analyst, viewer = somebody(Role.ANALYST), somebody(Role.VIEWER)
    elsewhere = somebody(Role.PRIVACY_OFFICER, sites=[other.site_id], email="other@example.org")
    for person, home, status in ((analyst, site, 403), (viewer, site, 403), (elsewhere, other, 404)):
        form = person.get(f"/console/sites/{home.key}")
        assert [person.get(each).status_code for each in (path, holds)] == [status] * 2
        assert [person.submit(each, form, **fields).status_code for each in posts] == [status] * 4
    # An officer of another site reaches this one's data neither through their own site's addresses.
    form = elsewhere.get(f"/console/sites/{other.key}")
    mixed = [each.replace(site.key, other.key) for each in posts]
    assert [elsewhere.submit(each, form, **fields).status_code for each in mixed] == [404] * 4
    officer = somebody(Role.PRIVACY_OFFICER, email="third@example.org")
    assert [officer.client.post(each, data=fields).status_code for each in posts] == [403] * 4
    acts = {action for _, action in actions(core)[len(before) :]}
    assert not acts & {"hold add", "hold lift", "erase", "access link"}
