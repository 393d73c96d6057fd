"""Tell which schema a main database has, and which one this program wants."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Engine, inspect, text

from consent_service.resources import data_dir

# As Alembic reads them; it takes ten times as long to load as a command that only asks.
_REVISION = re.compile(r'^(down_)?revision(?:: [^=]+)? = (?:"([^"]+)"|None)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Tell which revision a database has and which one this program wants.

    `is_known` is false when the database was made by a newer program.
    """

    current: str | None
    head: str
    is_known: bool

    @property
    def is_current(self) -> bool:
        """Tell whether the database is at this program's newest revision."""
        return self.current == self.head


def state(engine: Engine) -> SchemaState:
    """Read the database's revision without changing anything."""
    known, replaced = _revisions()
    (head,) = known - replaced
    with engine.connect() as connection:
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return SchemaState(current, head, current is None or current in known)


def _revisions() -> tuple[set[str], set[str]]:
    """Give the names of all revisions, and of those that another one follows."""
    names: set[str] = set()
    replaced: set[str] = set()
    for path in (data_dir("migrations") / "versions").glob("*.py"):
        for is_down, name in _REVISION.findall(path.read_text("utf-8")):
            if name:
                (replaced if is_down else names).add(name)
    return names, replaced
