"""Write settings and policies as the TOML files they were read from, so that what is shown can be edited and set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(document: Mapping[str, Any]) -> str:
    """Write a table of JSON-able values as TOML: plain keys first, then tables, then lists of tables."""
    return "\n".join(_table("", document)).strip() + "\n"


def _table(path: str, table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        inner = f"{path}.{_key(key)}" if path else _key(key)
        if _is_table(value) and value:
            yield from ("", f"[{inner}]")
            yield from _table(inner, value)
        if _is_tables(value):
            for item in value:
                yield from ("", f"[[{inner}]]")
                yield from _table(inner, item)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    # TOML's basic strings, numbers, booleans and lists of these are written as JSON's are; DEL alone differs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
