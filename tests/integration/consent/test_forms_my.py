"""The visitor's own page: see, withdraw, take a copy, erase; on the site's own origin and, by a session, on another."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest

from consent_service.consent.hold import HoldKind, list_holds, new_hold, place_hold
from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.db.tables import decision, erasure_job, receipt
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.conftest import ReaderMaker
from tests.integration.consent.reader import FOREIGN, OWN, Reader, buttons, said
from tests.integration.consent.test_forms_banner import rows
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

ALL = ["withdraw", "export-json", "export-csv", "receipt", "suspend", "erase"]


def visit(visitor: Visitor, token: str | None, path: str) -> None:
    """Send a pageview under a token, as the site's script does."""
    visitor.token = token
    assert visitor.pageview(path).get_json()["accepted"] == 1


def hand_over(reader: Reader, token: str | None, origin: str = OWN) -> Any:
    """Post a token as the script on a page of the site does."""
    return reader.send(
        f"/my/{reader.key}", [("token", token or "")], {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    )


def test_without_a_choice_the_page_says_so_and_offers_to_choose(reader: Reader) -> None:
    page = reader.my()
    assert "No choice is stored in this browser." in said(page)
    assert buttons(page) == []
    assert f'href="/banner/{reader.key}?lang=en"' in page.text
    assert "Set-Cookie" not in page.headers


def test_the_page_is_strict_and_may_be_framed_by_nobody(reader: Reader) -> None:
    reader.choose("accept")
    page = reader.my()
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    for forbidden in ("<script", "style=", "<style", str(reader.token)):
        assert forbidden not in page.text


def test_the_page_says_what_was_decided_in_the_readers_words(reader: Reader, core: Core) -> None:
    reader.choose("accept")
    (state,) = rows(core, receipt)
    page = said(reader.my())
    assert "On March 10, 2026 you agreed to: Audience measurement." in page
    assert "This choice holds until September 6, 2026." in page
    assert "Policy version: 1" in page
    assert f"Receipt number: {state['receipt_id']}" in page
    french = said(reader.get(f"/my/{reader.key}?lang=fr"))
    assert "Le 10 mars 2026, vous avez accepté : Mesure d'audience." in french


def test_a_refusal_is_shown_without_receipt_and_by_its_day_wherever_the_site_is(reader: Reader) -> None:
    reader.choose("refuse")
    page = reader.my()
    assert "On March 10, 2026 you refused." in said(page)
    assert "This choice holds until September 6, 2026." in said(page)
    assert "Receipt number" not in said(page)
    assert buttons(page) == []


def test_withdrawing_erases_unless_the_box_is_unticked(
    reader: Reader, another: ReaderMaker, core: Core, keeper: KeeperInHand, visitor: Visitor
) -> None:
    reader.choose("accept")
    visit(visitor, reader.token, "/read")
    keeper.turn()
    refusal = another()
    refusal.choose("refuse")
    page = reader.act("withdraw")
    assert "Your consent was withdrawn on March 10, 2026." in said(page)
    assert "What was collected will be erased by March 10, 2026 at the latest." in said(page)
    assert reader.token == refusal.token
    keeper.turn()
    assert "What was collected has been erased. Events erased: 1" in said(reader.my())
    (job,) = rows(core, erasure_job)
    assert (job["reason"], job["status"], job["events"]) == ("withdrawal", "done", 1)
    newest = max(rows(core, decision), key=lambda row: str(row["decision_id"]))
    assert (newest["action"], newest["mechanism"], newest["language"]) == ("withdraw", "no_js", "en")


def test_what_a_withdrawal_kept_can_be_erased_afterwards(
    reader: Reader, core: Core, keeper: KeeperInHand, visitor: Visitor
) -> None:
    reader.choose("accept")
    visit(visitor, reader.token, "/read")
    keeper.turn()
    page = reader.act("withdraw", untick=("1",))
    assert rows(core, erasure_job) == []
    assert "erased" not in said(page).partition("Policy version")[0]
    assert buttons(page) == ALL[1:]
    reader.act("erase")
    keeper.turn()
    assert "Events erased: 1" in said(reader.my())
    assert [row["reason"] for row in rows(core, erasure_job)] == ["request"]


def test_erasing_withdraws_too(reader: Reader, core: Core, keeper: KeeperInHand, visitor: Visitor) -> None:
    reader.choose("accept")
    visit(visitor, reader.token, "/read")
    keeper.turn()
    token = reader.token
    page = reader.act("erase")
    assert "Your consent was withdrawn" in said(page)
    keeper.turn()
    assert "Events erased: 1" in said(reader.my())
    visitor.token = token
    assert visitor.pageview("/more").get_json()["error"]["code"] == "withdrawn"


def test_ten_minutes_after_a_withdrawal_only_everybodys_refusal_is_left(reader: Reader, now: Clock) -> None:
    reader.choose("accept")
    reader.act("withdraw")
    now.move(minutes=11)
    page = reader.my()
    assert "On March 10, 2026 you refused." in said(page)
    assert "Receipt number" not in said(page)
    assert buttons(page) == []


def test_the_copy_has_every_decision_and_event_as_json(
    reader: Reader, core: Core, keeper: KeeperInHand, visitor: Visitor, site: Site
) -> None:
    reader.choose("accept")
    reader.choose("accept")
    for path in ("/one", "/two"):
        visit(visitor, reader.token, path)
    stranger = visitor.another()
    stranger.accept()
    stranger.pageview("/not-mine")
    keeper.turn()
    answer = reader.press(reader.my(), "export-json")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="consent-{site.key}-2026-03-10.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    copy = json.loads(answer.data)
    mine = copy["receipt_id"]
    assert sorted(row["path"] for row in copy["events"]) == ["/one", "/two"]
    assert {row["receipt_id"] for part in ("receipts", "decisions", "events") for row in copy[part]} == {mine}
    stored = {row["decision_id"]: row for row in rows(core, decision) if row["receipt_id"] == mine}
    assert [row["decision_id"] for row in copy["decisions"]] == sorted(stored)
    for row in copy["decisions"]:
        exact = bytes(stored[row["decision_id"]]["record"])
        assert hashlib.sha256(row["record"].encode()).digest() == hashlib.sha256(exact).digest()
        assert row["salt"] == bytes(stored[row["decision_id"]]["salt"]).hex()


def test_the_copy_as_csv_is_one_table_with_the_kind_of_each_row(
    reader: Reader, keeper: KeeperInHand, visitor: Visitor
) -> None:
    reader.choose("accept")
    visit(visitor, reader.token, "/one")
    keeper.turn()
    reader.act("withdraw", untick=("1",))
    answer = reader.press(reader.my(), "export-csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["kind"] for row in table] == ["receipt", "decision", "decision", "event"]
    assert [row["action"] for row in table] == ["", "accept_all", "withdraw", ""]
    assert table[-1]["path"] == "/one"


def test_a_copy_while_the_event_store_is_down_says_so_and_is_not_torn(reader: Reader) -> None:
    reader.choose("accept")
    answer = reader.press(reader.my(), "export-json")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")


def test_on_another_origin_a_page_of_the_site_hands_over_the_token(
    another: ReaderMaker, core: Core, visitor: Visitor
) -> None:
    visitor.accept()
    reader = another(FOREIGN)
    answer = hand_over(reader, visitor.token)
    assert answer.status_code == 303
    assert visitor.token not in answer.headers["Location"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-consent-my-{reader.key}=")
    for word in ("Max-Age=600", "HttpOnly", "Secure", "Path=/", "SameSite=Lax"):
        assert word in cookie
    page = reader.get(answer.headers["Location"])
    assert f"Numéro de reçu : {visitor.receipt_id}" in said(page)
    assert buttons(page) == ALL
    assert "/banner/" not in page.text
    assert reader.press(page, "withdraw").status_code == 303
    assert "Your consent was withdrawn" in said(reader.my())
    assert reader.token is None
    (state,) = rows(core, receipt)
    assert state["withdrawn"] == ["analytics"]


def test_the_session_ends_after_ten_minutes_for_the_form_too(
    another: ReaderMaker, core: Core, visitor: Visitor, now: Clock
) -> None:
    visitor.accept()
    reader = another(FOREIGN)
    hand_over(reader, visitor.token)
    page = reader.my()
    now.move(minutes=11)
    assert "No choice is stored in this browser." in said(reader.my())
    assert reader.press(page, "withdraw").status_code == 403
    assert len(rows(core, decision)) == 1


def test_an_expired_token_shows_and_withdraws(another: ReaderMaker, visitor: Visitor, now: Clock) -> None:
    visitor.accept()
    now.move(days=400)
    reader = another(FOREIGN)
    hand_over(reader, visitor.token)
    assert "you agreed to: Audience measurement." in said(reader.my())
    assert "Your consent was withdrawn" in said(reader.act("withdraw"))


def test_a_receipt_erased_with_its_records_shows_nothing(reader: Reader, core: Core, now: Clock) -> None:
    reader.choose("accept")
    (state,) = rows(core, receipt)
    core.writer.run(lambda connection: remove_records(connection, state["receipt_id"], reason="erasure", now=now()))
    page = reader.my()
    assert "No choice is stored in this browser." in said(page)
    assert buttons(page) == []


def test_on_plain_http_loopback_the_session_has_no_prefix(another: ReaderMaker, visitor: Visitor) -> None:
    visitor.accept()
    reader = another("http://127.0.0.1:8000")
    answer = hand_over(reader, visitor.token)
    assert answer.headers["Set-Cookie"].startswith(f"consent-my-{reader.key}=")
    assert "Secure" not in answer.headers["Set-Cookie"]


def hold(core: Core, site: Site, now: Clock, receipt_id: str | None) -> None:
    wanted = new_hold(site.site_id, receipt_id, "case 7", "officer", now())
    core.writer.run(lambda connection: place_hold(connection, wanted))


def test_a_legal_hold_of_the_visitor_or_of_the_whole_site_is_shown_without_its_reason(
    reader: Reader, another: ReaderMaker, core: Core, site: Site, now: Clock
) -> None:
    reader.choose("accept")
    (state,) = rows(core, receipt)
    hold(core, site, now, str(state["receipt_id"]))
    shown = said(reader.my())
    assert "kept because of a legal claim" in shown
    assert "case 7" not in shown
    assert "as you asked" not in shown
    other = another()
    other.choose("accept")
    assert "legal claim" not in said(other.my())
    hold(core, site, now, None)
    assert "kept because of a legal claim" in said(other.my())


def test_a_visitor_suspends_the_use_of_their_data_and_allows_it_again(
    reader: Reader, core: Core, keeper: KeeperInHand, visitor: Visitor, site: Site
) -> None:
    reader.choose("accept")
    visit(visitor, reader.token, "/read")
    keeper.turn()
    page = reader.act("suspend")
    assert "The use of your data is suspended, as you asked." in said(page)
    assert "legal claim" not in said(page)
    assert ("resume" in buttons(page), "suspend" in buttons(page)) == (True, False)
    keeper.turn()
    stored = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM held_event)"
    assert keeper.store.fetch(stored, []).rows == [(0, 1)]
    with core.engine.connect() as connection:
        (placed,) = list_holds(connection, site.site_id)
    assert (placed.kind, placed.placed_by) == (HoldKind.RESTRICTION, "visitor")
    assert json.loads(reader.press(page, "receipt").data)["is_restricted"] is True
    page = reader.act("resume")
    assert "as you asked" not in said(page)
    assert ("resume" in buttons(page), "suspend" in buttons(page)) == (False, True)
    keeper.turn()
    assert keeper.store.fetch(stored, []).rows == [(1, 0)]
    assert json.loads(reader.press(page, "receipt").data)["is_restricted"] is False


def test_suspending_twice_is_once_and_erasing_ends_it(
    reader: Reader, core: Core, keeper: KeeperInHand, site: Site
) -> None:
    reader.choose("accept")
    page = reader.my()
    assert [reader.press(page, "suspend").status_code for _ in range(2)] == [303, 303]
    with core.engine.connect() as connection:
        assert len(list_holds(connection, site.site_id)) == 1
    page = reader.act("erase")
    assert "as you asked" not in said(page)
    keeper.turn()
    page = reader.my()
    assert "What was collected has been erased." in said(page)
    assert {"suspend", "resume"}.isdisjoint(buttons(page))


def test_a_legal_hold_and_a_restriction_are_told_apart(reader: Reader, core: Core, site: Site, now: Clock) -> None:
    reader.choose("accept")
    (state,) = rows(core, receipt)
    hold(core, site, now, str(state["receipt_id"]))
    page = reader.act("suspend")
    assert "as you asked" in said(page)
    assert "legal claim" in said(page)
    page = reader.act("resume")
    assert "as you asked" not in said(page)
    assert "legal claim" in said(page)


def test_only_the_page_itself_suspends(reader: Reader, core: Core, site: Site) -> None:
    reader.choose("accept")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert reader.press(reader.my(), "suspend", headers=foreign).status_code == 403
    with core.engine.connect() as connection:
        assert list_holds(connection, site.site_id) == []
