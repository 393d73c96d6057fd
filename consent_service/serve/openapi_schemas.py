"""Hold the schemas of requests and answers: generated where a model reads them, written here where none does."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from consent_service.collect.drops import DropReason
from consent_service.consent.decision import DecisionRequest, WithdrawalRequest
from consent_service.consent.policy import Policy
from consent_service.consent.texts import BANNER_KEYS, words
from consent_service.console.admin_people import UserRequest
from consent_service.console.admin_tokens import TokenRequest
from consent_service.serve.openapi_model import list_of, members, nullable, ref
from consent_service.sites.settings import SiteSettings

MODELS: Final[tuple[type[BaseModel], ...]] = (
    DecisionRequest,
    WithdrawalRequest,
    Policy,
    SiteSettings,
    TokenRequest,
    UserRequest,
)

TEXT: Final = {"type": "string"}
WHOLE: Final = {"type": "integer"}
COUNT: Final = {"type": "integer", "minimum": 0}
NUMBER: Final = {"type": "number"}
FLAG: Final = {"type": "boolean"}
NOTHING: Final = {"type": "null"}
FREE: Final = {"type": "object"}
TIME: Final = {"type": "string", "format": "date-time", "pattern": r"Z$"}
DAY: Final = {"type": "string", "format": "date"}
UUID: Final = {"type": "string", "format": "uuid"}
SITE_KEY: Final = {"type": "string", "description": "The site's public key."}
HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
RECEIPT: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
TOKEN: Final = {"type": "string", "maxLength": 160}
PURPOSES: Final = {"type": "object", "additionalProperties": FLAG}
RATE: Final = nullable({"type": "number", "minimum": 0, "maximum": 100})

_COOKIE: Final = members({"name": TEXT, "kind": TEXT, "days": WHOLE, "description": TEXT}, {"host": TEXT, "life": TEXT})
_TYPES: Final = {
    "type": "object",
    "additionalProperties": list_of(TEXT),
    "description": "The consent types that each purpose grants; not there where the site uses none.",
}
_ASKED_GROUP: Final = {
    **members(
        {
            "version": {**WHOLE, "description": "For choices of this policy version or a later one."},
            "purposes": {**list_of(TEXT), "description": "What is asked; every other choice stands."},
            "reason": TEXT,
            "body": {**nullable(TEXT), "description": "The sentence about these purposes; null: the banner's own."},
            "changes": {
                **list_of(members({"id": TEXT, "title": TEXT, "lines": list_of(TEXT)})),
                "description": "What was agreed then and what is new now; `id` is empty for the whole policy.",
            },
        }
    ),
    "description": "A choice belongs to the first group whose version is not above its own.",
}
_BANNER: Final = members(
    {
        "site": SITE_KEY,
        "language": TEXT,
        "dir": {"enum": ["ltr", "rtl"]},
        "languages": list_of(TEXT),
        "policy_version": WHOLE,
        "policy_hash": {**HASH, "description": "SHA-256 of the policy version's content."},
        "banner_hash": {**HASH, "description": "SHA-256 of everything shown and every option."},
        "purposes": list_of(
            members(
                {
                    "id": TEXT,
                    "title": TEXT,
                    "description": TEXT,
                    "data": list_of(TEXT),
                    "recipients": list_of(TEXT),
                    "retention_days": WHOLE,
                    "cookies": list_of(_COOKIE),
                },
                {
                    "measures": FLAG,
                    "kept": TEXT,
                    "material_version": {**WHOLE, "description": "Grants of it older than this are asked again."},
                    "collected": {**list_of(TEXT), "description": "What `data` means, in words."},
                },
            )
        ),
        "exempt": list_of(members({"id": TEXT, "title": TEXT, "description": TEXT, "cookies": list_of(_COOKIE)})),
        "controller": members({"name": TEXT}),
        "recipients": list_of(members({"name": TEXT, "country": TEXT})),
        "texts": members(dict.fromkeys((*BANNER_KEYS, *words("en", "preferences")), TEXT)),
        "policy_url": TEXT,
        "valid_days": WHOLE,
        "refusal_days": WHOLE,
        "layout": {"enum": ["bar", "corner", "dialog"]},
        "signals": members({"gpc": {"enum": ["refuse", "ask", "ignore"]}}),
        "scope": list_of(TEXT),
        "asked_again": nullable(
            members(
                {
                    "reason": {**TEXT, "description": "Why the newest material version asks again."},
                    "purposes": list_of(TEXT),
                    "granted": {**list_of(_ASKED_GROUP), "description": "For those who granted something."},
                    "refused": {**list_of(_ASKED_GROUP), "description": "For those who refused everything."},
                }
            )
        ),
    },
    {
        "theme": TEXT,
        "style": TEXT,
        "logo_url": TEXT,
        "after_withdrawal": {"enum": ["stay", "reload"]},
        "material_version": WHOLE,
        "refusal_material_version": WHOLE,
        "consent_mode": _TYPES,
        "consent_mode_regions": list_of(TEXT),
        "uet": _TYPES,
        "clarity": _TYPES,
        "blocking": list_of(members({"purpose": TEXT, "host": TEXT})),
        "coverage": {**FLAG, "description": "Whether it is counted that the banner is shown; not there otherwise."},
    },
)
_ERASURE: Final = members(
    {
        "id": UUID,
        "status": {"enum": ["pending", "done", "held"]},
        "events": {**nullable(COUNT), "description": "How many events were erased; null until it is done."},
        "certificate_url": nullable(TEXT),
        "due_at": TIME,
    }
)
_EVENT: Final = members(
    {"id": UUID, "name": {**TEXT, "maxLength": 120}, "url": {**TEXT, "maxLength": 2000}},
    {
        "referrer": nullable({**TEXT, "maxLength": 2000}),
        "age_ms": {**NUMBER, "minimum": 0, "description": "How long ago it happened, in milliseconds."},
        "props": nullable({"type": "object", "maxProperties": 30}),
        "revenue": nullable(members({"amount": {"type": ["string", "number"]}, "currency": TEXT})),
        "engaged_ms": nullable(NUMBER),
        "scroll": nullable(NUMBER),
        "screen_width": nullable(NUMBER),
    },
)

PUBLIC: Final[dict[str, Any]] = {
    "Shown": members({"site": SITE_KEY, "language": {**TEXT, "maxLength": 35}, "banner_hash": HASH}),
    "Error": members(
        {
            "error": members(
                {"code": TEXT, "message": {**TEXT, "description": "One sentence for people."}},
                {
                    "problems": list_of(members({"pointer": TEXT, "message": TEXT})),
                    "config": ref("BannerConfig"),
                },
            )
        }
    ),
    "BannerConfig": _BANNER,
    "Erasure": _ERASURE,
    "Decision": members(
        {
            "decision_id": UUID,
            "receipt_id": {
                **nullable(RECEIPT),
                "description": "Null for a refusal, which carries no identifier.",
            },
            "token": TOKEN,
            "decided_at": TIME,
            "expires_at": TIME,
            "purposes": PURPOSES,
            "policy_version": WHOLE,
            "withdrawn": list_of(TEXT),
            "erasure": nullable(ref("Erasure")),
        }
    ),
    "Withdrawal": members(
        {
            "receipt_id": nullable(RECEIPT),
            "withdrawn_at": TIME,
            "purposes": list_of(TEXT),
            "erasure": nullable(ref("Erasure")),
            "token": {**TOKEN, "description": "The id-free token of a refusal, to be kept in place of the old one."},
        }
    ),
    "Event": _EVENT,
    "EventsRequest": members(
        {
            "site": SITE_KEY,
            # An event with a fault is dropped with a reason; the others are kept.
            "events": list_of(ref("Event"), minItems=1, maxItems=50),
        },
        {"token": {**nullable(TEXT), "description": "Else as the site's cookie, or as Bearer."}},
    ),
    "EventsAnswer": members(
        {
            "accepted": {**COUNT, "description": "These are on disk."},
            "dropped": list_of(members({"index": COUNT, "reason": {"enum": [str(item) for item in DropReason]}})),
        }
    ),
    "PrivacyPage": members(
        {
            "site": SITE_KEY,
            "domain": TEXT,
            "site_url": TEXT,
            "language": TEXT,
            "dir": {"enum": ["ltr", "rtl"]},
            "title": TEXT,
            "controller": TEXT,
            "policy_version": WHOLE,
            "policy_hash": HASH,
            "published_at": TIME,
            "languages_label": TEXT,
            "contents_label": TEXT,
            "languages": list_of(members({"language": TEXT, "name": TEXT, "url": TEXT})),
            "sections": list_of(FREE),
        }
    ),
    "Readiness": members(
        {
            "status": {"enum": ["ready", "not_ready"]},
            "stores": members({"database": FLAG, "events": FLAG}),
        }
    ),
}


# What the models leave unsaid to those who call.
_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "DecisionRequest": {
        "site": "The site's public key.",
        "purposes": "Exactly the optional purposes of the policy version, each granted or refused.",
        "policy_version": "The version the banner showed.",
        "banner_hash": "The `banner_hash` of the config that was shown; a grant needs it.",
        "language": "The language the banner was shown in.",
        "previous": "The token held until now; one that is none of ours is ignored.",
        "idempotency_key": "The same within 24 hours gives the first answer.",
        "mechanism": "Where the visitor decided.",
        "rendered_hash": "SHA-256 of the words as they stood on the page.",
        "script_hash": "Which script showed them: the first digits of its SHA-256, or its page's pin.",
        "layer": "On which layer of the banner it was decided.",
        "signals": "What the browser signalled.",
        "asked": "The purposes that were asked about.",
        "evidence": "That refusing was really offered; kept with grants alone.",
    },
    "WithdrawalRequest": {
        "site": "The site's public key.",
        "token": "The token of the consent, when it comes neither as cookie nor as Bearer.",
        "purposes": "What to withdraw; null means all.",
        "erase": "Taken as true, whatever it says: only the visitor's own page can keep what was collected.",
        "idempotency_key": "The same within 24 hours gives the first answer.",
        "mechanism": "Where the visitor withdrew.",
        "language": "The language of the page.",
    },
    "TokenRequest": {
        "scopes": "What the token may do.",
        "public": "Whether small cells are hidden from whoever reads with it.",
        "expires_days": "When it ends; null for never, or with the token that asks.",
    },
    "UserRequest": {"email": "Where they are reached; their name at login.", "role": "What they may do."},
}


def generated() -> dict[str, Any]:
    """Give the schemas of the request models; each part is named after its model, for two may share a name."""
    found: dict[str, Any] = {}
    for model in MODELS:
        name = model.__name__
        schema = model.model_json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
        found |= {f"{name}.{part}": _tidied(inner) for part, inner in schema.pop("$defs", {}).items()}
        for member, meaning in _MEANINGS.get(name, {}).items():
            schema["properties"][member]["description"] = meaning
        found[name] = _tidied(schema)
    return found


def _tidied(schema: Any) -> Any:
    # The titles are the names of members written large; they tell a reader nothing.
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _tidied(part) for name, part in value.items()} if key == "properties" else _tidied(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
