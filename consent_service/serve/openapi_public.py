"""Describe the calls of pages and visitors, of scripts, hosted pages and machines that watch."""

from __future__ import annotations

from typing import Any, Final

from consent_service.serve.openapi_model import VISITOR, Answer, Body, Operation, Parameter, members, ref
from consent_service.serve.openapi_schemas import DAY, FLAG, FREE, SITE_KEY, TEXT
from consent_service.sites.access import Scope

PAGES, SCRIPTS, HOSTED, WATCHING = "Pages", "Scripts", "Hosted pages", "Watching"
BODY_TYPES: Final = ("application/json", "text/plain")

KEY: Final = Parameter("key", "The site's public key.", SITE_KEY, "path")
LANGUAGE: Final = Parameter(
    "lang", "A language tag; an unknown one gives the site's default.", {**TEXT, "examples": ["fr"]}
)
_VERSION: Final = Parameter("version", "A policy version.", {"type": "integer", "minimum": 0}, "path")
_TOKEN: Final = "WyIwIiwi….aZk3Qg.signature"
_RECEIPT: Final = "0f3c9a6e2b7d41589c0e6f1a2b3c4d5e"
_UUID: Final = "0199f3c2-5b1e-7c3a-9f42-6a1d2e3f4a5b"
_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_SHOWN: Final[dict[str, Any]] = {"site": "k7m2p9q4x6za", "language": "fr", "banner_hash": "0" * 64}
_DECISION: Final[dict[str, Any]] = {
    "site": "k7m2p9q4x6za",
    "action": "accept_all",
    "purposes": {"analytics": True},
    "policy_version": 3,
    "banner_hash": _HASH,
    "language": "fr",
    "previous": None,
    "idempotency_key": _UUID,
    "mechanism": "banner",
}
_DECIDED: Final[dict[str, Any]] = {
    "decision_id": _UUID,
    "receipt_id": _RECEIPT,
    "token": _TOKEN,
    "decided_at": "2026-03-10T09:30:00.000Z",
    "expires_at": "2026-09-06T09:30:00.000Z",
    "purposes": {"analytics": True},
    "policy_version": 3,
    "withdrawn": [],
    "erasure": None,
}
_WITHDRAWAL: Final[dict[str, Any]] = {
    "site": "k7m2p9q4x6za",
    "token": _TOKEN,
    "purposes": None,
    "erase": True,
    "idempotency_key": _UUID,
    "mechanism": "preferences",
    "language": "fr",
}
_WITHDRAWN: Final[dict[str, Any]] = {
    "receipt_id": _RECEIPT,
    "withdrawn_at": "2026-04-02T18:05:11.000Z",
    "purposes": ["analytics"],
    "erasure": {
        "id": _UUID,
        "status": "pending",
        "events": None,
        "certificate_url": None,
        "due_at": "2026-04-03T18:05:11.000Z",
    },
    "token": _TOKEN,
}
_EVENTS: Final[dict[str, Any]] = {
    "site": "k7m2p9q4x6za",
    "token": _TOKEN,
    "events": [
        {"id": _UUID, "name": "pageview", "url": "https://nouvelles.example/a-la-une", "referrer": "", "age_ms": 0}
    ],
}
_PREFLIGHT: Final = (
    "Registered origins may read the answer (CORS, without credentials); a preflight `OPTIONS` is answered with 204."
)

_OF_PAGES: Final = (
    Operation(
        "GET",
        "/v1/sites/{key}/banner",
        "get_banner",
        PAGES,
        "Give the banner config of a site",
        (
            Answer(
                "The banner in the wanted language",
                ref("BannerConfig"),
                headers=(("ETag", "a hash of all of it"),),
            ),
            Answer("The banner is the one the ETag names", status=304),
        ),
        _PREFLIGHT,
        (KEY, LANGUAGE),
        errors=("not_found", "unavailable"),
    ),
    Operation(
        "POST",
        "/v1/decisions",
        "post_decision",
        PAGES,
        "Record a decision",
        (Answer("The decision is on disk", ref("Decision"), 201, example=_DECIDED),),
        "`purposes` names exactly the optional purposes of the policy version and agrees with `action`. A refusal "
        "never fails for a version, hash or expiry, and its token carries no identifier. Unknown members are ignored. "
        f"{_PREFLIGHT}",
        body=Body(ref("DecisionRequest"), _DECISION, BODY_TYPES),
        errors=(
            "wrong_origin",
            "not_found",
            "policy_replaced",
            "idempotency_conflict",
            "rate_limited",
            "unavailable",
        ),
        needs=VISITOR,
    ),
    Operation(
        "POST",
        "/v1/shown",
        "post_shown",
        PAGES,
        "Count that a banner was shown, where the site counts that",
        (Answer("It is counted", status=204),),
        "Carries no identifier and no cookie, and nothing else is kept of it. 403 where the site does not count, which "
        f"is how it is by default. {_PREFLIGHT}",
        body=Body(ref("Shown"), _SHOWN, BODY_TYPES),
        errors=("wrong_origin", "forbidden", "not_found", "rate_limited", "unavailable"),
    ),
    Operation(
        "POST",
        "/v1/withdrawals",
        "post_withdrawal",
        PAGES,
        "Withdraw a consent and erase what it collected",
        (Answer("The consent is withdrawn; twice gives the first time", ref("Withdrawal"), example=_WITHDRAWN),),
        f"`purposes` null means all. An expired token is accepted. {_PREFLIGHT}",
        body=Body(ref("WithdrawalRequest"), _WITHDRAWAL, BODY_TYPES),
        errors=(
            "token_missing",
            "token_invalid",
            "wrong_site",
            "wrong_origin",
            "not_found",
            "idempotency_conflict",
            "rate_limited",
            "unavailable",
        ),
        needs=VISITOR,
    ),
    Operation(
        "POST",
        "/v1/events",
        "post_events",
        PAGES,
        "Send events under a consent",
        (
            Answer(
                "The accepted events are on disk",
                ref("EventsAnswer"),
                202,
                example={"accepted": 1, "dropped": []},
            ),
        ),
        "The token comes as cookie, Bearer or in the body, looked for in this order. A fault inside one event drops "
        "that event, never the batch. The same event `id` sent again within 8 days is accepted and stored once. "
        f"Fields that the policy's `data` does not declare are not stored. At most 32 kB and 50 events. {_PREFLIGHT}",
        body=Body(ref("EventsRequest"), _EVENTS, BODY_TYPES),
        errors=(
            "token_missing",
            "token_invalid",
            "token_expired",
            "wrong_site",
            "wrong_origin",
            "purpose_refused",
            "withdrawn",
            "policy_outdated",
            "signal_refused",
            "site_paused",
            "not_found",
            "rate_limited",
            "unavailable",
        ),
        needs=VISITOR,
    ),
)


def _script(path: str, name: str, summary: str, *parameters: Parameter) -> Operation:
    return Operation(
        "GET",
        path,
        name,
        SCRIPTS,
        summary,
        (
            Answer("JavaScript, in brotli or gzip where the browser takes it", TEXT, types=("text/javascript",)),
            Answer("The script is the one the ETag names", status=304),
        ),
        "Cached for five minutes, sets no cookie and answers any origin.",
        parameters,
        errors=("not_found", "unavailable") if parameters else (),
    )


_OF_SCRIPTS: Final = (
    _script("/c/{key}.js", "get_bundle", "Give a site's script with its banners inside", KEY),
    _script("/consent.js", "get_script", "Give the newest client script"),
    _script("/consent.more.js", "get_more_script", "Give the part that the newest client script loads on demand"),
    _script("/consent.v1.js", "get_script_v1", "Give the client script of version 1, for use with `integrity`"),
    _script("/consent.v1.more.js", "get_more_script_v1", "Give the part that version 1 loads on demand"),
    _script("/consent.extra.js", "get_extra_script", "Give the part that asks again and counts, for few sites' pages"),
    _script(
        "/consent.v1.extra.js", "get_extra_script_v1", "Give what version 1 loads where a site asks again or counts"
    ),
)


def _privacy(path: str, name: str, type: str, *parameters: Parameter) -> Operation:
    return Operation(
        "GET",
        path,
        name,
        HOSTED,
        "Give the privacy policy as data" if type != "text/html" else "Show the privacy policy",
        (Answer("The policy", ref("PrivacyPage") if type != "text/html" else TEXT, types=(type,)),),
        "Generated from the fields of the policy, cookie declaration included, in the reader's language.",
        (KEY, *parameters, LANGUAGE),
        errors=("not_found", "unavailable"),
    )


_OF_HOSTED: Final = (
    _privacy("/privacy/{key}", "get_privacy", "text/html"),
    _privacy("/privacy/{key}/{version}", "get_privacy_version", "text/html", _VERSION),
    _privacy("/privacy/{key}.json", "get_privacy_json", "application/json"),
    _privacy("/privacy/{key}/{version}.json", "get_privacy_version_json", "application/json", _VERSION),
)

_OF_WATCHING: Final = (
    Operation(
        "GET",
        "/.well-known/gpc.json",
        "get_gpc",
        WATCHING,
        "Say whether Global Privacy Control is honoured",
        (Answer("As the GPC specification has it", members({"gpc": FLAG, "lastUpdate": DAY})),),
        "True where every site of the request's host takes the signal as a refusal; on a host of no site, where every "
        "site of the deployment does.",
    ),
    Operation(
        "GET",
        "/healthz",
        "get_health",
        WATCHING,
        "Say that this process answers",
        (Answer("It does", members({"status": {"const": "ok"}})),),
    ),
    Operation(
        "GET",
        "/readyz",
        "get_readiness",
        WATCHING,
        "Say whether both stores answer",
        (
            Answer("The database answers, and the keeper answers queries", ref("Readiness")),
            Answer("One of them does not", ref("Readiness"), 503, headers=(("Retry-After", "seconds"),)),
        ),
    ),
    Operation(
        "GET",
        "/metrics",
        "get_metrics",
        WATCHING,
        "Give what Prometheus reads",
        (Answer("The text format", TEXT, types=("text/plain",)),),
        "Loopback needs no token.",
        needs=Scope.ADMIN,
    ),
    Operation(
        "GET",
        "/openapi.json",
        "get_openapi",
        WATCHING,
        "Give this document",
        (Answer("OpenAPI 3.1", FREE),),
    ),
    Operation(
        "GET",
        "/docs",
        "get_docs",
        WATCHING,
        "Show this document",
        (Answer("A page that asks no other host for anything", TEXT, types=("text/html",)),),
    ),
)

OPERATIONS: Final = (*_OF_PAGES, *_OF_SCRIPTS, *_OF_HOSTED, *_OF_WATCHING)
