"""Compile SQLAlchemy statements for ClickHouse, with values that the server binds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

DIALECT: Final = ClickHouseDialect(paramstyle="pyformat")

# Each kind of value with the type it is bound as; the first that fits holds (a bool is an int, a datetime a date).
_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "Bool"),
    (int, "Int64"),
    (float, "Float64"),
    (str, "String"),
    (UUID, "UUID"),
    (datetime, "DateTime64(6, 'UTC')"),
    (date, "Date"),
    (Decimal, "Decimal(38, 4)"),
)
_WRITERS: Final[dict[type, Callable[[Any], Any]]] = {
    # The client would cut off what is finer than a second.
    datetime: lambda value: value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    bool: lambda value: "true" if value else "false",
}


def compile_statement(statement: ClauseElement) -> tuple[str, list[Any]]:
    """Write a statement as ClickHouse's text and the values of `{p1:…}`, `{p2:…}`, … in order."""
    compiled = cast(SQLCompiler, statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True}))
    values = compiled.params
    # In this style the names stand as `%(name)s` and a percent sign that is meant is doubled.
    places = {name: f"{{p{number}:{type_of(values[name])}}}" for number, name in enumerate(values, 1)}
    return str(compiled) % places, list(values.values())


def type_of(value: Any) -> str:
    """Name the type that a value is bound as; raises TypeError for one that has none."""
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    if isinstance(value, list) and value:
        return f"Array({type_of(value[0])})"
    raise TypeError(f"a {type(value).__name__} cannot be bound")


def write_value(value: Any) -> Any:
    """Give a value as the client sends it without loss."""
    if isinstance(value, list):
        return [write_value(each) for each in value]
    return _WRITERS.get(type(value), lambda same: same)(value)
