"""Name the reasons for which single events are dropped; nothing of a dropped event is kept but a count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DropReason(StrEnum):
    """Name each reason for which one event of a request is not stored."""

    BOT = "bot"
    INVALID_EVENT = "invalid_event"
    INVALID_URL = "invalid_url"
    FOREIGN_HOST = "foreign_host"
    TOO_OLD = "too_old"
    BEFORE_CONSENT = "before_consent"
    TOO_MANY_PROPS = "too_many_props"
    EXCLUDED_PATH = "excluded_path"
    EXCLUDED_ADDRESS = "excluded_address"
    SPAM_REFERRER = "spam_referrer"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Drop:
    """Say that an event is not stored, and why."""

    reason: DropReason
