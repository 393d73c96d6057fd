"""Carry values between processes as bytes and get the same values back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

# A value JSON has no word for is written as a one-member object: {tag: text}.
_WRITERS: Final[dict[type, tuple[str, Callable[[Any], str]]]] = {
    datetime: ("t", lambda value: _utc(value).isoformat()),
    date: ("d", date.isoformat),
    Decimal: ("n", str),
    UUID: ("u", lambda value: value.hex),
    bytes: ("b", bytes.hex),
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "t": datetime.fromisoformat,
    "l": datetime.fromisoformat,
    "d": date.fromisoformat,
    "n": Decimal,
    "u": UUID,
    "b": bytes.fromhex,
    "i": int,
    "f": float,
}
_MAP: Final = "m"
_SMALL: Final = 2**63


class WireError(ValueError):
    """Tell that bytes are not a value of this wire form, or a value has no form here."""


def encode(value: Any) -> bytes:
    """Write a value as bytes.

    Takes None, bool, int, float, str, bytes, date, datetime (aware ones come back as UTC), Decimal, UUID,
    dicts, and lists or tuples of these (both come back as lists). Raises WireError for anything else.
    """
    try:
        return orjson.dumps(_write(value))
    except orjson.JSONEncodeError as error:
        raise WireError(f"a text cannot be carried: {error}") from error


def decode(data: bytes) -> Any:
    """Read back what `encode` wrote; raises WireError for other bytes."""
    try:
        return _read(orjson.loads(data))
    except (ValueError, ArithmeticError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"not a value of this wire form: {error}") from error


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _write(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value) if -_SMALL <= value < _SMALL else {"i": str(value)}
    if isinstance(value, float):
        return value if value - value == 0 else {"f": repr(value)}
    if isinstance(value, datetime) and value.tzinfo is None:
        return {"l": value.isoformat()}
    for kind in type(value).__mro__:
        if kind in _WRITERS:
            tag, write = _WRITERS[kind]
            return {tag: write(value)}
    if isinstance(value, (list, tuple)):
        return [_write(item) for item in value]
    if isinstance(value, dict):
        return {_MAP: [[_write(key), _write(item)] for key, item in value.items()]}
    raise WireError(f"a {type(value).__name__} cannot be carried")


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise WireError("an object has one member, its tag")
    [(tag, held)] = value.items()
    if tag == _MAP:
        return {_read(key): _read(item) for key, item in held}
    return _READERS[tag](held)
