"""Compile SQLAlchemy statements for DuckDB, and hold the few fragments each engine spells its own way.

SQLAlchemy only writes the text here; the engine's own cursor runs it. Each fragment has one `@compiles` function for
DuckDB and one for ClickHouse, whose dialect comes with its client (events/clickhouse_dialect.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import BigInteger, Boolean, ColumnElement, DateTime, Text, bindparam
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.functions import FunctionElement


class DuckDBDialect(PGDialect):
    """Write DuckDB's SQL, which is PostgreSQL's but for the fragments below."""

    name = "duckdb"
    supports_statement_cache = True

    default_paramstyle = "numeric_dollar"


DIALECT: Final = DuckDBDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own constructor is untyped


def compile_statement(statement: ClauseElement) -> tuple[str, list[Any]]:
    """Write a statement as DuckDB's text and the values of `$1`, `$2`, … in order."""
    compiled = cast(SQLCompiler, statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True}))
    values = compiled.params
    return str(compiled), [values[name] for name in compiled.positiontup or ()]


class local_bucket(FunctionElement[datetime]):
    """Give the start of the hour, day, week (Monday) or month, as a wall-clock time of a time zone."""

    inherit_cache = True
    type = DateTime()

    def __init__(self, unit: str, column: ColumnElement[Any], zone: str) -> None:
        super().__init__(bindparam(None, unit, Text), bindparam(None, zone, Text), column)


@compiles(local_bucket, "duckdb")
def _duckdb_bucket(element: local_bucket, compiler: SQLCompiler, **kwargs: Any) -> str:
    unit, zone, column = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"date_trunc({unit}, timezone({zone}, {column}))"


@compiles(local_bucket, "clickhousedb")
def _clickhouse_bucket(element: local_bucket, compiler: SQLCompiler, **kwargs: Any) -> str:
    unit, zone, column = (compiler.process(clause, **kwargs) for clause in element.clauses)
    # The wall clock is written as if it were UTC: an hour that a zone repeats is one hour, as on the clock.
    wall = f"addSeconds({column}, timeZoneOffset(toTimeZone({column}, {zone})))"
    return f"toDateTime64(dateTrunc({unit}, {wall}, 'UTC'), 0, 'UTC')"


class first_by(FunctionElement[Any]):
    """Give the value of the row where the second expression is least (an aggregate)."""

    inherit_cache = True

    def __init__(self, value: ColumnElement[Any], by: ColumnElement[Any]) -> None:
        self.type = value.type
        super().__init__(value, by)


class last_by(FunctionElement[Any]):
    """Give the value of the row where the second expression is greatest (an aggregate)."""

    inherit_cache = True

    def __init__(self, value: ColumnElement[Any], by: ColumnElement[Any]) -> None:
        self.type = value.type
        super().__init__(value, by)


@compiles(first_by, "duckdb")
def _duckdb_first(element: first_by, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"arg_min({compiler.process(element.clauses, **kwargs)})"


@compiles(last_by, "duckdb")
def _duckdb_last(element: last_by, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"arg_max({compiler.process(element.clauses, **kwargs)})"


@compiles(first_by, "clickhousedb")
def _clickhouse_first(element: first_by, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"argMin({compiler.process(element.clauses, **kwargs)})"


@compiles(last_by, "clickhousedb")
def _clickhouse_last(element: last_by, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"argMax({compiler.process(element.clauses, **kwargs)})"


class microseconds_between(FunctionElement[int]):
    """Give the microseconds from the first time to the second."""

    inherit_cache = True
    type = BigInteger()


@compiles(microseconds_between, "duckdb")
def _duckdb_microseconds(element: microseconds_between, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"date_diff('microsecond', {compiler.process(element.clauses, **kwargs)})"


@compiles(microseconds_between, "clickhousedb")
def _clickhouse_microseconds(element: microseconds_between, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"dateDiff('microsecond', {compiler.process(element.clauses, **kwargs)})"


class lower_case(FunctionElement[str]):
    """Give a text in lower case, letters of every script included."""

    inherit_cache = True
    type = Text()


@compiles(lower_case, "duckdb")
def _duckdb_lower(element: lower_case, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kwargs)})"


@compiles(lower_case, "clickhousedb")
def _clickhouse_lower(element: lower_case, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"lowerUTF8({compiler.process(element.clauses, **kwargs)})"


class has_part(FunctionElement[bool]):
    """Tell whether the first text contains the second, letter for letter."""

    inherit_cache = True
    type = Boolean()


@compiles(has_part, "duckdb")
def _duckdb_contains(element: has_part, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"contains({compiler.process(element.clauses, **kwargs)})"


@compiles(has_part, "clickhousedb")
def _clickhouse_contains(element: has_part, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"(position({compiler.process(element.clauses, **kwargs)}) > 0)"


class map_value(FunctionElement[str]):
    """Give the text a map of texts holds under a key, or an empty text."""

    inherit_cache = True
    type = Text()

    def __init__(self, column: ColumnElement[Any], key: str) -> None:
        super().__init__(column, bindparam(None, key, Text))


@compiles(map_value, "duckdb")
def _duckdb_map_value(element: map_value, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"coalesce(map_extract_value({compiler.process(element.clauses, **kwargs)}), '')"


@compiles(map_value, "clickhousedb")
def _clickhouse_map_value(element: map_value, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, key = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"{column}[{key}]"
