"""Make of each event a page sends what may be stored of it, in named steps; or drop it, with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter_ns
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from consent_service.browser.device import Device
from consent_service.browser.place import Place
from consent_service.collect.drops import Drop, DropReason
from consent_service.collect.known_sources import is_spam, known_spam
from consent_service.collect.masking import mask, mask_parameter
from consent_service.collect.request import MAX_DEPTH, MAX_TEXT, depth
from consent_service.collect.source import first_values, host_and_path, read_campaign, read_source
from consent_service.collect.timings import StepTimes
from consent_service.collect.values import (
    read_address,
    read_age,
    read_amount,
    read_form,
    read_scalar,
    read_screen,
    read_target,
    read_uuid,
    read_whole,
)
from consent_service.consent.gate import Grant
from consent_service.sites.registry import Site
from consent_service.sites.settings import matches_path

MAX_NAME = 120
MAX_PROPS = 30
MAX_PROP_NAME = 300
TOO_OLD = timedelta(hours=72)
# A day each of engagement at most; a larger figure is a broken clock.
MAX_ENGAGED_MS = 86_400_000
PAGEVIEW = "pageview"
# What the script sends by itself needs a data group of its own; every other name needs `events`.
NEEDED = {
    PAGEVIEW: "page",
    "not_found": "page",
    "engagement": "engagement",
    "outbound": "outbound",
    "download": "downloads",
    "form": "forms",
}
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what all events of one request share."""

    site: Site
    grant: Grant
    received_at: datetime
    device: Device
    place: Place
    is_excluded_address: bool
    spam_hosts: frozenset[str] = frozenset()


@dataclass(slots=True)
class Draft:
    """Hold one event on its way: what was sent, and what of it will be stored."""

    sent: Mapping[str, Any]
    event_id: UUID
    name: str
    occurred_at: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict)


Step = Callable[[Draft, Context], Drop | None]


def read_draft(sent: Any, context: Context) -> Draft | Drop:
    """Read the members every event has: id, name and age."""
    if not isinstance(sent, dict) or depth(sent) > MAX_DEPTH:
        return Drop(DropReason.INVALID_EVENT)
    name, age = sent.get("name"), read_age(sent.get("age_ms"))
    event_id = read_uuid(sent.get("id"))
    if event_id is None or not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.strip():
        return Drop(DropReason.INVALID_EVENT)
    if age is None:
        return Drop(DropReason.INVALID_EVENT)
    if age > TOO_OLD / timedelta(milliseconds=1):
        return Drop(DropReason.TOO_OLD)
    # The browser's clock is not asked: it says how long ago, and ours says when that was.
    return Draft(sent, event_id, mask(name)[:MAX_NAME], context.received_at - timedelta(milliseconds=age))


def drop_before_consent(draft: Draft, context: Context) -> Drop | None:
    """Drop what happened before the visitor agreed."""
    if draft.occurred_at < context.grant.granted_at:
        return Drop(DropReason.BEFORE_CONSENT)
    return None


def drop_bot(draft: Draft, context: Context) -> Drop | None:
    """Drop what a known robot sent, and what a program did that is none of the operator's own machine."""
    return Drop(DropReason.BOT) if context.device.is_bot else None


def drop_spam(draft: Draft, context: Context) -> Drop | None:
    """Drop what claims to come from a host that only spam names."""
    referrer = draft.sent.get("referrer")
    host = host_and_path(referrer)[0] if isinstance(referrer, str) and len(referrer) <= MAX_TEXT else ""
    is_named = bool(host) and is_spam(host, (known_spam(), context.spam_hosts))
    return Drop(DropReason.SPAM_REFERRER) if is_named else None


def drop_excluded_address(draft: Draft, context: Context) -> Drop | None:
    """Drop what comes from an address the site leaves out."""
    return Drop(DropReason.EXCLUDED_ADDRESS) if context.is_excluded_address else None


def drop_undeclared(draft: Draft, context: Context) -> Drop | None:
    """Drop an event of a kind that the policy does not declare: there is nothing of it that may be stored."""
    return None if NEEDED.get(draft.name, "events") in context.grant.data else Drop(DropReason.INVALID_EVENT)


def put_page(draft: Draft, context: Context) -> Drop | None:
    """Keep host, path and the allowed part of the query of the page; the fragment is never looked at."""
    parts = read_address(draft.sent.get("url"))
    host = None if parts is None else parts.hostname
    if parts is None or host is None:
        return Drop(DropReason.INVALID_URL)
    if not context.site.has_host(host):
        return Drop(DropReason.FOREIGN_HOST)
    draft.parameters = first_values(parts.query)
    path = parts.path or "/"
    if matches_path(context.site.settings, path):
        return Drop(DropReason.EXCLUDED_PATH)
    allowed = context.site.settings.allowed_query_keys
    pairs = parse_qsl(parts.query, keep_blank_values=True) if allowed else []
    kept = [(name, mask_parameter(value)) for name, value in pairs if name in allowed]
    draft.stored |= {"hostname": host, "path": mask(path), "query": urlencode(kept)}
    return None


def put_source(draft: Draft, context: Context) -> Drop | None:
    """Add where the visit came from."""
    referrer = draft.sent.get("referrer")
    if referrer is not None and (not isinstance(referrer, str) or len(referrer) > MAX_TEXT):
        referrer = None
    has_campaign = "campaign" in context.grant.data
    found = read_source(referrer, draft.parameters, context.site.has_host, has_campaign=has_campaign)
    draft.stored |= {"source": found.source, "referrer": found.referrer, "click_id": found.click_id}
    draft.stored["channel"] = str(found.channel)
    return None


def put_campaign(draft: Draft, context: Context) -> Drop | None:
    """Add the campaign parameters of the page's address."""
    found = read_campaign(draft.parameters)
    draft.stored |= {
        "utm_source": found.source,
        "utm_medium": found.medium,
        "utm_campaign": found.campaign,
        "utm_content": found.content,
        "utm_term": found.term,
    }
    return None


def put_device(draft: Draft, context: Context) -> Drop | None:
    """Add browser, system, class of device and size class of the screen."""
    device = context.device
    draft.stored |= {
        "device": device.kind,
        "browser": device.browser,
        "browser_version": device.browser_version,
        "os": device.os,
        "os_version": device.os_version,
        "screen": read_screen(draft.sent.get("screen_width")),
    }
    return None


def put_place(draft: Draft, context: Context) -> Drop | None:
    """Add country, region and city."""
    place = context.place
    draft.stored |= {"country": place.country, "region": place.region, "city": place.city}
    return None


def put_engagement(draft: Draft, context: Context) -> Drop | None:
    """Add for how long the page was looked at and how far down."""
    engaged, scroll = draft.sent.get("engaged_ms"), draft.sent.get("scroll")
    draft.stored |= {"engaged_ms": read_whole(engaged, MAX_ENGAGED_MS), "scroll": read_whole(scroll, 100)}
    return None


def put_props(draft: Draft, context: Context) -> Drop | None:
    """Add custom props, each a short scalar."""
    props = draft.sent.get("props")
    if props is None:
        return None
    if not isinstance(props, dict):
        return Drop(DropReason.INVALID_EVENT)
    if len(props) > MAX_PROPS:
        return Drop(DropReason.TOO_MANY_PROPS)
    kept: dict[str, str] = {}
    for name, value in props.items():
        text = read_scalar(value)
        if not name or len(name) > MAX_PROP_NAME or text is None or len(text) > MAX_TEXT:
            return Drop(DropReason.INVALID_EVENT)
        kept[mask(name)[:MAX_PROP_NAME]] = mask(text)[:MAX_TEXT]
    draft.stored["props"] = kept
    return None


def put_own_prop(draft: Draft, context: Context) -> Drop | None:
    """Add what an automatic event is about: where a link leads, or which form was sent."""
    read = {"outbound": ("url", read_target), "download": ("url", read_target), "form": ("form", read_form)}.get(
        draft.name
    )
    if read is None:
        return None
    name, reader = read
    value = reader((draft.sent.get("props") or {}).get(name))
    if value is None:
        return Drop(DropReason.INVALID_EVENT)
    draft.stored["own_prop"] = {name: mask(value)} if value else {}
    return None


def put_revenue(draft: Draft, context: Context) -> Drop | None:
    """Add an amount of money with its currency (ISO 4217)."""
    revenue = draft.sent.get("revenue")
    if revenue is None:
        return None
    if not isinstance(revenue, dict):
        return Drop(DropReason.INVALID_EVENT)
    amount, currency = read_amount(revenue.get("amount")), revenue.get("currency")
    if amount is None or not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return Drop(DropReason.INVALID_EVENT)
    draft.stored |= {"revenue_amount": str(amount), "revenue_currency": currency}
    return None


# What each step stores, the policy must declare by the name of its data group. None: the step stores nothing, or only
# what `drop_undeclared` has found declared.
STEPS: tuple[tuple[str, str | None, Step], ...] = (
    ("drop_before_consent", None, drop_before_consent),
    ("drop_excluded_address", None, drop_excluded_address),
    ("drop_bot", None, drop_bot),
    ("drop_spam", None, drop_spam),
    ("put_page", None, put_page),
    ("drop_undeclared", None, drop_undeclared),
    ("put_source", "source", put_source),
    ("put_campaign", "campaign", put_campaign),
    ("put_device", "device", put_device),
    ("put_place", "country", put_place),
    ("put_engagement", "engagement", put_engagement),
    ("put_props", "props", put_props),
    ("put_own_prop", None, put_own_prop),
    ("put_revenue", "revenue", put_revenue),
)
STEP_NAMES = ("read_draft", *(name for name, _, _ in STEPS))
_PAGE_FIELDS = ("hostname", "path", "query")


def run(sent: Any, context: Context, times: StepTimes | None = None) -> dict[str, Any] | Drop:
    """Give what may be stored of one event, or the reason why nothing is.

    Faults are found whatever the policy declares; what it does not declare is left out of the result. How long each
    step took is added to `times`, by the names of STEP_NAMES.
    """
    marks = [perf_counter_ns()]
    try:
        return _run(sent, context, marks)
    finally:
        if times is not None:
            times.add(marks)


def _run(sent: Any, context: Context, marks: list[int]) -> dict[str, Any] | Drop:
    draft = read_draft(sent, context)
    marks.append(perf_counter_ns())
    if isinstance(draft, Drop):
        return draft
    kept: dict[str, Any] = {}
    for _, group, step in STEPS:
        dropped = step(draft, context)
        marks.append(perf_counter_ns())
        if dropped is not None:
            return dropped
        if group is None or group in context.grant.data:
            kept |= draft.stored
        # A later step must find the page; nothing else is carried on.
        draft.stored = {name: draft.stored[name] for name in _PAGE_FIELDS if name in draft.stored}
    return _declared(kept, draft, context.grant.data)


def _declared(kept: dict[str, Any], draft: Draft, data: frozenset[str]) -> dict[str, Any]:
    if "page" not in data:
        kept |= dict.fromkeys(_PAGE_FIELDS, "")
    for group in ("region", "city"):
        if group in kept and group not in data:
            kept[group] = ""
    # Over what `put_props` kept: a whole address must not stay where a cut one is promised.
    kept["props"] = {**kept.get("props", {}), **kept.pop("own_prop", {})}
    return {
        "event_id": draft.event_id.hex,
        "name": draft.name,
        "occurred_at": draft.occurred_at.isoformat(),
        **{name: value for name, value in kept.items() if value not in ("", None, {})},
    }
