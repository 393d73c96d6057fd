"""Answer the banner, decision and withdrawal calls of pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import orjson
from flask import Blueprint, Response, request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from consent_service.browser.body import MAX_BODY, read_json
from consent_service.browser.sender import Sender, limit_rate, limit_site, read_sender
from consent_service.consent.acts import decide, judge
from consent_service.consent.cookies import read_every_token, read_tokens, set_cookies
from consent_service.consent.decision import DecisionRequest, WithdrawalRequest
from consent_service.consent.idempotency import body_hash
from consent_service.consent.publication import Publication
from consent_service.consent.tokens import Token
from consent_service.consent.withdrawal import open_for_withdrawal, withdraw
from consent_service.errors import Invalid, NotFound, Refused
from consent_service.services import services
from consent_service.sites.registry import Site
from consent_service.web import (
    allow_origins,
    find_site,
    json_response,
    parse_model,
    read_body,
    require_origin,
)

bp = Blueprint("consent", __name__, url_prefix="/v1")
allow_origins(bp)

T = TypeVar("T")
MAX_LANGUAGES = 20


@bp.route("/sites/<key>/banner", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def get_banner(key: str) -> Response:
    """Give the banner config of a site."""
    config = find_publication(find_site(key)).banner(*_wanted_languages())
    response = json_response(config, cache="max-age=300, stale-while-revalidate=3600")
    # Not the banner's hash: it is of what is shown, and the answer holds more.
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.route("/decisions", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def post_decision() -> Response:
    """Record a decision and answer with its signed token."""
    body = read_body(MAX_BODY)
    sender = read_sender()
    limit_rate(sender, "decisions")
    wish = parse_model(DecisionRequest, _object(body))
    site = find_site(wish.site)
    require_origin(site)
    publication = find_publication(site)
    continued = _continued(site, wish.previous)
    act = wish.model_copy(update={"previous": continued})
    answer = record_decision(act, publication, sender, body_hash("decision", body))
    response = json_response(answer, 201)
    keep_choice(response, publication, answer, wish, continued, wish.previous)
    return response


@bp.route("/withdrawals", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def post_withdrawal() -> Response:
    """Withdraw a consent, close the gate and ask for the erasure of what it collected."""
    parts, body = services(), read_body(MAX_BODY)
    # Withdrawing has a share of its own: deciding often must not use it up.
    limit_rate(read_sender(), "withdrawals", "decisions")
    wish = parse_model(WithdrawalRequest, _object(body))
    site = find_site(wish.site)
    require_origin(site)
    publication = find_publication(site)
    continued = _continued(site, wish.token)
    token = open_for_withdrawal(parts.signer, continued, site.key, parts.now())
    answer = record_withdrawal(wish, token, publication, body_hash("withdrawal", body))
    response = json_response(answer)
    keep_choice(response, publication, answer, wish, continued, wish.token)
    return response


def record_decision(wish: DecisionRequest, publication: Publication, sender: Sender, digest: str) -> bytes:
    """Judge a decision and record it; gives the answer's JSON, and raises what `judge` and `decide` raise."""
    parts = services()
    limit_site(sender, "decisions", publication.site.site_id)
    act = judge(wish, publication, sender, parts.now())
    answer, touched = _once_more(lambda connection: decide(connection, wish, act, publication, parts.signer, digest))
    parts.receipts.forget(touched)
    return answer


def record_withdrawal(
    wish: WithdrawalRequest, token: Token, publication: Publication, digest: str, *, erases: bool = True
) -> bytes:
    """Record the withdrawal of what a token stands for; gives the answer's JSON."""
    parts, now = services(), services().now()
    answer = _once_more(
        lambda connection: withdraw(connection, wish, token, publication, parts.signer, digest, now, erases=erases)
    )
    if token.receipt_id is not None:
        parts.receipts.forget([token.receipt_id])
    return answer


def keep_choice(
    response: Response,
    publication: Publication,
    answer: bytes,
    wish: DecisionRequest | WithdrawalRequest,
    continued: str | None,
    in_body: str | None = None,
) -> None:
    """Give the browser the cookies of its newest choice, and withdraw what else it held: they take its place.

    Two consents meet where a site begins to share its cookies; nobody could withdraw the second one later.
    """
    parts, site, said = services(), publication.site, orjson.loads(answer)
    for text in read_every_token(request, site, in_body):
        if text == continued:
            continue
        try:
            token = open_for_withdrawal(parts.signer, text, site.key, parts.now())
        except Refused:
            continue
        if token.receipt_id not in (None, said["receipt_id"]):
            also = WithdrawalRequest(site=site.key, mechanism=wish.mechanism, language=wish.language)
            record_withdrawal(also, token, publication, "")
    set_cookies(request, response, publication, said["token"])


def find_publication(site: Site) -> Publication:
    """Give what a site has published; raises NotFound before its first policy."""
    publication = services().publications.of(site)
    if publication is None:
        raise NotFound("this site has no published policy yet")
    return publication


def _object(body: bytes) -> object:
    document = read_json(body)
    if not isinstance(document, dict):
        raise Invalid([("", "must be an object")])
    return document


def _once_more(work: Callable[[Connection], T]) -> T:
    # Two requests with one idempotency key may run at the same time; the second then finds the first one's answer.
    try:
        return services().writer.run(work)
    except IntegrityError:
        return services().writer.run(work)


def _continued(site: Site, in_body: str | None) -> str | None:
    """Give the token that an act goes on from: of two, the one that grants, so that ending it is recorded."""
    return next(reversed(read_tokens(request, site, in_body)), None)


def _wanted_languages() -> list[str]:
    """Give the tags of `lang`, in order of preference and as many as a browser sends."""
    return [tag.strip() for tag in request.args.get("lang", "").split(",")[:MAX_LANGUAGES]]
