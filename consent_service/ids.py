"""Make the identifiers the product uses; all random ones come from the system's generator."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import choice, randbits, token_hex

from uuid_utils import uuid7

# Without letters and digits that are mistaken for each other.
_KEY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
SITE_KEY_LENGTH = 12


def new_site_key() -> str:
    """Make a public site key of 12 characters."""
    return "".join(choice(_KEY_ALPHABET) for _ in range(SITE_KEY_LENGTH))


def new_receipt_id() -> str:
    """Make a receipt id: 128 random bits, 32 lower-case hex characters."""
    return token_hex(16)


def new_visitor_id() -> int:
    """Make a visitor id: 63 random bits, never derived from a device."""
    return randbits(63)


def new_id() -> str:
    """Make a UUIDv7 (RFC 9562), so that ids sort by time."""
    return str(uuid7())


def first_id(seconds: float) -> str:
    """Give a text that sorts before every id `new_id` makes at a time (seconds since 1970), and after earlier ones."""
    stamp = f"{max(0, int(seconds * 1000)):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


def id_time(text: str) -> datetime:
    """Give the time at which an id of `new_id` was made, exact to the millisecond."""
    return datetime.fromtimestamp(int(text.replace("-", "")[:12], 16) / 1000, UTC)
