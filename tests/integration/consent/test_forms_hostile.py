"""Forms that nobody should send: they change nothing, show nobody else's data, and never end in a 5xx."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.db.tables import decision, idempotency, receipt
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.conftest import ReaderMaker
from tests.integration.consent.reader import FOREIGN, OWN, Reader, said
from tests.integration.consent.test_forms_banner import publish, rows
from tests.integration.consent.test_forms_my import hand_over
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

GRANTED = "you agreed to: Audience measurement."
NONE = "No choice is stored in this browser."


@pytest.fixture
def other_site(core: Core, site: Site, now: Clock) -> Site:
    """Give a second site on the same origin, with the same policy."""
    publication = core.publications.of(site)
    assert publication is not None
    settings = SiteSettings.from_document({**site.settings.document(), "name": "Other"})
    added = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))
    policy = publication.current.policy
    core.writer.run(lambda connection: publish_policy(connection, added, policy, actor="test", now=now()))
    core.sites.revision.forget()
    return added


def token_of(page: Any) -> str:
    """Give the form token of a page."""
    return str(page.text.partition('name="form_token" value="')[2].partition('"')[0])


def test_getting_pages_changes_nothing(reader: Reader, core: Core) -> None:
    reader.choose("accept")
    before = [rows(core, table) for table in (decision, receipt, idempotency)]
    for query in ("", "?action=withdraw&erase=1", "?action=refuse_all", "?token=x", "?saved=x", "?lang=%ED%A0%80"):
        for page in ("my", "banner"):
            assert reader.get(f"/{page}/{reader.key}{query}").status_code == 200
    assert [rows(core, table) for table in (decision, receipt, idempotency)] == before
    assert GRANTED in said(reader.my())


def test_a_receipts_number_opens_nothing(reader: Reader, another: ReaderMaker, core: Core) -> None:
    reader.choose("accept")
    (state,) = rows(core, receipt)
    stranger = another()
    number = state["receipt_id"]
    for path in (f"/my/{reader.key}?receipt={number}", f"/my/{reader.key}?receipt_id={number}&token={number}"):
        assert NONE in said(stranger.get(f"{path}&lang=en"))
    hand_over(stranger, number)
    assert NONE in said(stranger.my())


@pytest.mark.parametrize("path", ["banner", "my"])
@pytest.mark.parametrize(
    "form_token", ["", "x", "a.b.c", "\U0001f600", "WyJiYW5uZXIiXQ.awTTgA.AAAA", "x" * 5_000, "\0", "\ud800"]
)
def test_a_form_without_our_token_does_nothing(reader: Reader, core: Core, path: str, form_token: str) -> None:
    reader.choose("accept")
    sent = form_token.encode("utf-8", "surrogatepass")
    for action in ("refuse_all", "withdraw", "erase", "export_json"):
        fields = [("form_token", sent), ("action", action), ("erase", "1")]
        answer = reader.send(f"/{path}/{reader.key}?lang=en", fields)
        assert answer.status_code == 403
        assert "This form has expired. Please send it again." in said(answer)
    assert len(rows(core, decision)) == 1


def test_an_old_form_is_asked_for_again(reader: Reader, core: Core, now: Clock) -> None:
    page = reader.banner()
    now.move(hours=13)
    answer = reader.press(page, "accept")
    assert answer.status_code == 403
    assert rows(core, decision) == []
    assert reader.press(answer, "accept").status_code == 303
    mine = reader.my()
    now.move(hours=13)
    assert reader.press(mine, "withdraw").status_code == 403
    assert GRANTED in said(reader.my())


def test_a_form_of_another_page_site_or_browser_does_nothing(
    app: Flask, reader: Reader, another: ReaderMaker, core: Core, other_site: Site
) -> None:
    reader.choose("accept")
    stranger, elsewhere = another(), Reader(app, other_site.key)
    stranger.choose("accept")
    elsewhere.choose("accept")
    for page in (stranger.my(), elsewhere.my(), reader.banner(), stranger.banner()):
        for action in ("withdraw", "erase", "export_json"):
            fields = [("form_token", token_of(page)), ("action", action), ("erase", "1")]
            assert reader.send(f"/my/{reader.key}?lang=en", fields).status_code == 403
    for page in (stranger.banner(), elsewhere.banner(), reader.my(), another().banner()):
        fields = [("form_token", token_of(page)), ("action", "refuse_all")]
        assert reader.send(f"/banner/{reader.key}?lang=en", fields).status_code == 403
    assert len(rows(core, decision)) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://[", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://nouvelles.example.evil.example", "Sec-Fetch-Site": "none"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_an_own_pages_form_sent_from_elsewhere_does_nothing(
    reader: Reader, core: Core, headers: dict[str, str]
) -> None:
    reader.choose("accept")
    page = reader.my()
    for button in ("withdraw", "erase", "export-json", "export-csv"):
        answer = reader.press(page, button, headers=headers)
        assert answer.status_code == 403
        assert answer.mimetype == "text/html"
    assert len(rows(core, decision)) == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "null", FOREIGN, "", OWN + "/", "http://nouvelles.example"])
def test_a_token_is_taken_from_pages_of_the_site_alone(another: ReaderMaker, visitor: Visitor, origin: str) -> None:
    visitor.accept()
    reader = another(FOREIGN)
    answer = hand_over(reader, visitor.token, origin)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "wrong_origin")
    assert "Set-Cookie" not in answer.headers
    assert NONE in said(reader.my())


def test_forged_foreign_and_altered_tokens_show_nothing_and_end_the_session(
    app: Flask, another: ReaderMaker, visitor: Visitor, other_site: Site
) -> None:
    visitor.accept()
    elsewhere = Reader(app, other_site.key)
    elsewhere.choose("accept")
    good = str(visitor.token)
    # Not the last sign: it has bits that stand for nothing.
    altered = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
    for bad in ("x", "", altered, good + "x", str(elsewhere.token), "\U0001f600", "a" * 7_000):
        reader = another(FOREIGN)
        hand_over(reader, good)
        assert GRANTED in said(reader.my())
        assert hand_over(reader, bad).status_code == 303
        assert NONE in said(reader.my())


def test_a_session_is_bound_to_its_site_and_cannot_be_made_by_hand(
    app: Flask, another: ReaderMaker, visitor: Visitor, other_site: Site
) -> None:
    visitor.accept()
    reader = another(FOREIGN)
    hand_over(reader, visitor.token)
    elsewhere = Reader(app, other_site.key, FOREIGN)
    for value in (reader.session or "", str(visitor.token), "x", "\U0001f600".encode().decode("latin-1")):
        elsewhere.client.set_cookie(f"__Host-consent-my-{other_site.key}", value, domain="consent.example")
        assert NONE in said(elsewhere.my())
    reader.client.set_cookie(f"__Host-consent-my-{reader.key}", str(visitor.token), domain="consent.example")
    assert NONE in said(reader.my())


@pytest.mark.parametrize("path", ["banner", "my"])
def test_bodies_are_bounded_and_of_one_type(reader: Reader, core: Core, path: str) -> None:
    address = f"/{path}/{reader.key}"
    post = reader.client.post
    form = "application/x-www-form-urlencoded"
    answers = [
        (post(address, data=b"a=" + b"x" * 9_000, content_type=form), 413),
        (post(address, data=b"a=1&" * 200, content_type=form), 422),
        (post(address, data={"a": "b"}, content_type="multipart/form-data"), 415),
        (post(address, json={"action": "refuse_all"}), 415),
        (post(address, data=b""), 415),
        (post(address, data=b"a=1", content_type=form, headers={"Content-Encoding": "gzip"}), 415),
        (post(address, data=b"%FF%00&&==;%zz", content_type=form), 403),
        (reader.client.put(address, data=b"a=1", content_type=form), 405),
    ]
    for answer, status in answers:
        assert answer.status_code == status, answer.text
    assert rows(core, decision) == []


def test_actions_that_are_none_are_named(reader: Reader, core: Core) -> None:
    page = reader.banner()
    for action in ("", "withdraw", "ACCEPT_ALL", "\0"):
        answer = reader.send(f"/banner/{reader.key}", [("form_token", token_of(page)), ("action", action)])
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "invalid")
    reader.choose("accept")
    mine = reader.my()
    for action in ("", "refuse_all", "export_xml"):
        answer = reader.send(f"/my/{reader.key}", [("form_token", token_of(mine)), ("action", action)])
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "invalid")
    assert len(rows(core, decision)) == 1


def test_purposes_that_are_none_are_not_granted(reader: Reader, core: Core) -> None:
    fields = [("form_token", token_of(reader.banner())), ("action", "save"), ("purpose", "spying"), ("purpose", "\0")]
    assert reader.send(f"/banner/{reader.key}", fields).status_code == 303
    (kept,) = rows(core, decision)
    assert (kept["action"], kept["purposes"]) == ("refuse_all", {"analytics": False})


def test_an_unknown_site_is_not_found(reader: Reader) -> None:
    for path in ("/banner/nosuchsite12", "/my/nosuchsite12", "/my/%00", "/banner/%ED%A0%80"):
        assert reader.get(path).status_code == 404
        assert reader.send(path, [("action", "refuse_all")]).status_code == 404


def test_another_visitors_cookie_cannot_be_guessed_from_ones_own(reader: Reader, another: ReaderMaker) -> None:
    reader.choose("accept")
    stranger = another()
    payload, stamp, signature = str(reader.token).split(".")
    for forged in (
        f"{payload}.{stamp}.",
        f"{payload}.{stamp}.{'A' * len(signature)}",
        f"{payload[:-2]}.{stamp}.{signature}",
    ):
        stranger.client.set_cookie(f"__Host-consent-{reader.key}", forged, domain="nouvelles.example")
        assert NONE in said(stranger.my())


def test_texts_of_a_policy_and_a_site_are_no_markup(
    reader: Reader, core: Core, site: Site, now: Clock, refresh: Any
) -> None:
    evil = "<script>alert(1)</script>\"'{{ 7*7 }}"
    texts = {
        "en": {
            "title": evil,
            "body": f"{evil} {{policy}} {{policy}}",
            "accept": "<b>",
            "refuse": "<i>",
            "policy": "</a>",
        }
    }
    publish(core, site, now, refresh, texts=texts)
    page = reader.banner()
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "<b>" not in page.text
    assert "{{ 7*7 }}" in said(page)
    assert page.text.count("data-policy") == 1
