"""Check the filters of a query written as JSON."""

from __future__ import annotations

import json
from typing import Final

from consent_service.stats import dimensions
from consent_service.stats.dimensions import Kind
from consent_service.stats.query import (
    Condition,
    Connective,
    Filter,
    Joined,
    Negated,
    Operator,
    QueryError,
)

_DEEPEST: Final = 8
_MOST_CLAUSES: Final = 1000
_LONGEST_CLAUSE: Final = 2000
_NOT: Final = "not"
_OPERATORS: Final = (*Operator, *Connective, _NOT)


def parse_filters(value: object) -> tuple[Condition, ...]:
    """Check the list of filters, all of which must hold; raises QueryError."""
    return _conditions(value, "/filters", 1, is_empty_allowed=True)


def quoted(value: object) -> str:
    """Show a piece of a request in a message, cut short."""
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _conditions(value: object, pointer: str, depth: int, *, is_empty_allowed: bool = False) -> tuple[Condition, ...]:
    if not isinstance(value, list) or (not value and not is_empty_allowed):
        raise _error("give a list of filters", pointer)
    if len(value) > _MOST_CLAUSES:
        raise _error(f"give at most {_MOST_CLAUSES} filters", pointer)
    return tuple(_condition(item, f"{pointer}/{index}", depth) for index, item in enumerate(value))


def _condition(value: object, pointer: str, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise _error(f"filters are nested more than {_DEEPEST} deep", pointer)
    if not isinstance(value, list) or not value:
        raise _error("give a list that starts with an operator", pointer)
    operator = value[0]
    if not isinstance(operator, str) or operator not in _OPERATORS:
        raise QueryError(
            f"{quoted(operator)} is not a supported operator; supported: {', '.join(_OPERATORS)}",
            f"{pointer}/0",
        )
    if operator == _NOT or operator in list(Connective):
        if len(value) != 2:
            raise _error(f"{operator} takes one argument", pointer)
        if operator == _NOT:
            return Negated(_condition(value[1], f"{pointer}/1", depth + 1))
        return Joined(Connective(operator), _conditions(value[1], f"{pointer}/1", depth + 1))
    return _filter(Operator(operator), value, pointer)


def _filter(operator: Operator, value: list[object], pointer: str) -> Filter:
    if len(value) not in (3, 4):
        raise _error("give [operator, dimension, clauses] or these and modifiers", pointer)
    name = value[1]
    found = dimensions.find(name) if isinstance(name, str) else None
    if found is None:
        raise QueryError(
            f"{quoted(name)} is not a supported dimension; supported: {', '.join(dimensions.NAMES)}",
            f"{pointer}/1",
        )
    if found.kind is Kind.TIME:
        raise _error("time dimensions cannot be filtered; set date_range", f"{pointer}/1")
    _check_text(found.name, f"{pointer}/1")
    modifiers = value[3] if len(value) == 4 else {}
    return Filter(operator, found.name, _clauses(value[2], f"{pointer}/2"), _case(modifiers, f"{pointer}/3"))


def _clauses(value: object, pointer: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_CLAUSES:
        raise _error(f"give a list of 1 to {_MOST_CLAUSES} texts", pointer)
    return tuple(_check_text(item, f"{pointer}/{index}") for index, item in enumerate(value))


def _check_text(value: object, pointer: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_CLAUSE:
        raise _error(f"give a text of at most {_LONGEST_CLAUSE} characters", pointer)
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _error("the text holds a character no store can keep", pointer)
    return value


def _case(value: object, pointer: str) -> bool:
    if not isinstance(value, dict) or not {"case_sensitive"}.issuperset(value):
        raise _error('the only modifier is {"case_sensitive": true or false}', pointer)
    is_sensitive = value.get("case_sensitive", True)
    if not isinstance(is_sensitive, bool):
        raise _error("give true or false", f"{pointer}/case_sensitive")
    return is_sensitive


def _error(message: str, pointer: str) -> QueryError:
    return QueryError(message, pointer)
