"""Check passwords, slowly and in the same time for everyone; close an account for a while after wrong ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from secrets import token_urlsafe
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, select, update

from consent_service.console.people import User, find_by_id, normal_email
from consent_service.db.tables import user
from consent_service.db.writer import Writer
from consent_service.errors import RateLimited

SHORTEST: Final = 12
LONGEST: Final = 1_000
FREE_FAILURES: Final = 5
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)

# Argon2id with the second recommended option of RFC 9106: 64 MiB, three passes.
_HASHER: Final = PasswordHasher()
# So many at once cost a process its memory and its cores; who comes while they run waits a moment, then comes again.
MOST_AT_ONCE: Final = 2
SLOTS: Final = threading.BoundedSemaphore(MOST_AT_ONCE)
SLOT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Hold whom an attempt is for and what to compare with; no user where it must fail whatever is typed."""

    user_id: str | None
    password_hash: str


def hash_password(password: str) -> str:
    """Give what is stored of a password (Argon2id); raises RateLimited while too many are being hashed."""
    with _slot():
        return _HASHER.hash(password)


def check_password(writer: Writer, email: str, password: str, now: datetime) -> User | None:
    """Give the person whose password this is, None for anything else: wrong, unknown, closed for a while.

    The attempt is counted before it is judged, so that many at once count as many. Raises RateLimited, and counts
    nothing, while too many are being judged.
    """
    with _slot():
        attempt = writer.run(lambda connection: _begin(connection, email, now))
        user_id, stored = attempt.user_id, attempt.password_hash
        if not _matches(stored, password[:LONGEST]) or user_id is None:
            return None
        # In the same slot: who waited for one and was right is not sent away.
        renewed = _HASHER.hash(password) if _HASHER.check_needs_rehash(stored) else None
    return writer.run(lambda connection: _succeed(connection, user_id, renewed))


def wait_after(failures: int) -> timedelta:
    """Give how long an account is closed after so many wrong passwords in a row."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES, 10)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))


def _begin(connection: Connection, email: str, now: datetime) -> _Attempt:
    row = connection.execute(select(user).where(user.c.email == normal_email(email)).with_for_update()).one_or_none()
    if row is None or row.password_hash is None:
        return _Attempt(None, _dummy_hash())
    if row.locked_until is not None and row.locked_until > now:
        return _Attempt(None, row.password_hash)
    failures = row.failed_logins + 1
    wait = wait_after(failures)
    connection.execute(
        update(user)
        .where(user.c.user_id == row.user_id)
        .values(failed_logins=failures, locked_until=now + wait if wait else None)
    )
    return _Attempt(row.user_id, row.password_hash)


def _succeed(connection: Connection, user_id: str, renewed_hash: str | None) -> User | None:
    values: dict[str, object] = {"failed_logins": 0, "locked_until": None}
    if renewed_hash is not None:
        values["password_hash"] = renewed_hash
    connection.execute(update(user).where(user.c.user_id == user_id).values(**values))
    return find_by_id(connection, user_id)


@contextmanager
def _slot() -> Iterator[None]:
    if not SLOTS.acquire(timeout=SLOT_SECONDS):
        raise RateLimited(retry_after=2)
    try:
        yield
    finally:
        SLOTS.release()


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    # Checking against it takes as long as against a real one, so that time does not tell who has an account.
    return _HASHER.hash(token_urlsafe(32))
