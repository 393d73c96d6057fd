"""Open the main database, SQLite or PostgreSQL, with the settings its promises rest on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

# A statement of this service takes milliseconds; one that takes longer is stuck.
STATEMENT_TIMEOUT_MS = 15_000
BUSY_TIMEOUT_MS = 15_000


def make_engine(url: str | URL) -> Engine:
    """Make an engine whose commits survive a power cut (SQLite: WAL with synchronous=FULL)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_engine(
        parsed,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        pool_timeout=5,
        # Parameters are personal data; errors go to the log.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=8000 -c timezone=UTC",
        },
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=16,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        # The driver must not begin transactions on its own: "begin" below does.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # Erased rows must not stay readable in free pages.
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write takes the lock at once, instead of failing half-way through.
        immediate = connection.get_execution_options().get("consent_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def is_sqlite(engine: Engine) -> bool:
    """Tell whether the main database is the embedded one."""
    return engine.dialect.name == "sqlite"
