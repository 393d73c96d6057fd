"""Describe the calls with which one site is administered."""

from __future__ import annotations

from typing import Any, Final

from consent_service.consent.difference import ChangeKind
from consent_service.console.people import Role
from consent_service.serve.openapi_model import Answer, Body, Operation, Parameter, list_of, members, nullable, ref
from consent_service.serve.openapi_reporting import CURSOR
from consent_service.serve.openapi_schemas import FLAG, FREE, HASH, SITE_KEY, TEXT, TIME, UUID, WHOLE
from consent_service.sites.access import Scope

ADMINISTRATION: Final = "Administration"

KEY: Final = Parameter("key", "The key of the token's own site; another one is 403 `forbidden`.", SITE_KEY, "path")
_SETTINGS: Final[dict[str, Any]] = {
    "name": "Les Nouvelles du Matin",
    "domain": "nouvelles.example",
    "origins": ["https://nouvelles.example"],
    "timezone": "Europe/Paris",
}
_POLICY: Final[dict[str, Any]] = {
    "languages": ["en"],
    "default_language": "en",
    "jurisdiction": "FR",
    "valid_days": 180,
    "refusal_days": 180,
    "record_retention_days": 1095,
    "controller": {
        "name": "Les Nouvelles du Matin",
        "address": "12 rue des Archives, 75004 Paris",
        "country": "FR",
        "email": "privacy@nouvelles.example",
        "authority": "CNIL",
    },
    "purposes": [
        {
            "id": "analytics",
            "basis": "consent",
            "measures": True,
            "retention_days": 395,
            "data": ["page", "source", "device", "country"],
            "title": {"en": "Audience measurement"},
            "description": {"en": "Count which pages are read, to make the site better."},
        }
    ],
}
_SCOPES: Final = list_of({"enum": [str(scope) for scope in Scope]})
_SUMMARY: Final[dict[str, Any]] = {
    "key": SITE_KEY,
    "domain": TEXT,
    "name": TEXT,
    "origins": list_of(TEXT),
    "timezone": TEXT,
    "paused": FLAG,
    "policy_version": {**nullable(WHOLE), "description": "The newest; null before the first."},
}
_VERSION: Final[dict[str, Any]] = {
    "version": WHOLE,
    "content_hash": HASH,
    "material_version": {**WHOLE, "description": "Grants older than this version are asked again."},
    "refusal_material_version": {**WHOLE, "description": "Refusals older than this version are asked again."},
    "published_at": TIME,
}
_WARNING: Final = members({"place": TEXT, "line": nullable(WHOLE), "message": TEXT})
_USER: Final[dict[str, Any]] = {
    "email": TEXT,
    "role": {"enum": [str(role) for role in Role]},
    "sites": list_of(SITE_KEY),
    "has_password": FLAG,
    "created_at": TIME,
}
_NEW_TOKEN: Final = members(
    {
        "id": UUID,
        "token": {**TEXT, "description": "Shown once; only its hash is stored."},
        "scopes": _SCOPES,
        "site": SITE_KEY,
    }
)

SCHEMAS: Final[dict[str, Any]] = {
    "SiteList": members({"sites": list_of(members(_SUMMARY))}),
    "Site": members({**_SUMMARY, "settings": ref("SiteSettings"), "snippet": TEXT}),
    "NewSite": members({**_SUMMARY, "settings": ref("SiteSettings"), "snippet": TEXT, "token": _NEW_TOKEN}),
    "PolicyList": members({"site": SITE_KEY, "policies": list_of(members(_VERSION))}),
    "PublishedPolicy": members(
        {
            **_VERSION,
            "asks_again": {**FLAG, "description": "Whether earlier visitors are asked again."},
            "banners": {"type": "object", "description": "Banner hash by language.", "additionalProperties": HASH},
            "warnings": list_of(_WARNING),
        }
    ),
    "PolicyVersion": members({**_VERSION, "policy": ref("Policy")}),
    "Difference": members(
        {
            "from": WHOLE,
            "to": WHOLE,
            "changes": list_of(
                members({"path": TEXT, "kind": {"enum": [str(kind) for kind in ChangeKind]}, "before": {}, "after": {}})
            ),
            "asked": {
                **nullable(members({"grants": WHOLE, "refusals": WHOLE})),
                "description": "How many choices in force are asked again; refusals are acts, not people.",
            },
        }
    ),
    "NewToken": _NEW_TOKEN,
    "TokenList": members(
        {
            "tokens": list_of(
                members(
                    {
                        "id": UUID,
                        "site": SITE_KEY,
                        "scopes": _SCOPES,
                        "public": {**FLAG, "description": "Whether small cells are hidden from it."},
                        "created_by": TEXT,
                        "created_at": TIME,
                        "expires_at": nullable(TIME),
                        "revoked_at": nullable(TIME),
                        "is_valid": FLAG,
                    }
                )
            )
        }
    ),
    "UserList": members({"users": list_of(members(_USER))}),
    "NewUser": members({**_USER, "setup_url": TEXT}),
    "Audit": members(
        {
            "entries": list_of(
                members(
                    {
                        "id": WHOLE,
                        "at": TIME,
                        "actor": {**TEXT, "examples": ["token:ID", "officer@nouvelles.example", "command line"]},
                        "action": TEXT,
                        "site": nullable(SITE_KEY),
                        "subject": TEXT,
                        "detail": FREE,
                    }
                )
            ),
            "cursor": {**nullable(TEXT), "description": "For the next page; null at the end."},
        }
    ),
}


def _call(method: str, path: str, name: str, summary: str, answer: Answer, **more: Any) -> Operation:
    return Operation(method, f"/api/v1{path}", name, ADMINISTRATION, summary, (answer,), needs=Scope.ADMIN, **more)


def _number(name: str) -> Parameter:
    return Parameter(name, "A policy version.", {"type": "integer", "minimum": 0}, "path")


OPERATIONS: Final = (
    _call("GET", "/sites", "get_sites", "List the sites the token may see", Answer("Its own", ref("SiteList"))),
    _call(
        "POST",
        "/sites",
        "post_site",
        "Add a site",
        Answer(
            "The site, with an admin token for it", ref("NewSite"), 201, headers=(("Location", "where the site is"),)
        ),
        description="The body is a site file as JSON. The token that asks cannot reach the new site, so the answer "
        "holds one that can; it ends no later than the one that asks.",
        body=Body(ref("SiteSettings"), _SETTINGS),
        errors=("conflict",),
    ),
    _call(
        "GET",
        "/sites/{key}",
        "get_site",
        "Give a site with its settings",
        Answer("The site", ref("Site")),
        parameters=(KEY,),
        errors=("not_found",),
    ),
    _call(
        "PUT",
        "/sites/{key}",
        "put_site",
        "Replace a site's settings",
        Answer("The site as it is now", ref("Site")),
        description="The body is a site file as JSON; keys left out take their defaults.",
        parameters=(KEY,),
        body=Body(ref("SiteSettings"), _SETTINGS),
        errors=("not_found", "conflict"),
    ),
    _call(
        "POST",
        "/sites/{key}/pause",
        "post_pause",
        "Take no events until the site is resumed",
        Answer("The site as it is now", ref("Site")),
        description="Decisions and withdrawals go on.",
        parameters=(KEY,),
        errors=("not_found", "conflict"),
    ),
    _call(
        "POST",
        "/sites/{key}/resume",
        "post_resume",
        "Take events again",
        Answer("The site as it is now", ref("Site")),
        parameters=(KEY,),
        errors=("not_found", "conflict"),
    ),
    _call(
        "GET",
        "/sites/{key}/policies",
        "get_policies",
        "List the published policy versions",
        Answer("The newest first", ref("PolicyList")),
        parameters=(KEY,),
        errors=("not_found",),
    ),
    _call(
        "POST",
        "/sites/{key}/policies",
        "post_policy",
        "Publish a policy",
        Answer(
            "The next version, which never changes",
            ref("PublishedPolicy"),
            201,
            headers=(("Location", "where the version is"),),
        ),
        description="The body is a policy file as JSON. A wrong one is refused with every problem at once.",
        parameters=(KEY,),
        body=Body(ref("Policy"), _POLICY),
        errors=("not_found", "conflict"),
    ),
    _call(
        "GET",
        "/sites/{key}/policies/{version}",
        "get_policy",
        "Give a published policy",
        Answer("The version", ref("PolicyVersion")),
        parameters=(KEY, _number("version")),
        errors=("not_found",),
    ),
    _call(
        "GET",
        "/sites/{key}/policies/{a}/diff/{b}",
        "get_difference",
        "Compare two policy versions",
        Answer("Every difference, in the order of the file", ref("Difference")),
        parameters=(KEY, _number("a"), _number("b")),
        errors=("not_found",),
    ),
    _call("GET", "/tokens", "get_tokens", "List the site's API tokens", Answer("The newest first", ref("TokenList"))),
    _call(
        "POST",
        "/tokens",
        "post_token",
        "Make an API token for the site",
        Answer("The token; its text is never shown again", ref("NewToken"), 201),
        description="It ends no later than the token that asks. A public one has stats:read and consent:read at most.",
        body=Body(ref("TokenRequest"), {"scopes": ["stats:read"], "public": True, "expires_days": 90}),
        errors=("conflict",),
    ),
    _call(
        "DELETE",
        "/tokens/{token_id}",
        "delete_token",
        "End a token at once",
        Answer("It has ended", members({"id": UUID, "revoked": {"const": True}})),
        parameters=(Parameter("token_id", "The token's id.", TEXT, "path"),),
        errors=("not_found", "conflict"),
    ),
    _call(
        "GET",
        "/users",
        "get_users",
        "List who sees the site in the console",
        Answer("The oldest first; administrators of the deployment are left out", ref("UserList")),
    ),
    _call(
        "POST",
        "/users",
        "post_user",
        "Let someone see the site",
        Answer("The person, and the one-time link with which they choose a password", ref("NewUser"), 201),
        description="The role `admin` is 403: it reaches every site and is given on the command line.",
        body=Body(ref("UserRequest"), {"email": "officer@nouvelles.example", "role": "privacy_officer"}),
        errors=("conflict",),
    ),
    _call(
        "POST",
        "/users/{email}/reset",
        "post_reset",
        "Take someone's password and logins away",
        Answer("The one-time link for a new password", members({"email": TEXT, "setup_url": TEXT})),
        description="Who sees other sites too is 403.",
        parameters=(Parameter("email", "The person's address.", TEXT, "path"),),
        errors=("not_found", "conflict"),
    ),
    _call(
        "GET",
        "/audit",
        "get_audit",
        "List what was done to the site, and what this token did",
        Answer("At most 100, the newest first", ref("Audit")),
        parameters=(Parameter("site", "The key of the token's own site: its entries alone.", TEXT), CURSOR),
        errors=("not_found", "invalid"),
    ),
)
