"""Show the banner as a plain form, for `<noscript>` frames and links, and record what is chosen there."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.choice import Choice, Standing, read_choice
from consent_service.consent.choice_words import Asked, asked_of_choice, say_choice, say_refusal
from consent_service.consent.decision import Action, DecisionRequest, Mechanism, Signals
from consent_service.consent.forms import (
    FORM_TOKEN,
    MAX_FORM,
    Form,
    is_own_host,
    is_own_page,
    read_form_token,
    write_form_token,
)
from consent_service.consent.held import Held, end_session, find_held
from consent_service.consent.hosted import lead_to, show_page
from consent_service.consent.idempotency import body_hash
from consent_service.consent.outcome import read_grant, read_refusal, write_outcome
from consent_service.consent.pages import reader_language
from consent_service.consent.publication import Publication
from consent_service.consent.routes import find_publication, keep_choice, record_decision
from consent_service.consent.texts import words
from consent_service.errors import Invalid, PolicyOutdated, RateLimited, Unavailable
from consent_service.services import services
from consent_service.sites.reporting import local_date
from consent_service.sites.settings import Gpc
from consent_service.web import find_site, has_signal, read_form

bp = Blueprint("plain_banner", __name__, url_prefix="/banner", template_folder="templates")

_PAGE: Final = "banner"
_HERE: Final = "plain_banner.get_banner"


@bp.get("/<key>")
def get_banner(key: str) -> Response:
    """Show the banner, and what was chosen before."""
    publication = find_publication(find_site(key))
    return _page(publication, _find_held(publication))


@bp.post("/<key>")
def post_banner(key: str) -> Response:
    """Record what was chosen and lead back to the page, which says it; grants on the site's own origin alone."""
    publication = find_publication(find_site(key))
    site, now, fields = publication.site, services().now(), read_form(MAX_FORM)
    held = _find_held(publication)
    language = reader_language(publication.current.policy)
    form = read_form_token(fields.get(FORM_TOKEN, ""), _PAGE, site, held, now)
    if form is None:
        return _page(publication, held, 403, words(language, "my")["expired_form"])
    choice = _read_choice(held, publication)
    asked = asked_of_choice(choice, publication, form.language, local_date(site, now))
    if asked is not None and form.banner_hash != publication.banner(form.language)["banner_hash"]:
        # What was asked is not what is asked now, and the answer might end what stands.
        return _page(publication, held, 409, words(language, "my")["expired_form"])
    wish = _wish(fields, form, publication, held, _standing(choice, asked))
    if not wish.is_refusal and not is_own_page(site):
        # On another origin the page says where to agree; on the own one a press on it is what was missing.
        asks_again = publication.banner(language)["texts"]["confirm"] if is_own_host(site) else ""
        return _page(publication, held, 403, asks_again)
    try:
        sender = read_sender()
        limit_rate(sender, "decisions")
        answer = record_decision(wish, publication, sender, body_hash("form", orjson.dumps(wish.purposes)))
    except PolicyOutdated:
        return _page(publication, held, 409, words(language, "my")["expired_form"])
    except (RateLimited, Unavailable) as error:
        return _failed(publication, held, error)
    outcome = write_outcome(site, now, is_refusal=wish.is_refusal)
    response = lead_to(url_for(_HERE, key=site.key, lang=language, saved=outcome))
    if is_own_page(site):
        keep_choice(response, publication, answer, wish, wish.previous)
        end_session(request, response, site)
    return response


def _find_held(publication: Publication) -> Held | None:
    site = publication.site
    return find_held(request, site, is_own=is_own_host(site), now=services().now())


def _standing(choice: Choice | None, asked: Asked | None) -> tuple[frozenset[str], frozenset[str]] | None:
    """Give what is asked, and what else stands granted; None where everything is asked."""
    if choice is None or asked is None:
        return None
    about = frozenset(asked["purposes"])
    return about, frozenset(choice.purposes) - about


def _wish(
    fields: MultiDict[str, str],
    form: Form,
    publication: Publication,
    held: Held | None,
    standing: tuple[frozenset[str], frozenset[str]] | None,
) -> DecisionRequest:
    """Give the decision that the answers mean, about exactly the purposes that were shown; raises Invalid."""
    shown = publication.versions[form.policy_version].policy
    ids = [purpose.id for purpose in shown.purposes]
    about, stands = (frozenset(ids), frozenset[str]()) if standing is None else standing
    match fields.get("action"):
        case Action.ACCEPT_ALL:
            granted = about
        case Action.SAVE:
            granted = about.intersection(fields.getlist("purpose"))
        case Action.REFUSE_ALL:
            granted = frozenset()
        case _:
            raise Invalid([("/action", "must be accept_all, refuse_all or save")])
    granted = (granted | stands).intersection(ids)
    action = Action.SAVE if granted else Action.REFUSE_ALL
    purposes = {purpose: purpose in granted for purpose in ids}
    has_gpc = publication.site.settings.signals.gpc is not Gpc.IGNORE and has_signal()
    return DecisionRequest(
        site=publication.site.key,
        action=Action.ACCEPT_ALL if granted and granted.issuperset(ids) else action,
        purposes=purposes,
        policy_version=form.policy_version,
        banner_hash=form.banner_hash,
        language=form.language,
        previous=None if held is None else held.text,
        idempotency_key=form.idempotency_key(orjson.dumps(purposes).decode()),
        mechanism=Mechanism.NO_JS,
        layer=1,
        signals=Signals(gpc=has_gpc),
        asked=[purpose for purpose in ids if purpose in about],
    )


def _read_choice(held: Held | None, publication: Publication) -> Choice | None:
    if held is None:
        return None
    with services().engine.connect() as connection:
        return read_choice(connection, held.token, publication)


def _outcome(choice: Choice | None, publication: Publication, language: str) -> tuple[list[str], bool]:
    """Give what is said of the choice so far, and whether it was saved just now.

    A refusal on another origin leaves nothing in the browser to read it from; the answer's address tells of it.
    """
    site, now = publication.site, services().now()
    refused_on = read_refusal(site, now)
    if choice is None:
        return ([] if refused_on is None else [say_refusal(refused_on, publication, language)]), refused_on is not None
    is_grant = choice.standing is Standing.GRANTED
    has_saved = read_grant(site, now) is not None if is_grant else refused_on is not None
    return say_choice(choice, publication, language), has_saved


def _page(publication: Publication, held: Held | None, status: int = 200, problem: str = "") -> Response:
    site, language = publication.site, reader_language(publication.current.policy)
    config, choice = publication.banner(language), _read_choice(held, publication)
    said, has_saved = _outcome(choice, publication, language)
    asked = asked_of_choice(choice, publication, language, local_date(site, services().now()))
    granted = () if choice is None else choice.purposes
    shown = [purpose for purpose in config["purposes"] if asked is None or purpose["id"] in asked["purposes"]]
    return show_page(
        "banner.html",
        _HERE,
        publication,
        language,
        status=status,
        framed_by=("'self'", *site.origins),
        problem=problem,
        said=said,
        has_saved=has_saved and not problem,
        has_signal=site.settings.signals.gpc is Gpc.REFUSE and has_signal(),
        may_grant=is_own_host(site),
        asked=asked,
        # What is asked again is never ticked: it is not what was agreed to.
        purposes=[{**purpose, "is_granted": asked is None and purpose["id"] in granted} for purpose in shown],
        none_asked=words(language, "privacy")["purposes_none"],
        form_url=url_for("plain_banner.post_banner", key=site.key, lang=language),
        my_url=url_for("my.get_my", key=site.key, lang=language),
        form_token=write_form_token(_PAGE, config, held, services().now()),
    )


def _failed(publication: Publication, held: Held | None, error: RateLimited | Unavailable) -> Response:
    failed = publication.banner(reader_language(publication.current.policy))["texts"]["failed"]
    response = _page(publication, held, error.status, failed)
    response.headers.update(error.headers)
    return response
