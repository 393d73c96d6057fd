"""Take events of pages: through the gate, the pipeline and onto disk, in this order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NoReturn

from flask import Blueprint, Response, g, request

from consent_service.browser.body import MAX_BODY, read_json
from consent_service.browser.sender import Sender, limit_rate, limit_site, read_sender
from consent_service.collect.drops import Drop, DropReason
from consent_service.collect.pipeline import Context, run
from consent_service.collect.request import EventsRequest, read_events
from consent_service.consent.cookies import read_token
from consent_service.consent.gate import Grant, Refusal, check
from consent_service.consent.tokens import ExpiredToken, TokenError
from consent_service.errors import Refused
from consent_service.services import services
from consent_service.sites.registry import Site
from consent_service.sites.reporting import local_date
from consent_service.sites.settings import matches_address
from consent_service.web import allow_origins, find_site, has_signal, json_response, read_body

bp = Blueprint("collect", __name__, url_prefix="/v1")
allow_origins(bp)

MESSAGES = {
    Refusal.TOKEN_MISSING: "no consent came with the events",
    Refusal.TOKEN_INVALID: "the token is not one of ours, or was altered",
    Refusal.TOKEN_EXPIRED: "the consent is too old; ask again",
    Refusal.WRONG_SITE: "the token belongs to another site",
    Refusal.WRONG_ORIGIN: "the Origin of the request is none of the site's",
    Refusal.PURPOSE_REFUSED: "the visitor did not agree to be measured",
    Refusal.WITHDRAWN: "the consent was withdrawn",
    Refusal.POLICY_OUTDATED: "the consent was given to an older policy; ask again",
    Refusal.SIGNAL_REFUSED: "the browser asks not to be measured (Global Privacy Control)",
    Refusal.SITE_PAUSED: "the site takes no events at present",
}


@bp.route("/events", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def post_events() -> Response:
    """Store events under the consent that came with them; 202 means they are on disk."""
    parts, body = services(), read_body(MAX_BODY)
    sender = read_sender()
    limit_rate(sender, "events")
    asked = read_events(read_json(body))
    site, now = find_site(asked.site), parts.now()
    day = local_date(site, now)
    grant = _pass_gate(asked, site, now)
    if isinstance(grant, Refusal):
        _refuse(site, day, grant)
    # Only what passed the gate counts, so that nobody without a consent can use a site's share up.
    limit_site(sender, "events", site.site_id)
    kept, dropped = _filter(asked, site, grant, sender, now)
    if kept:
        parts.inbox.append(grant, now, kept)
    for item in dropped:
        parts.inbox.count(site.site_id, day, item["reason"])
    return json_response({"accepted": len(kept), "dropped": dropped}, 202)


def _pass_gate(asked: EventsRequest, site: Site, now: datetime) -> Grant | Refusal:
    parts = services()
    if not site.has_origin(request.headers.get("Origin")):
        g.cors_origin = None
        return Refusal.WRONG_ORIGIN
    if site.settings.paused or site.is_held:
        return Refusal.SITE_PAUSED
    text = read_token(request, site, asked.token)
    if not text:
        return Refusal.TOKEN_MISSING
    try:
        token = parts.signer.open(text, now)
    except ExpiredToken:
        return Refusal.TOKEN_EXPIRED
    except TokenError:
        return Refusal.TOKEN_INVALID
    if token.site_key != site.key:
        return Refusal.WRONG_SITE
    publication = parts.publications.of(site)
    if token.receipt_id is None or publication is None:
        return Refusal.PURPOSE_REFUSED
    state = parts.receipts.state(token.receipt_id)
    return check(state, publication.rules, now=now, has_signal=has_signal())


def _filter(
    asked: EventsRequest, site: Site, grant: Grant, sender: Sender, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    context = Context(
        site=site,
        grant=grant,
        received_at=now,
        device=sender.device,
        place=sender.place,
        is_excluded_address=sender.address is not None and matches_address(site.settings, str(sender.address)),
        spam_hosts=services().spam_hosts(),
    )
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    quota, times, day = services().quota, services().step_times, now.date()
    for index, sent in enumerate(asked.events):
        result = run(sent, context, times)
        if not isinstance(result, Drop) and not quota.take(grant.receipt_id, day):
            result = Drop(DropReason.RATE_LIMITED)
        if isinstance(result, Drop):
            dropped.append({"index": index, "reason": str(result.reason)})
        else:
            kept.append(result)
    return kept, dropped


def _refuse(site: Site, day: date, refusal: Refusal) -> NoReturn:
    services().inbox.count(site.site_id, day, str(refusal))
    raise Refused(str(refusal), MESSAGES[refusal])
