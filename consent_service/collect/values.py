"""Read the single values of an event, each into the one form in which it is stored; None for what is none."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from consent_service.collect.request import MAX_TEXT

MAX_FORM = 120
MOST_EXACT = 2**53 - 1
_SCREENS = ((576, "Mobile"), (992, "Tablet"), (1440, "Laptop"))


def read_uuid(value: Any) -> UUID | None:
    """Read an event's id."""
    try:
        return UUID(value) if isinstance(value, str) and len(value) <= 36 else None
    except ValueError:
        return None


def read_address(value: Any) -> SplitResult | None:
    """Split a web address of bounded length."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (raises ValueError for a port that is none)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def read_target(value: Any) -> str | None:
    """Give scheme, host, port and path of where a link leads; the rest of the address may name a person."""
    parts = read_address(value)
    if parts is None or parts.hostname is None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path or '/'}"


def read_form(value: Any) -> str | None:
    """Give a form's own id or name; "" for a form that has none."""
    if value is None:
        return ""
    return value if isinstance(value, str) and len(value) <= MAX_FORM else None


def read_screen(width: Any) -> str:
    """Give the size class of a screen by its width in pixels; "" for a width that is none."""
    pixels = read_whole(width, 100_000)
    if not pixels:
        return ""
    return next((name for limit, name in _SCREENS if pixels < limit), "Desktop")


def read_age(milliseconds: Any) -> float | None:
    """Read how long ago an event happened; what is not said is 0."""
    if milliseconds is None:
        return 0
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return None
    return milliseconds if math.isfinite(milliseconds) and milliseconds >= 0 else None


def read_whole(value: Any, most: int) -> int | None:
    """Read a number that is not negative, rounded and cut at the most it can be."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        return None
    return min(round(value), most)


def read_scalar(value: Any) -> str | None:
    """Write a text, number, truth value or null as text.

    A number beyond 2^53 is none: readers of JSON round it, each in another way (RFC 8259, section 6).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)) and abs(value) > MOST_EXACT:
        return None
    if isinstance(value, (str, int, float)):
        return str(value)
    return "" if value is None else None


def read_amount(value: Any) -> Decimal | None:
    """Read an amount of money below 10^12, to four decimals."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or len(str(value)) > 24:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    # By its exponent: arithmetic on a number of a billion digits overflows.
    if not amount.is_finite() or amount.adjusted() >= 12:
        return None
    return amount.quantize(Decimal("0.0001"))
