"""Make and check API tokens: shown once, stored as a hash, bound to a site and to scopes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from consent_service.db.audit import note
from consent_service.db.tables import api_token
from consent_service.errors import Forbidden, Invalid, Unauthenticated
from consent_service.ids import new_id

TOKEN_PREFIX = "cs_"


class Scope(StrEnum):
    """Name what an API token may do."""

    STATS_READ = "stats:read"
    CONSENT_READ = "consent:read"
    EVENTS_EXPORT = "events:export"
    ADMIN = "admin"


class TokenState(StrEnum):
    """Name what has become of an API token."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


# Raw events have no small cells to hide, and administering is nobody's public business.
PUBLIC_SCOPES: Final = (Scope.STATS_READ, Scope.CONSENT_READ)
# Fewer than this could be told apart, so public tokens and roles below analyst do not see them.
SMALLEST_CELL: Final = 10
# So exact that a forgotten token is known by it; a write for every question would be too many.
_USE_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Access:
    """Hold what a checked API token allows; `is_public` ones never see small cells."""

    token_id: str
    site_id: int
    scopes: frozenset[str]
    is_public: bool
    used_at: datetime | None


def create_token(
    connection: Connection,
    *,
    site_id: int,
    scopes: Sequence[Scope],
    is_public: bool,
    expires_days: int | None,
    actor: str,
    now: datetime,
) -> tuple[str, str]:
    """Make a token; gives its id and its text, which exists nowhere else afterwards.

    Raises Invalid for a public token with a scope that public tokens are refused.
    """
    if is_public and not set(scopes) <= set(PUBLIC_SCOPES):
        raise Invalid([("/public", f"a public token can have the scopes {' and '.join(PUBLIC_SCOPES)} alone")])
    token_id, text = new_id(), TOKEN_PREFIX + token_urlsafe(32)
    connection.execute(
        insert(api_token).values(
            token_id=token_id,
            site_id=site_id,
            token_hash=hash_secret(text),
            scopes=[str(scope) for scope in scopes],
            is_public=is_public,
            created_by=actor,
            created_at=now,
            expires_at=None if expires_days is None else now + timedelta(days=expires_days),
        )
    )
    detail = {"scopes": [str(scope) for scope in scopes], "public": is_public}
    note(
        connection,
        at=now,
        actor=actor,
        action="token.create",
        subject=token_id,
        site_id=site_id,
        detail=detail,
    )
    return token_id, text


def revoke_token(connection: Connection, token_id: str, *, actor: str, now: datetime) -> bool:
    """End a token at once; False when there is no such token that still holds."""
    site_id = connection.execute(
        update(api_token)
        .where(api_token.c.token_id == token_id, api_token.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_token.c.site_id)
    ).scalar_one_or_none()
    if site_id is not None:
        note(connection, at=now, actor=actor, action="token.revoke", subject=token_id, site_id=site_id)
    return site_id is not None


def list_tokens(connection: Connection, site_id: int | None = None) -> list[dict[str, Any]]:
    """Give every token without its text, the newest first."""
    statement = select(api_token).order_by(api_token.c.created_at.desc())
    if site_id is not None:
        statement = statement.where(api_token.c.site_id == site_id)
    return [dict(row._mapping) for row in connection.execute(statement)]


def check_token(connection: Connection, header: str | None, scope: Scope, now: datetime) -> Access:
    """Give what the token of an Authorization header allows.

    Raises Unauthenticated without a token that holds, Forbidden when it lacks the scope.
    """
    kind, _, text = (header or "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise Unauthenticated("send an API token: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"})
    row = connection.execute(select(api_token).where(api_token.c.token_hash == hash_secret(text.strip()))).one_or_none()
    if row is None or token_state(row.revoked_at, row.expires_at, now) is not TokenState.VALID:
        raise Unauthenticated("the API token does not hold", headers={"WWW-Authenticate": "Bearer"})
    if row.is_public and scope not in PUBLIC_SCOPES:
        raise Forbidden(f"a public API token cannot have the scope {scope}")
    if scope not in row.scopes:
        raise Forbidden(f"the API token lacks the scope {scope}")
    return Access(row.token_id, row.site_id, frozenset(row.scopes), row.is_public, row.used_at)


def token_state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> TokenState:
    """Tell whether a token holds at a time; a revoked one stays revoked after its end."""
    if revoked_at is not None:
        return TokenState.REVOKED
    return TokenState.EXPIRED if expires_at is not None and expires_at <= now else TokenState.VALID


def is_use_noted(access: Access, now: datetime) -> bool:
    """Tell whether a token's last use was written down less than a minute ago."""
    return access.used_at is not None and now - access.used_at < _USE_NOTED_EVERY


def note_use(connection: Connection, access: Access, now: datetime) -> None:
    """Write down that a token is in use."""
    connection.execute(update(api_token).where(api_token.c.token_id == access.token_id).values(used_at=now))


def hide_small(count: int) -> int | None:
    """Give a count as public tokens see it: None where it is about so few that they could be told apart."""
    return None if 0 < count < SMALLEST_CELL else count


def hash_secret(text: str) -> str:
    """Give what is stored of a secret that is itself random: its SHA-256, as hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
