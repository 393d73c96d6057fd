"""Describe the calls with which data teams and auditors read."""

from __future__ import annotations

from typing import Any, Final

from consent_service.collect.drops import DropReason
from consent_service.consent.decision import Action, Mechanism
from consent_service.consent.evidence import Mark
from consent_service.consent.gate import Refusal
from consent_service.consent.report_by import By
from consent_service.serve.openapi_model import Answer, Body, Operation, Parameter, list_of, members, nullable, ref
from consent_service.serve.openapi_schemas import (
    COUNT,
    DAY,
    FREE,
    HASH,
    NUMBER,
    PURPOSES,
    RATE,
    RECEIPT,
    SITE_KEY,
    TEXT,
    TIME,
    UUID,
    WHOLE,
)
from consent_service.sites.access import Scope
from consent_service.stats.dimensions import NAMES
from consent_service.stats.metrics import METRICS
from consent_service.stats.periods import NAMED

REPORTS: Final = "Reports"
_DAYS: Final = "A day of the site's time zone, included; both together span 30 days when left out."

SITE: Final = Parameter("site", "The site's key or domain; the token must be its own.", TEXT, is_required=True)
FROM: Final = Parameter("from", _DAYS, {**DAY, "examples": ["2026-03-01"]})
TO: Final = Parameter("to", _DAYS, {**DAY, "examples": ["2026-03-31"]})
CURSOR: Final = Parameter("cursor", "Where the page before ended.", TEXT)

_COUNTS: Final = ("accepted", "refused", "customised", "withdrawn", "expired")
_RATES: Final = ("accepted_rate", "refused_rate", "customised_rate")
_HIDEABLE: Final = {**nullable(COUNT), "description": "Null where a public token would see fewer than ten."}
_PRIVACY: Final = {
    **members({"smallest_cell": COUNT, "unit": TEXT, "hidden": COUNT}),
    "description": "For public tokens: how many counts are hidden.",
}
_CONSENT: Final[dict[str, Any]] = {
    **dict.fromkeys(_COUNTS, _HIDEABLE),
    **dict.fromkeys(("shown", "ignored"), {**nullable(COUNT), "description": "Null where it is not known."}),
    **dict.fromkeys(_RATES, {**RATE, "description": "Percent of those who decided."}),
}
_BY: Final[dict[str, Any]] = {
    str(By.DAY): DAY,
    **{
        str(by): {**nullable(WHOLE if by is By.POLICY_VERSION else TEXT), "description": "Null where it is not known."}
        for by in (By.LANGUAGE, By.COUNTRY, By.DEVICE, By.POLICY_VERSION, By.BANNER)
    },
}
_REASONS: Final = sorted({*map(str, DropReason), *map(str, Refusal)})
_REASON: Final = {"type": "string", "examples": _REASONS}

_QUERY: Final[dict[str, Any]] = {
    "site_id": "nouvelles.example",
    "metrics": ["visitors", "pageviews"],
    "date_range": "30d",
    "dimensions": ["event:page"],
    "filters": [["contains", "event:page", ["/a-la-une"]]],
    "order_by": [["pageviews", "desc"]],
    "pagination": {"limit": 10},
}
_RESULT: Final[dict[str, Any]] = {
    "results": [{"dimensions": ["/a-la-une/marche"], "metrics": [412, 655]}],
    "meta": {},
    "query": {
        **_QUERY,
        "date_range": ["2026-02-09T00:00:00+01:00", "2026-03-11T00:00:00+01:00"],
        "include": {"imports": False, "time_labels": False, "total_rows": False, "trim_relative_date_range": False},
        "pagination": {"limit": 10, "offset": 0},
    },
}

SCHEMAS: Final[dict[str, Any]] = {
    "Query": members(
        {
            "site_id": {**TEXT, "description": "The site's key or domain."},
            "metrics": list_of({"enum": list(METRICS)}, minItems=1),
            "date_range": {
                "description": "A named period, or two days or times, both included.",
                "anyOf": [{"enum": list(NAMED)}, list_of(TEXT, minItems=2, maxItems=2)],
            },
        },
        {
            "dimensions": list_of({**TEXT, "examples": list(NAMES)}),
            "filters": {
                "type": "array",
                "description": "`[operator, dimension, [texts]]`, joined with `and`, `or`, `not`.",
                "items": {"type": "array"},
            },
            "order_by": {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2}},
            "include": FREE,
            "pagination": members({}, {"limit": {**WHOLE, "maximum": 10_000}, "offset": COUNT}),
        },
    ),
    "QueryResult": members(
        {
            "results": list_of(members({"dimensions": list_of(TEXT), "metrics": list_of(NUMBER)})),
            "meta": FREE,
            "query": FREE,
        }
    ),
    "ConsentReport": members(
        {
            "site": SITE_KEY,
            "from": DAY,
            "to": DAY,
            "by": {"enum": list(By)},
            "results": list_of(members(_CONSENT, _BY)),
            "totals": members(_CONSENT),
        },
        {"privacy": _PRIVACY},
    ),
    "DecisionLog": members(
        {
            "site": SITE_KEY,
            "decisions": list_of(
                members(
                    {
                        "decision_id": UUID,
                        "receipt_id": nullable(RECEIPT),
                        "previous_id": nullable(UUID),
                        "action": {"enum": [str(action) for action in Action]},
                        "purposes": PURPOSES,
                        "withdrawn": list_of(TEXT),
                        "policy_version": WHOLE,
                        "notice_hash": nullable(HASH),
                        "language": TEXT,
                        "mechanism": {"enum": [str(mechanism) for mechanism in Mechanism]},
                        "decided_at": TIME,
                        "expires_at": TIME,
                        "marks": list_of({"enum": [str(mark) for mark in Mark]}),
                    }
                )
            ),
            "cursor": {**nullable(TEXT), "description": "For the next page; null at the end."},
        }
    ),
    "Drops": members(
        {
            "site": SITE_KEY,
            "from": DAY,
            "to": DAY,
            "results": list_of(members({"reason": _REASON, "count": _HIDEABLE})),
            "by_day": list_of(members({"day": DAY, "reason": _REASON, "count": _HIDEABLE})),
            "total": _HIDEABLE,
        },
        {"privacy": _PRIVACY},
    ),
}

OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v2/query",
        "post_query",
        REPORTS,
        "Query consented events",
        (Answer("Rows in the order asked for", ref("QueryResult"), example=_RESULT),),
        "Request and answer have the shape of Plausible's Stats API v2. Unknown members are refused.",
        body=Body(ref("Query"), _QUERY, ("application/json", "text/plain")),
        errors=("not_found",),
        needs=Scope.STATS_READ,
    ),
    Operation(
        "GET",
        "/api/v1/consent",
        "get_consent",
        REPORTS,
        "Count who agreed, refused, chose and withdrew",
        (Answer("Days in order, or what is most frequent first, and their sum", ref("ConsentReport")),),
        "`shown` and `ignored` are null unless coverage counting is on. Public tokens read the days alone.",
        (SITE, FROM, TO, Parameter("by", "What to count by.", {"enum": list(By), "default": str(By.DAY)})),
        errors=("not_found", "invalid"),
        needs=Scope.CONSENT_READ,
    ),
    Operation(
        "GET",
        "/api/v1/decisions",
        "get_decisions",
        REPORTS,
        "List decisions for an audit",
        (Answer("At most 500, the oldest first", ref("DecisionLog")),),
        "Holds no personal data beyond the receipt. Public tokens are refused.",
        (SITE, CURSOR),
        errors=("not_found", "invalid"),
        needs=Scope.CONSENT_READ,
    ),
    Operation(
        "GET",
        "/api/v1/events",
        "get_events",
        REPORTS,
        "Export consented events",
        (
            Answer(
                "Rows of events, each with the consent that allowed it",
                TEXT,
                types=("application/x-ndjson", "text/csv"),
                headers=(("X-Next-Cursor", "where to go on, when `limit` cut the answer short"),),
            ),
        ),
        "`from` and `to` are days of reception. Streamed.",
        (
            SITE,
            FROM,
            TO,
            Parameter("format", "How rows are written.", {"enum": ["jsonl", "csv"], "default": "jsonl"}),
            CURSOR,
            Parameter("limit", "The most rows to give.", {**WHOLE, "minimum": 1, "maximum": 2000}),
        ),
        errors=("not_found", "invalid"),
        needs=Scope.EVENTS_EXPORT,
    ),
    Operation(
        "GET",
        "/api/v1/drops",
        "get_drops",
        REPORTS,
        "Count refused and dropped events by reason",
        (Answer("Counts, the most frequent first", ref("Drops")),),
        "Nothing else of a refused or dropped event is kept.",
        (SITE, FROM, TO),
        errors=("not_found", "invalid"),
        needs=Scope.STATS_READ,
    ),
)
