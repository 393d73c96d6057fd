"""A material change asks earlier visitors again, for what changed alone, and says whom and how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_service.consent.asked import count_asked, count_asked_by
from consent_service.consent.policy import Policy
from consent_service.core import Core
from consent_service.db.tables import decision, receipt
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import LANGUAGES, purposes_of, renamed, republish, rows
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Refresh = Callable[[], None]
REASON = dict.fromkeys(LANGUAGES, "Marketing now knows the city.")


@pytest.fixture
def two(core: Core, site: Site, now: Clock, refresh: Refresh) -> list[dict[str, Any]]:
    """Publish a second purpose, and give both as they are from version 2 on."""
    (analytics,) = purposes_of(core, site)
    titles = dict.fromkeys(LANGUAGES, "Marketing")
    both = [analytics, renamed(analytics, "marketing", measures=False, cookies=[], title=titles)]
    republish(core, site, now, purposes=both, material_purposes=["marketing"])
    refresh()
    return both


def widen(core: Core, site: Site, now: Clock, both: list[dict[str, Any]]) -> None:
    wider = {**both[1], "data": [*both[1]["data"], "city"]}
    republish(core, site, now, purposes=[both[0], wider], material_purposes=["marketing"], material_reason=REASON)


def test_what_was_not_changed_goes_on_being_measured(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh, two: list[dict[str, Any]]
) -> None:
    visitor.accept()
    expires_at = rows(core, receipt)[0]["expires_at"]
    granted_at = rows(core, receipt)[0]["granted_at"]
    now.move(days=30)
    widen(core, site, now, two)
    refresh()
    assert visitor.pageview().status_code == 202
    config = visitor.banner("en")
    assert {each["id"]: each["material_version"] for each in config["purposes"]} == {"analytics": 1, "marketing": 3}
    [newest, *_] = config["asked_again"]["granted"]
    assert (newest["version"], newest["purposes"], newest["reason"]) == (2, ["marketing"], REASON["en"])
    # The answer about marketing leaves the consent to measure as it was: its start, and its end.
    answer = visitor.decide("save", purposes={"analytics": True, "marketing": False}, asked=["marketing"])
    assert answer.get_json()["withdrawn"] == ["marketing"]
    (row,) = rows(core, receipt)
    assert (row["expires_at"], row["granted_at"], row["purposes"]) == (expires_at, granted_at, ["analytics"])
    assert visitor.pageview().status_code == 202


def test_who_answers_about_everything_gets_the_whole_time(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh, two: list[dict[str, Any]]
) -> None:
    visitor.accept()
    now.move(days=30)
    widen(core, site, now, two)
    refresh()
    visitor.accept(asked=["analytics", "marketing"])
    (row,) = rows(core, receipt)
    assert (row["expires_at"] - now()).days == 180


def test_the_difference_is_part_of_what_the_banner_hash_names(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh, two: list[dict[str, Any]]
) -> None:
    widen(core, site, now, two)
    refresh()
    config = visitor.banner("fr")
    [kept] = [each for each in rows(core, _notices()) if each["notice_hash"] == config["banner_hash"]]
    lines = config["asked_again"]["granted"][0]["changes"][0]["lines"]
    assert lines[0].startswith("Données collectées. Avant")
    assert lines[0].encode() in kept["document"]


def _notices() -> Any:
    from consent_service.db.tables import notice

    return notice


def test_it_is_counted_whom_a_version_asks(
    visitor: Visitor, core: Core, site: Site, now: Clock, refresh: Refresh, two: list[dict[str, Any]]
) -> None:
    for _ in range(3):
        visitor.another().accept()
    leaver = visitor.another()
    leaver.accept()
    leaver.withdraw()
    for _ in range(2):
        visitor.another().refuse()
    publication = core.publications.of(site)
    assert publication is not None
    wider = {**two[1], "data": [*two[1]["data"], "city"]}
    document = publication.current.policy.document()
    new = Policy.from_document({**document, "purposes": [two[0], wider], "material_reason": REASON})
    quiet = Policy.from_document({**document, "material_purposes": [], "material_reason": {}, "valid_days": 90})
    third = [*two, renamed(two[1], "video")]
    bigger = Policy.from_document({**document, "purposes": third, "material_purposes": ["video"]})
    with core.engine.connect() as connection:
        asked = [count_asked_by(connection, publication, each, now()).document() for each in (new, quiet, bigger)]
    assert asked == [{"grants": 3, "refusals": 0}, {"grants": 0, "refusals": 0}, {"grants": 3, "refusals": 3}]
    widen(core, site, now, two)
    refresh()
    # Who has answered since is asked no more, and neither is who decided too long ago.
    visitor.accept()
    publication = core.publications.of(site)
    assert publication is not None
    with core.engine.connect() as connection:
        assert count_asked(connection, publication, 2, 3, now()).document() == {"grants": 3, "refusals": 0}
        assert count_asked(connection, publication, 3, 2, now()).document() == {"grants": 0, "refusals": 0}
        now.move(days=181)
        assert count_asked(connection, publication, 2, 3, now()).document() == {"grants": 0, "refusals": 0}


def test_the_form_asks_for_what_changed_alone_and_says_what_it_was(
    client: FlaskClient,
    visitor: Visitor,
    core: Core,
    site: Site,
    now: Clock,
    refresh: Refresh,
    two: list[dict[str, Any]],
) -> None:
    browser = Reader(client, site)
    browser.press("accept_all")
    assert [row["purposes"] for row in rows(core, receipt)] == [["analytics", "marketing"]]
    now.move(days=1)
    widen(core, site, now, two)
    refresh()
    page = browser.get("banner")
    assert REASON["en"] in page
    assert "→ Now: " in page
    # One question, so nothing to pick; and the sentence names no other purpose than the changed one.
    assert 'data-action="accept"' in page
    assert "data-purpose" not in page
    assert two[0]["title"]["en"] not in page.partition("<h1>")[2].partition("<form")[0].rpartition("<p>")[2]
    assert REASON["en"] in browser.get("my")
    browser.press("refuse_all")
    (row,) = rows(core, receipt)
    assert (row["purposes"], row["withdrawn"]) == (["analytics"], ["marketing"])
    with core.engine.connect() as connection:
        newest = connection.execute(select(decision).order_by(decision.c.decided_at.desc())).first()
    assert newest is not None
    assert (newest.action, newest.purposes) == ("save", {"analytics": True, "marketing": False})
    assert b'"asked":["marketing"]' in newest.record
    # Answered: the page asks nothing any more.
    assert REASON["en"] not in browser.get("banner")


class Reader:
    """Hold a browser on the service's own pages of the site, which keeps its cookies."""

    def __init__(self, client: FlaskClient, site: Site) -> None:
        self.client, self.site = client, site
        self.host = site.origins[0]

    def get(self, page: str) -> str:
        return self.client.get(f"/{page}/{self.site.key}?lang=en", base_url=self.host).text

    def press(self, action: str) -> None:
        page = self.get("banner")
        token = page.partition('name="form_token" value="')[2].partition('"')[0]
        answer = self.client.post(
            f"/banner/{self.site.key}?lang=en",
            data={"form_token": token, "action": action},
            headers={"Origin": self.host, "Sec-Fetch-Site": "same-origin"},
            base_url=self.host,
        )
        assert answer.status_code == 303, answer.text
