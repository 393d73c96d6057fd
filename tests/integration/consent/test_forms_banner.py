"""The banner as a plain form: refuse, accept and choose without scripts, with the same records as with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from consent_service.consent.policy import Policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.db.tables import decision, erasure_job, idempotency, receipt
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.conftest import ReaderMaker
from tests.integration.consent.reader import FOREIGN, OWN, Reader, buttons, said

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Refresh = Callable[[], None]


def rows(core: Core, table: Any) -> list[dict[str, Any]]:
    with core.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table))]


def publish(core: Core, site: Site, now: Clock, refresh: Refresh, **changes: Any) -> None:
    """Publish the policy anew with some members changed."""
    publication = core.publications.of(site)
    assert publication is not None
    policy = Policy.from_document({**publication.current.policy.document(), **changes})
    core.writer.run(lambda connection: publish_policy(connection, site, policy, actor="test", now=now()))
    refresh()


def two_purposes(core: Core, site: Site, now: Clock, refresh: Refresh) -> None:
    """Publish a second purpose."""
    publication = core.publications.of(site)
    assert publication is not None
    document = publication.current.policy.document()
    second = {**document["purposes"][0], "id": "marketing", "measures": False, "title": {}}
    second["title"] = dict.fromkeys(document["languages"], "Marketing")
    reason = dict.fromkeys(document["languages"], "A new purpose.")
    publish(
        core,
        site,
        now,
        refresh,
        purposes=[*document["purposes"], second],
        material_purposes=["marketing"],
        material_reason=reason,
    )


def test_looking_at_the_banner_changes_nothing_and_sets_no_cookie(reader: Reader, core: Core) -> None:
    page = reader.banner()
    assert buttons(page) == ["refuse", "accept"]
    assert "Set-Cookie" not in page.headers
    assert rows(core, decision) == []
    assert rows(core, idempotency) == []


def test_the_page_is_strict_and_may_be_framed_by_the_site_alone(reader: Reader, site: Site) -> None:
    page = reader.banner()
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; ")
    assert policy.endswith(f"frame-ancestors 'self' {' '.join(site.origins)}")
    assert "X-Frame-Options" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    for forbidden in ("<script", "style=", " onclick", "<style"):
        assert forbidden not in page.text


def test_the_page_speaks_the_wanted_language_else_the_browsers_else_the_sites(reader: Reader) -> None:
    address = f"/banner/{reader.key}"
    assert '<html lang="es" dir="ltr">' in reader.get(f"{address}?lang=es", Accept_Language="en").text
    assert '<html lang="en" dir="ltr">' in reader.get(address, Accept_Language="de, en;q=0.8, es;q=0.5").text
    assert '<html lang="fr" dir="ltr">' in reader.get(address).text
    assert '<html lang="fr" dir="ltr">' in reader.get(f"{address}?lang=xx", Accept_Language="en").text


def test_a_refusal_leaves_no_identifier_and_two_browsers_the_same_bytes(
    reader: Reader, another: ReaderMaker, core: Core, now: Clock
) -> None:
    page = reader.choose("refuse")
    assert "Your choice is saved." in said(page)
    assert "On March 10, 2026 you refused." in said(page)
    now.move(hours=3)
    other = another()
    other.choose("refuse")
    assert reader.token == other.token
    assert rows(core, receipt) == []
    for row in rows(core, decision):
        assert (row["action"], row["mechanism"], row["receipt_id"], row["device"]) == (
            "refuse_all",
            "no_js",
            None,
            None,
        )
        assert b"evidence" not in row["record"]


def test_a_grant_is_recorded_as_the_banners_is(reader: Reader, core: Core, site: Site) -> None:
    page = reader.choose("accept")
    assert "On March 10, 2026 you agreed to: Audience measurement." in said(page)
    (kept,) = rows(core, decision)
    publication = core.publications.of(site)
    assert publication is not None
    assert kept["notice_hash"] == publication.banner("en")["banner_hash"]
    assert (kept["action"], kept["mechanism"], kept["language"]) == ("accept_all", "no_js", "en")
    assert b'"layer":1' in kept["record"]
    (state,) = rows(core, receipt)
    assert state["purposes"] == ["analytics"]
    assert reader.token is not None
    assert reader.cookie(f"consent-{site.key}-mirror") is not None


def test_accepting_after_refusing_and_refusing_after_accepting(reader: Reader, core: Core) -> None:
    reader.choose("refuse")
    reader.choose("accept")
    page = reader.choose("refuse")
    assert "you refused" in said(page)
    assert [row["action"] for row in rows(core, decision)] == ["refuse_all", "accept_all", "refuse_all"]
    (state,) = rows(core, receipt)
    assert state["withdrawn"] == ["analytics"]
    (job,) = rows(core, erasure_job)
    assert job["receipt_id"] == state["receipt_id"]


def test_a_button_pressed_twice_counts_once(reader: Reader, core: Core) -> None:
    page = reader.banner()
    for button in ("accept", "refuse"):
        first, second = (press_without_cookies(reader, page, button) for _ in range(2))
        assert first == second
    assert len(rows(core, decision)) == 2


def press_without_cookies(reader: Reader, page: Any, button: str) -> str | None:
    """Press before the answer to the first press has come: the cookie is not there yet."""
    reader.client.delete_cookie(f"__Host-consent-{reader.key}", domain=reader.origin.removeprefix("https://"))
    assert reader.press(page, button).status_code == 303
    return reader.token


def test_a_form_of_before_another_choice_is_asked_for_again(reader: Reader, core: Core) -> None:
    page = reader.banner()
    reader.choose("accept")
    answer = reader.press(page, "refuse")
    assert answer.status_code == 403
    assert "This form has expired. Please send it again." in said(answer)
    assert len(rows(core, decision)) == 1
    assert reader.press(answer, "refuse").status_code == 303


def test_with_two_purposes_each_can_be_granted_alone_and_nothing_is_ticked_before(
    reader: Reader, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    two_purposes(core, site, now, refresh)
    page = reader.banner()
    assert buttons(page) == ["refuse", "accept", "save"]
    assert " checked" not in page.text
    shown = reader.choose("save", tick=("analytics",))
    assert "you agreed to: Audience measurement." in said(shown)
    (state,) = rows(core, receipt)
    assert state["purposes"] == ["analytics"]
    # What was granted stays ticked, or adding one purpose would withdraw the other.
    reader.choose("save", tick=("marketing",))
    (state,) = rows(core, receipt)
    assert state["purposes"] == ["analytics", "marketing"]
    assert state["withdrawn"] == []
    reader.choose("save", untick=("marketing",))
    assert [row["action"] for row in rows(core, decision)] == ["save", "accept_all", "save"]


def test_saving_nothing_is_a_refusal(reader: Reader, core: Core, site: Site, now: Clock, refresh: Refresh) -> None:
    two_purposes(core, site, now, refresh)
    reader.choose("save")
    (kept,) = rows(core, decision)
    assert (kept["action"], kept["receipt_id"]) == ("refuse_all", None)


def test_a_grant_of_a_replaced_policy_shows_the_present_one_and_a_refusal_never_fails(
    reader: Reader, another: ReaderMaker, core: Core, site: Site, now: Clock, refresh: Refresh
) -> None:
    page, refusing = reader.banner(), another()
    refused = refusing.banner()
    two_purposes(core, site, now, refresh)
    answer = reader.press(page, "accept")
    assert answer.status_code == 409
    assert buttons(answer) == ["refuse", "accept", "save"]
    assert rows(core, receipt) == []
    assert reader.press(answer, "accept").status_code == 303
    assert refusing.press(refused, "refuse").status_code == 303


def test_the_signal_is_honoured_in_words_and_a_grant_under_it_says_so(reader: Reader, core: Core) -> None:
    page = reader.banner(Sec_GPC="1")
    assert "Global Privacy Control" in said(page)
    assert reader.press(page, "accept", headers={"Sec-GPC": "1"}).status_code == 303
    (state,) = rows(core, receipt)
    assert state["is_under_signal"]


def test_on_another_origin_refusals_alone_are_recorded_and_nothing_stays(another: ReaderMaker, core: Core) -> None:
    reader = another(FOREIGN)
    page = reader.banner()
    assert buttons(page) == ["refuse"]
    assert "To agree, please open nouvelles.example ." in said(page)
    shown = reader.choose("refuse")
    assert "On March 10, 2026 you refused." in said(shown)
    assert reader.token is None
    assert [row["action"] for row in rows(core, decision)] == ["refuse_all"]
    assert "Set-Cookie" not in shown.headers


def test_a_grant_sent_to_another_origin_is_refused(another: ReaderMaker, core: Core) -> None:
    reader = another(FOREIGN)
    page = reader.banner()
    for headers in ({}, {"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, {"Origin": OWN}):
        answer = press_accept(reader, page, headers)
        assert answer.status_code == 403
        assert "To agree, please open" in said(answer)
    assert rows(core, decision) == []


def press_accept(reader: Reader, page: Any, headers: dict[str, str]) -> Any:
    """Send what the button that is not shown would send."""
    token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    fields = [("form_token", token), ("action", "accept_all")]
    return reader.send(f"/banner/{reader.key}?lang=en", fields, headers)


@pytest.mark.parametrize("site_header", ["cross-site", "same-site"])
def test_a_grant_that_no_page_of_ours_sent_is_refused_on_the_own_origin_too(
    reader: Reader, core: Core, site_header: str
) -> None:
    answer = reader.press(
        reader.banner(), "accept", headers={"Sec-Fetch-Site": site_header, "Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "Please confirm your choice by pressing the button once more." in said(answer)
    assert rows(core, receipt) == []
    assert reader.token is None


def test_no_address_can_claim_that_something_was_saved(reader: Reader, another: ReaderMaker, now: Clock) -> None:
    for claim in ("1", "refusal", "WyJ4Il0.aaaa.bbbb"):
        page = reader.get(f"/banner/{reader.key}?lang=en&saved={claim}")
        assert "saved" not in said(page)
    away = another(FOREIGN)
    address = away.press(away.banner(), "refuse").headers["Location"]
    assert "saved" in said(away.get(address))
    now.move(days=3)
    assert "saved" not in said(away.get(address))


def test_in_a_frame_links_lead_out_of_it(reader: Reader) -> None:
    page = reader.banner(Sec_Fetch_Dest="iframe")
    assert f'<a href="/privacy/{reader.key}?lang=en" target="_top" data-policy>' in page.text
    assert "<header" not in page.text
    assert "<header" in reader.banner().text
