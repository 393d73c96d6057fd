"""Read strict TOML and JSON files into frozen models, telling every problem at once with its place."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from consent_service.places import Format, Path, Places, dotted, find_places
from consent_service.problems import Problem

MAX_FILE_BYTES: Final = 256 * 1024
MAX_NESTING: Final = 8

Found = tuple[Path, str]
"""A path and what is wrong there; the line is looked up once at the end."""

_UNSHOWABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")


class StrictModel(BaseModel):
    """Take exactly the declared keys with exactly their types, and never change afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Model = TypeVar("Model", bound=StrictModel)


class Unreadable(Exception):
    """Tell why a text is no document at all; carries the one problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def canonical_json(value: object) -> bytes:
    """Write a value the one way it is hashed: keys sorted, no white space, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def read_document(text: str | bytes, format: Format) -> tuple[dict[str, Any], Places, list[Found]]:
    """Read a text into plain values, with the places of its keys and what no file of ours may hold.

    Raises Unreadable when the text is too large or is not TOML or JSON of one table.
    """
    written = _decode(text)
    try:
        document = tomllib.loads(written) if format == "toml" else _load_json(written)
    except (ValueError, RecursionError) as error:
        message = f"is not {format.upper()}: {_reason(error)}"
        raise Unreadable(Problem("", _line_of(error), message)) from error
    if not isinstance(document, dict):
        raise Unreadable(Problem("", 1, "must be a table of keys"))
    if _depth(document) > MAX_NESTING:
        raise Unreadable(Problem("", 1, f"is nested more than {MAX_NESTING} levels deep"))
    places = find_places(written, format)
    found: list[Found] = [(path, "is given twice") for path in places.repeated]
    return _plain(document, (), found), places, found


def load_model(model: type[Model], document: Mapping[str, Any]) -> tuple[Model | None, list[Found]]:
    """Build a model of plain values, or say everything in their shape that is wrong."""
    try:
        return model.model_validate_json(json.dumps(document)), []
    except ValidationError as error:
        details = error.errors()
        paths = {_path(detail["loc"]) for detail in details}
        return None, [
            (_path(detail["loc"]), _message(detail))
            for detail in details
            # A list whose elements are wrong counts as too short too; the elements say it better.
            if detail["type"] != "too_short" or not any(_is_inside(path, detail["loc"]) for path in paths)
            # A default that is made of a wrong key is no problem of its own.
            if detail["type"] != "default_factory_not_called"
        ]


def placed(found: Iterable[Found], places: Places) -> list[Problem]:
    """Give each finding its line, in the order of the file and without repeats."""
    problems = {Problem(dotted(path), places.line(path), message) for path, message in found}
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.place, problem.message))


def _decode(text: str | bytes) -> str:
    encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(encoded) > MAX_FILE_BYTES:
        raise Unreadable(Problem("", None, f"is larger than {MAX_FILE_BYTES // 1024} kB"))
    try:
        return encoded.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = encoded[: error.start].count(b"\n") + 1
        raise Unreadable(Problem("", line, "is not UTF-8 text")) from error


def _load_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    return json.loads(text, parse_constant=refuse)


def _line_of(error: Exception) -> int | None:
    if isinstance(error, json.JSONDecodeError):
        return error.lineno
    told = re.search(r"at line (\d+)", str(error))
    return int(told.group(1)) if told else None


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return re.sub(r" \(at .*\)$|: line \d+ column.*$", "", str(error))


def _depth(value: object) -> int:
    # Level by level instead of by recursion: the text may be nested as deeply as the parser allows.
    level, depth = [value], 0
    while level:
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level, depth = inner, depth + 1
        if depth > MAX_NESTING + 1:
            break
    return depth - 1


def _plain(value: Any, path: Path, found: list[Found]) -> Any:
    """Copy a value, replacing what has no place in our files; each replacement is a finding."""
    if isinstance(value, dict):
        return {_shown(key, path, found): _plain(item, (*path, key), found) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, (*path, index), found) for index, item in enumerate(value)]
    if isinstance(value, str):
        return _shown(value, path, found)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        found.append((path, "must be a finite number"))
        return 0
    found.append((path, "is a date or time; no key here takes one"))
    return str(value)


def _shown(text: str, path: Path, found: list[Found]) -> str:
    unshowable = _UNSHOWABLE.search(text)
    if unshowable is None:
        return text
    found.append((path, f"holds the character U+{ord(unshowable.group()):04X}, which cannot be shown"))
    return _UNSHOWABLE.sub("?", text)


def _is_inside(path: Path, around: Path) -> bool:
    return len(path) > len(around) and path[: len(around)] == around


def _path(location: tuple[int | str, ...]) -> Path:
    return tuple(step for step in location if step != "[key]")


_MESSAGES: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of this file",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_too_short": "must not be empty",
    "string_too_long": "is longer than {max_length} characters",
    "too_short": "needs at least {min_length}",
    "too_long": "has more than {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "value_error": "{error}",
}


def _message(detail: Any) -> str:
    template = _MESSAGES.get(detail["type"])
    return template.format(**detail.get("ctx", {})) if template else str(detail["msg"])
