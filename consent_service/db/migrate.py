"""Bring the main database to the newest schema."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from consent_service.resources import data_dir

# Any number will do, as long as every process of every deployment on this database uses the same one.
_ADVISORY_LOCK = 7_266_115_001


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate up; two that start together wait for each other (PostgreSQL: advisory lock)."""
    _run(engine, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate down to `revision` ("base" for an empty database)."""
    _run(engine, lambda config: command.downgrade(config, revision))


def _run(engine: Engine, act: Callable[[Config], None]) -> None:
    with engine.connect() as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            connection.execute(text("SET statement_timeout = 0"))
            connection.commit()
        try:
            act(_config(connection))
            connection.commit()
        finally:
            if is_postgresql:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
                connection.execute(text("RESET statement_timeout"))
                connection.commit()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_dir("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
