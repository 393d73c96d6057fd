"""Remember who is logged in: a random value in the browser, its hash here, for a working day at most."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from consent_service.console.people import User, find_by_id
from consent_service.db.audit import note
from consent_service.db.tables import login
from consent_service.db.writer import Writer
from consent_service.sites.access import hash_secret

LONGEST: Final = timedelta(hours=12)
LONGEST_IDLE: Final = timedelta(minutes=30)
# Noting every request would write on every read; a minute is exact enough for half an hour.
NOTE_EVERY: Final = timedelta(minutes=1)


def begin_login(connection: Connection, person: User, now: datetime) -> str:
    """Log a person in; gives the new value for the cookie, 256 random bits that are stored nowhere."""
    value = token_urlsafe(32)
    ended = or_(login.c.created_at <= now - LONGEST, login.c.seen_at <= now - LONGEST_IDLE)
    connection.execute(delete(login).where(ended))
    connection.execute(
        insert(login).values(login_hash=hash_secret(value), user_id=person.user_id, created_at=now, seen_at=now)
    )
    note(connection, at=now, actor=person.email, action="user.login", subject=person.email)
    return value


def find_login(engine: Engine, writer: Writer, value: str, now: datetime) -> User | None:
    """Give who is logged in with a cookie's value, and note that they were seen; None when nobody (any more)."""
    digest = hash_secret(value)
    with engine.connect() as connection:
        row = connection.execute(select(login).where(login.c.login_hash == digest)).one_or_none()
        if row is None or row.created_at <= now - LONGEST or row.seen_at <= now - LONGEST_IDLE:
            return None
        person = find_by_id(connection, row.user_id)
    if row.seen_at <= now - NOTE_EVERY:
        writer.run(lambda it: it.execute(update(login).where(login.c.login_hash == digest).values(seen_at=now)))
    return person


def end_login(connection: Connection, value: str) -> None:
    """Log out: the cookie's value is worth nothing from now on."""
    connection.execute(delete(login).where(login.c.login_hash == hash_secret(value)))
