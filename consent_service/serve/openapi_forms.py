"""Describe the hosted pages that have forms: the banner without a script, and the visitor's own page."""

from __future__ import annotations

from typing import Any, Final

from consent_service.serve.openapi_model import VISITOR, Answer, Body, Operation, Schema
from consent_service.serve.openapi_public import HOSTED, KEY, LANGUAGE
from consent_service.serve.openapi_schemas import TEXT
from consent_service.web import FORM_TYPE

# A page for people, or the error object where no page can be made.
_EITHER: Final[Schema] = {}
_TYPES: Final = ("text/html", "application/json")
_FORM_TOKEN: Final[Schema] = {
    **TEXT,
    "description": "The hidden field of the page's form. It is worth nothing in another browser, after another choice, "
    "or after 12 hours.",
}
_BANNER_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "form_token": _FORM_TOKEN,
        "action": {"enum": ["refuse_all", "accept_all", "save"]},
        "purpose": {**TEXT, "description": "A purpose that is granted; with `save`, once for each."},
    },
}
_MY_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "form_token": _FORM_TOKEN,
        "action": {"enum": ["withdraw", "erase", "suspend", "resume", "receipt", "export_json", "export_csv"]},
        "erase": {**TEXT, "description": "With `withdraw`: there unless what was collected shall be kept."},
        "token": {**TEXT, "description": "The visitor's token, handed over by a page of the site; then alone."},
    },
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/banner/{key}",
        "get_plain_banner",
        HOSTED,
        "Show the banner as a plain form",
        (Answer("The banner, and what was chosen before", TEXT, types=("text/html",)),),
        "For `<noscript>` frames and links. The site's origins may frame it. It changes nothing and sets no cookie.",
        (KEY, LANGUAGE),
        errors=("not_found", "unavailable"),
        needs=VISITOR,
    ),
    Operation(
        "POST",
        "/banner/{key}",
        "post_plain_banner",
        HOSTED,
        "Record what was chosen in the plain form",
        (
            Answer("It is on disk; the page there says it", status=303, headers=(("Location", "the page"),)),
            Answer("The form is too old or not this page's, or it grants on another origin", _EITHER, 403, _TYPES),
            Answer("The policy was replaced meanwhile; the page shows the present one", _EITHER, 409, _TYPES),
            Answer("This address asks too often; the page says so", _EITHER, 429, _TYPES),
            Answer("A store is down; nothing was kept", _EITHER, 503, _TYPES),
        ),
        "Grants are taken where the service answers on a host of the site itself; elsewhere refusals alone.",
        (KEY, LANGUAGE),
        Body(_BANNER_FORM, {"form_token": "…", "action": "refuse_all"}, (FORM_TYPE,)),
        errors=("not_found",),
        needs=VISITOR,
    ),
    Operation(
        "GET",
        "/my/{key}",
        "get_my",
        HOSTED,
        "Show visitors what they decided",
        (Answer("The page; it is as good as empty without a token", TEXT, types=("text/html",)),),
        "The token comes as the site's cookie, or in a session of ten minutes that `POST` begins; a receipt's id opens "
        "nothing.",
        (KEY, LANGUAGE),
        errors=("not_found", "unavailable"),
        needs=VISITOR,
    ),
    Operation(
        "POST",
        "/my/{key}",
        "post_my",
        HOSTED,
        "Withdraw, erase, suspend, take a copy, or hand over a token",
        (
            Answer(
                "The copy: every decision and event of the receipt; or the receipt itself",
                _EITHER,
                types=("application/json", "text/csv", "application/ld+json"),
            ),
            Answer("It is done; the page there says it", status=303, headers=(("Location", "the page"),)),
            Answer(
                "The form is too old or not this page's, or the token comes from no page of the site",
                _EITHER,
                403,
                _TYPES,
            ),
        ),
        "`suspend` keeps the visitor's data and uses it for nothing (GDPR art. 18) until `resume` or an erasure. "
        "With `token`, which a page of the site posts, the browser gets an HttpOnly cookie for ten minutes and is led "
        "to the page: the token is never in an address.",
        (KEY, LANGUAGE),
        Body(_MY_FORM, {"form_token": "…", "action": "withdraw", "erase": "1"}, (FORM_TYPE,)),
        errors=("not_found", "rate_limited", "unavailable"),
        needs=VISITOR,
    ),
)
