"""Read what is stored as it is, whatever type somebody gave it behind the program's back (SQLite takes any)."""

from __future__ import annotations

from sqlalchemy import Column, Label, LargeBinary, Text, cast


def raw(column: Column[bytes]) -> Label[bytes]:
    """Read a column's bytes under its own name."""
    return cast(column, LargeBinary).label(column.name)


def written(column: Column[object]) -> Label[str]:
    """Read a column as the text that it is written as, under its own name."""
    return cast(column, Text).label(column.name)
