"""A site's page shows what was sent, says what it rests on, and hides what could be about somebody."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from consent_service.consent.policy import Policy
from consent_service.consent.publication import load_publication
from consent_service.consent.publish import publish_policy
from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.console.browsing import PersonMaker, text_of
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


def _read(visitor: Visitor, keeper: KeeperInHand, count: int, pages: int = 1) -> list[Visitor]:
    """Let as many visitors agree and read as many pages each."""
    everyone = [visitor.another() for _ in range(count)]
    for each in everyone:
        assert each.accept().status_code == 201
        for number in range(pages):
            assert each.pageview(f"/article-{number}", referrer="https://www.google.com/").status_code == 202
    keeper.turn()
    return everyone


def test_figures_and_decisions_are_those_that_were_sent(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor
) -> None:
    _read(visitor, keeper, 3, pages=2)
    assert visitor.another().refuse().status_code == 201
    page = somebody(Role.ANALYST).get(f"/console/sites/{site.key}?period=day")
    assert page.status_code == 200
    text = text_of(page)
    for words in ("Visitors 3 nobody before", "Visits 3 ", "Pageviews 6 ", "Views per visit 2.00", "Bounce rate 0.0 %"):
        assert words in text
    assert "/article-0 3 3" in text
    assert "/article-1 3 3" in text
    assert "Google 3 3" in text
    assert "75.0 % of the 4 decisions agreed" in text
    assert "Accepted Agreed to every purpose. 3 75.0 %" in text
    assert "Audience measurement" in text
    assert f"/privacy/{site.key}/1" in page.text


def test_the_report_follows_withdrawals(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor, now: Clock
) -> None:
    everyone = _read(visitor, keeper, 2)
    now.move(minutes=5)
    assert everyone[0].withdraw().status_code == 200
    keeper.turn()
    text = text_of(somebody(Role.ANALYST).get(f"/console/sites/{site.key}?period=day"))
    assert "Visitors 1 " in text
    assert re.search(r"Withdrawn Agreed earlier [^.]+\. 1 ", text)


def test_a_period_is_put_beside_the_one_before(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor, now: Clock
) -> None:
    _read(visitor, keeper, 2)
    now.move(days=7)
    _read(visitor, keeper, 3)
    now.move(days=1)
    text = text_of(somebody(Role.ANALYST).get(f"/console/sites/{site.key}?period=7d"))
    assert "Visitors 3 ▲ 50 %, before: 2" in text


def test_the_chart_and_its_table_hold_the_same_numbers(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor
) -> None:
    _read(visitor, keeper, 2)
    page = somebody(Role.ANALYST).get(f"/console/sites/{site.key}?from=2026-03-09&to=2026-03-10")
    assert '"heading":"Visitors","drawn":"line","values":[' in page.text
    assert "10:00 2 2" in text_of(page)


def test_days_that_make_no_period_are_said_so_and_the_page_is_shown(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand
) -> None:
    page = somebody(Role.ANALYST).get(f"/console/sites/{site.key}?from=2026-03-10&to=2026-03-01")
    assert page.status_code == 422
    assert "The last day must not come before the first." in page.text


def test_a_new_site_shows_the_tag_to_paste(somebody: PersonMaker, site: Site, keeper: KeeperInHand) -> None:
    text = text_of(somebody(Role.ANALYST).get(f"/console/sites/{site.key}"))
    assert "Nothing has been measured yet" in text
    assert f'<script defer src="http://127.0.0.1:8000/c/{site.key}.js" referrerpolicy="origin"></script>' in text


def test_a_site_without_policy_says_what_is_missing(
    somebody: PersonMaker, core: Core, keeper: KeeperInHand, now: Clock, refresh: Callable[[], None]
) -> None:
    settings = SiteSettings(name="Bare", domain="bare.example")
    bare = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))
    refresh()
    person = somebody()
    assert f"policy publish {bare.key} policy.toml" in person.get(f"/console/sites/{bare.key}").text
    assert "No policy is published yet" in person.get(f"/console/sites/{bare.key}/policy").text
    assert "Bare" in person.get("/console/").text


@pytest.mark.parametrize(("count", "is_shown"), [(9, False), (10, True)])
def test_viewers_see_totals_of_ten_visitors_or_more_and_no_rows_at_all(
    somebody: PersonMaker,
    site: Site,
    keeper: KeeperInHand,
    visitor: Visitor,
    now: Clock,
    count: int,
    is_shown: bool,
) -> None:
    _read(visitor, keeper, count)
    now.move(days=1)
    page = somebody(Role.VIEWER).get(f"/console/sites/{site.key}?period=7d&from=2026-03-10&to=2026-03-10")
    text = text_of(page)
    assert (f"Visitors {count} " in text) is is_shown
    assert ("Fewer than 10 visitors" in text) is not is_shown
    assert (f"Agreed to every purpose. {count} " in text) is is_shown
    assert "/article-0" not in page.text
    assert "Google" not in page.text
    assert "<script" not in page.text
    assert "not shown to the role viewer" in text
    assert 'name="from"' not in page.text


def test_viewers_are_told_of_few_withdrawals_that_they_are_few(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor, now: Clock
) -> None:
    everyone = _read(visitor, keeper, 12)
    assert everyone[0].withdraw().status_code == 200
    now.move(days=1)
    text = text_of(somebody(Role.VIEWER).get(f"/console/sites/{site.key}?period=7d"))
    assert "Agreed to every purpose. 12 " in text
    assert re.search(r"Withdrawn Agreed earlier [^.]+\. under 10 ", text)


def test_viewers_cannot_choose_periods_that_differ_by_little(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor, now: Clock
) -> None:
    _read(visitor, keeper, 12)
    now.move(days=1)
    viewer = somebody(Role.VIEWER)
    shown = text_of(viewer.get(f"/console/sites/{site.key}"))
    # Today moves while it is looked at, and 30 days are two more than 28.
    for name in ("day", "30d", "24h", "all", "x"):
        page = viewer.get(f"/console/sites/{site.key}?period={name}")
        assert text_of(page) == shown
    links = re.findall(r"period=(\w+)", viewer.get(f"/console/sites/{site.key}").text)
    assert links == ["7d", "28d", "91d", "12mo"]
    assert "period=30d" in somebody(Role.ANALYST).get(f"/console/sites/{site.key}").text


def test_viewers_do_not_see_what_would_tell_of_a_few_beside_a_shorter_period(
    somebody: PersonMaker, site: Site, keeper: KeeperInHand, visitor: Visitor, now: Clock
) -> None:
    everyone = _read(visitor, keeper, 4)
    now.move(days=20)
    _read(visitor, keeper, 30)
    for _ in range(12):
        one = visitor.another()
        one.accept()
        one.withdraw()
    assert everyone[0].withdraw().status_code == 200
    keeper.turn()
    now.move(days=1)
    viewer = somebody(Role.VIEWER)
    week = text_of(viewer.get(f"/console/sites/{site.key}?period=7d"))
    assert "Visitors 30 " in week
    assert "Agreed to every purpose. 42 " in week
    month = text_of(viewer.get(f"/console/sites/{site.key}?period=28d"))
    assert "Fewer than 10 visitors" in month
    assert "Fewer than 10 people decided one way" in month
    assert "Visitors 33 " in text_of(somebody(Role.ANALYST).get(f"/console/sites/{site.key}?period=28d"))


def test_a_store_that_is_down_is_a_503_in_words(somebody: PersonMaker, site: Site) -> None:
    page = somebody().get(f"/console/sites/{site.key}")
    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) > 0
    assert "The figures cannot be read right now" in page.text
    assert "Traceback" not in page.text


def test_the_log_shows_decisions_the_newest_first_a_page_at_a_time(
    somebody: PersonMaker, site: Site, client: FlaskClient, visitor: Visitor, now: Clock
) -> None:
    for _ in range(60):
        assert visitor.another().refuse().status_code == 201
    now.move(seconds=1)
    last = visitor.another()
    assert last.accept().status_code == 201
    person = somebody(Role.PRIVACY_OFFICER)
    first = person.get(f"/console/sites/{site.key}/decisions")
    assert first.text.count("<time") == 50
    rows = re.findall(r"(?s)<tr>\s*<th scope=\"row\">.*?</tr>", first.text)
    assert "Accepted" in rows[0]
    assert str(last.receipt_id) in rows[0]
    assert "Refused" in rows[1]
    assert "none" in rows[1]
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following is not None
    second = person.get(following.group(1))
    assert second.text.count("<time") == 11
    assert 'rel="next"' not in second.text
    assert person.get(f"/console/sites/{site.key}/decisions?before=made-up").status_code == 404


def test_each_policy_version_says_what_it_changed(
    somebody: PersonMaker, site: Site, core: Core, now: Clock, refresh: Callable[[], None]
) -> None:
    with core.engine.connect() as connection:
        publication = load_publication(connection, site)
    assert publication is not None
    policy = publication.current.policy.document()
    policy["refusal_days"] = 200
    policy["languages"] = ["fr", "en", "es"]
    policy["controller"]["phone"] = "+33 1 00 00 00 00"
    changed = Policy.from_document(policy)
    core.writer.run(lambda connection: publish_policy(connection, site, changed, actor="test", now=now()))
    refresh()
    text = text_of(somebody(Role.PRIVACY_OFFICER).get(f"/console/sites/{site.key}/policy"))
    assert "Version 2 in force Published 10 Mar 2026" in text
    assert "refusal_days changed 180 200" in text
    assert "controller.phone changed – +33 1 00 00 00 00" in text
    assert "Version 1 Published 10 Mar 2026" in text
    assert "Accepter" in text
    assert "Refuser" in text
