"""Parse the body of a request strictly (pure)."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from consent_service.errors import MalformedJSON, TooLarge

MAX_BODY = 32 * 1024
_BLANK = re.compile(rb'"[ \t\r\n]+:')
_NAME_END = re.compile(rb'"[ \t\r\n]*:')


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
    # Readers disagree on which of two members of one name holds (RFC 8259, section 4). The parser keeps the last, so it
    # gives fewer members than names were written; a quote and a colon within a text only make this look closer.
    if _names(body) != _members(document) and _has_repeated(body):
        raise MalformedJSON("the body has an object with two members of one name")
    return document


def _names(body: bytes) -> int:
    # Scripts write no blanks before the colon; counting without them is the quicker way.
    return len(_NAME_END.findall(body)) if _BLANK.search(body) is not None else body.count(b'":')


def _members(document: Any) -> int:
    count, stack = 0, [document]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            count += len(item)
            stack.extend(value for value in item.values() if isinstance(value, (dict, list)))
        elif isinstance(item, list):
            stack.extend(value for value in item if isinstance(value, (dict, list)))
    return count


def _has_repeated(body: bytes) -> bool:
    found = False

    def collect(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) < len(pairs)

    try:
        # Numbers stay texts: one of 30,000 digits takes long to read.
        json.loads(body, object_pairs_hook=collect, parse_int=str, parse_float=str)
    except RecursionError:
        # Nested deeper than anything that is asked for here, and not to be told apart.
        return True
    return found


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
