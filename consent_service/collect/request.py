"""Read the envelope of an events request and bound what nests in it (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consent_service.errors import Invalid

MAX_EVENTS = 50
MAX_DEPTH = 8
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """Hold the envelope of `POST /v1/events`; the events are not looked at yet."""

    site: str
    token: str | None
    events: tuple[Any, ...]


def read_events(document: Any) -> EventsRequest:
    """Read the envelope; raises Invalid with a pointer per problem."""
    if not isinstance(document, dict):
        raise Invalid([("", "must be an object")])
    match document.get("site"), document.get("token"), document.get("events"):
        case str(site), (str() | None) as token, list(events) if site and 1 <= len(events) <= MAX_EVENTS:
            return EventsRequest(site, token, tuple(events))
        case site, token, events:
            raise Invalid(list(_problems(site, token, events)))


def _problems(site: Any, token: Any, events: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(site, str) or not site:
        yield "/site", "must be the site's key"
    if token is not None and not isinstance(token, str):
        yield "/token", "must be a text or null"
    if not isinstance(events, list):
        yield "/events", "must be a list"
    elif not 1 <= len(events) <= MAX_EVENTS:
        yield "/events", f"must hold 1 to {MAX_EVENTS} events"


def depth(value: Any, limit: int = MAX_DEPTH) -> int:
    """Give how deeply a JSON value nests, counting no further than one past `limit`."""
    level, layer = 0, [value]
    while layer and level <= limit:
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not any(isinstance(item, (dict, list)) for item in layer):
            return level
        level, layer = level + 1, inner
    return level
