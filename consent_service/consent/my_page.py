"""Show visitors their own page: what they decided, and forms to change it, withdraw, take a copy, suspend and erase."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Blueprint, Response, request, url_for
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.choice import Choice, Standing, read_choice
from consent_service.consent.choice_words import asked_of_choice, say_choice, say_facts
from consent_service.consent.copy_link import write_copy
from consent_service.consent.decision import Mechanism, WithdrawalRequest
from consent_service.consent.erasure import certificate_name
from consent_service.consent.forms import (
    FORM_TOKEN,
    MAX_FORM,
    Form,
    is_from_this_host,
    is_own_host,
    read_form_token,
    write_form_token,
)
from consent_service.consent.held import Held, begin_session, end_session, find_held, open_held
from consent_service.consent.hold import VISITOR, HoldError, HoldKind, lift_restrictions, new_hold, place_hold
from consent_service.consent.hosted import lead_to, show_page
from consent_service.consent.idempotency import body_hash
from consent_service.consent.pages import reader_language
from consent_service.consent.publication import Publication
from consent_service.consent.receipt_routes import write_receipt
from consent_service.consent.routes import find_publication, keep_choice, record_withdrawal
from consent_service.errors import Invalid
from consent_service.services import services
from consent_service.sites.reporting import local_date
from consent_service.web import find_site, read_form, require_origin

bp = Blueprint("my", __name__, url_prefix="/my", template_folder="templates")

_PAGE: Final = "my"
_HERE: Final = "my.get_my"
_REASON: Final = "the visitor asked for it on their own page"


@bp.get("/<key>")
def get_my(key: str) -> Response:
    """Show what this browser has decided."""
    publication = find_publication(find_site(key))
    return _page(publication, _find_held(publication))


@bp.post("/<key>")
def post_my(key: str) -> Response:
    """Withdraw, erase, suspend, or let a page of the site hand over its token; the page then says what happened."""
    publication, fields = find_publication(find_site(key)), read_form(MAX_FORM)
    if "token" in fields:
        return _enter(publication, fields["token"])
    # Withdrawing has a share of its own, as in the API: deciding often must not use it up.
    limit_rate(read_sender(), "withdrawals", "decisions")
    held = _find_held(publication)
    form = _read_form(publication, held, fields)
    if held is None or form is None:
        return _page(publication, held, is_expired=True)
    match fields.get("action"):
        case "withdraw":
            # Only this box, unticked by the visitor, keeps what was collected.
            return _withdraw(publication, held, form, erases="erase" in fields)
        case "erase":
            return _withdraw(publication, held, form, erases=True)
        case "export_json" | "export_csv" as action if held.token.receipt_id is not None:
            return write_copy(publication.site, held.token.receipt_id, action.removeprefix("export_"))
        case "suspend" | "resume" as action if held.token.receipt_id is not None:
            return _suspend(publication, held.token.receipt_id, wanted=action == "suspend")
        case "receipt" if held.token.receipt_id is not None:
            return write_receipt(publication, held.token.receipt_id)
    raise Invalid([("/action", "must be withdraw, erase, suspend, resume, receipt, export_json or export_csv")])


def _find_held(publication: Publication) -> Held | None:
    """Give the token this browser holds for the site's own page."""
    site = publication.site
    return find_held(request, site, is_own=is_own_host(site), now=services().now())


def _read_form(publication: Publication, held: Held | None, fields: MultiDict[str, str]) -> Form | None:
    """Give the form that was sent, None unless it is of this page, this browser and the last hours."""
    if not is_from_this_host():
        return None
    text = fields.get(FORM_TOKEN, "")
    return read_form_token(text, _PAGE, publication.site, held, services().now())


def _page(publication: Publication, held: Held | None, *, is_expired: bool = False) -> Response:
    """Write the page; with `is_expired` it asks to send the form again, which now is a new one."""
    site, language = publication.site, reader_language(publication.current.policy)
    is_own, choice = is_own_host(site), None
    if held is not None:
        with services().engine.connect() as connection:
            choice = read_choice(connection, held.token, publication)
    form_token = write_form_token(_PAGE, publication.banner(language), held, services().now())
    return show_page(
        "my.html",
        _HERE,
        publication,
        language,
        status=403 if is_expired else 200,
        is_expired=is_expired,
        choice=choice,
        said=[] if choice is None else say_choice(choice, publication, language),
        facts=[] if choice is None else say_facts(choice, publication, language),
        asked=asked_of_choice(choice, publication, language, local_date(site, services().now())),
        may_withdraw=choice is not None and choice.standing is Standing.GRANTED,
        may_erase=choice is not None and _may_erase(choice),
        may_suspend=choice is not None and _may_erase(choice) and not choice.is_suspended,
        certificate_url=None if choice is None else _certificate_url(choice),
        form_token=form_token,
        verify_url=url_for("receipt.get_verify_page"),
        form_url=url_for("my.post_my", key=site.key, lang=language),
        change_url=url_for("plain_banner.get_banner", key=site.key, lang=language) if is_own else None,
    )


def _certificate_url(choice: Choice) -> str | None:
    erasure = choice.erasure
    if erasure is None or erasure.status != "done":
        return None
    return url_for("certificates.get_certificate", name=certificate_name(erasure, services().signer))


def _may_erase(choice: Choice) -> bool:
    return choice.standing is Standing.GRANTED or (choice.standing is Standing.WITHDRAWN and choice.erasure is None)


def _withdraw(publication: Publication, held: Held, form: Form, *, erases: bool) -> Response:
    parts, site = services(), publication.site
    wish = WithdrawalRequest(
        site=site.key,
        idempotency_key=form.idempotency_key(f"erase={erases}"),
        mechanism=Mechanism.NO_JS,
        language=form.language,
    )
    digest = body_hash("form", orjson.dumps(erases))
    answer = record_withdrawal(wish, held.token, publication, digest, erases=erases)
    response = _back(publication)
    if is_own_host(site):
        keep_choice(response, publication, answer, wish, held.text)
    # The cookie is now everybody's refusal; for ten minutes the page can still tell what became of the data.
    begin_session(request, response, site, held.text, parts.now())
    return response


def _suspend(publication: Publication, receipt_id: str, *, wanted: bool) -> Response:
    """Keep the visitor's data and use it for nothing (GDPR art. 18), or undo that; asking twice changes nothing."""
    parts, site_id = services(), publication.site.site_id
    now = parts.now()

    def change(connection: Connection) -> None:
        if wanted:
            place_hold(connection, new_hold(site_id, receipt_id, _REASON, VISITOR, now, kind=HoldKind.RESTRICTION))
        else:
            lift_restrictions(connection, site_id, receipt_id, now)

    try:
        parts.writer.run(change)
    except HoldError as error:
        raise Invalid([("/action", str(error))]) from error
    return _back(publication)


def _enter(publication: Publication, text: str) -> Response:
    site = publication.site
    require_origin(site)
    limit_rate(read_sender(), "my", "decisions")
    response, now = _back(publication), services().now()
    if open_held(site, text, now) is None:
        end_session(request, response, site)
    else:
        begin_session(request, response, site, text, now)
    return response


def _back(publication: Publication) -> Response:
    language = reader_language(publication.current.policy)
    return lead_to(url_for(_HERE, key=publication.site.key, lang=language))
