"""Parse the body of a request strictly (pure)."""

from __future__ import annotations

from typing import Any

import orjson

from consent_service.errors import MalformedJSON, TooLarge

MAX_BODY = 32 * 1024


def read_json(body: bytes, *, limit: int = MAX_BODY) -> Any:
    """Parse a body; raises TooLarge over `limit` bytes, MalformedJSON for what no text column could keep."""
    if len(body) > limit:
        raise TooLarge(f"the body may have {limit} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJSON(f"the body is not JSON: {error.msg} at character {error.pos}") from error
    # JSON may write NUL as an escape; text columns cannot hold it.
    if b"\\u0000" in body and _has_nul(document):
        raise MalformedJSON("the body has a NUL character")
    return document


def _has_nul(document: Any) -> bool:
    stack = [document]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return False
