"""Know who may use the console: people, their roles, the sites they see, and the links that let them in first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, delete, insert, select, update

from consent_service.db.audit import note
from consent_service.db.tables import login, user, user_site
from consent_service.errors import Conflict, Invalid, NotFound
from consent_service.fields import Email
from consent_service.ids import new_id
from consent_service.sites.access import hash_secret
from consent_service.sites.registry import Site

LINK_HOURS: Final = 24

_EMAIL: Final = TypeAdapter(Email)


class Role(StrEnum):
    """Name what a person may do; each role may do what the ones after it may."""

    ADMIN = "admin"
    PRIVACY_OFFICER = "privacy_officer"
    ANALYST = "analyst"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        """Give the role's name as people read it."""
        return self.value.replace("_", " ")

    def includes(self, least: Role) -> bool:
        """Tell whether this role may do what another may."""
        ranked = list(Role)
        return ranked.index(self) <= ranked.index(least)


class LinkKind(StrEnum):
    """Say what a one-time link does: let someone choose a password, or let them in once."""

    SETUP = "setup"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class User:
    """Hold one person; `site_ids` are the only sites they see; none listed means all, as it is for admins."""

    user_id: str
    email: str
    role: Role
    site_ids: frozenset[int]
    has_password: bool
    created_at: datetime

    def may(self, least: Role) -> bool:
        """Tell whether the person's role includes another."""
        return self.role.includes(least)

    def sees(self, site: Site) -> bool:
        """Tell whether the person may look at a site; whoever has none listed sees all."""
        return self.role is Role.ADMIN or not self.site_ids or site.site_id in self.site_ids


def visible_sites(person: User, sites: Iterable[Site]) -> list[Site]:
    """Give those of the sites that a person may look at, in their order."""
    return [site for site in sites if person.sees(site)]


def add_user(
    connection: Connection, email: str, role: Role, site_ids: Sequence[int], *, actor: str, now: datetime
) -> tuple[User, str]:
    """Add a person; gives them and the token of the link with which they choose a password.

    Raises Invalid for what is no e-mail address, Conflict when the address has a user.
    """
    address = _address(email)
    if find_by_email(connection, address) is not None:
        raise Conflict(f"there is a user {address} already; `user reset` makes a new link")
    user_id = new_id()
    connection.execute(
        insert(user).values(user_id=user_id, email=address, role=role.value, failed_logins=0, created_at=now)
    )
    listed = sorted(set(site_ids))
    if listed:
        connection.execute(insert(user_site), [{"user_id": user_id, "site_id": number} for number in listed])
    _note(connection, now, actor, "user.add", address, listed, {"role": role.value})
    token = _new_link(connection, user_id, LinkKind.SETUP, now)
    return User(user_id, address, role, frozenset(listed), False, now), token


def reset_user(connection: Connection, email: str, *, actor: str, now: datetime) -> str:
    """Take a person's password and logins away; gives the token of the link for a new password.

    Raises NotFound.
    """
    person = find_by_email(connection, email)
    if person is None:
        raise NotFound(f"there is no user {email}")
    connection.execute(update(user).where(user.c.user_id == person.user_id).values(password_hash=None))
    connection.execute(delete(login).where(login.c.user_id == person.user_id))
    _note(connection, now, actor, "user.reset", person.email, person.site_ids)
    return _new_link(connection, person.user_id, LinkKind.SETUP, now)


def one_time_login(connection: Connection, user_id: str, now: datetime) -> str:
    """Make the token of a link that lets a person in once, within 24 hours, without a password."""
    note(connection, at=now, actor="system", action="user.login_link", subject=user_id)
    return _new_link(connection, user_id, LinkKind.LOGIN, now)


def list_users(connection: Connection) -> list[User]:
    """Give everyone, the oldest first."""
    listed = select(user).order_by(user.c.created_at, user.c.user_id)
    numbers: dict[str, set[int]] = {}
    for user_id, site_id in connection.execute(select(user_site.c.user_id, user_site.c.site_id)):
        numbers.setdefault(user_id, set()).add(site_id)
    return [_user(row, numbers.get(row.user_id, set())) for row in connection.execute(listed)]


def find_by_email(connection: Connection, email: str) -> User | None:
    """Find a person by address, whatever its case."""
    return _find(connection, user.c.email == normal_email(email))


def find_by_id(connection: Connection, user_id: str) -> User | None:
    """Find a person by id."""
    return _find(connection, user.c.user_id == user_id)


def find_by_link(connection: Connection, token: str, now: datetime) -> tuple[User, LinkKind] | None:
    """Find whom a link is for and what it does; None when it is unknown, used or too old."""
    kind = _kind(token)
    if kind is None:
        return None
    person = _find(connection, _holds(token, now))
    return None if person is None else (person, kind)


def use_link(connection: Connection, token: str, kind: LinkKind, now: datetime) -> User | None:
    """Spend a link of a kind; gives whom it was for, None when it cannot be used (any more)."""
    found = find_by_link(connection, token, now)
    if found is None or found[1] is not kind:
        return None
    # Of two requests at once, one finds the row unchanged.
    spent = connection.execute(update(user).where(_holds(token, now)).values(setup_hash=None, setup_expires_at=None))
    return found[0] if spent.rowcount == 1 else None


def set_password(connection: Connection, token: str, password_hash: str, now: datetime) -> User | None:
    """Spend a setup link on a new password; None when the link cannot be used (any more)."""
    person = use_link(connection, token, LinkKind.SETUP, now)
    if person is None:
        return None
    connection.execute(
        update(user)
        .where(user.c.user_id == person.user_id)
        .values(password_hash=password_hash, failed_logins=0, locked_until=None)
    )
    connection.execute(delete(login).where(login.c.user_id == person.user_id))
    note(connection, at=now, actor=person.email, action="user.password", subject=person.email)
    return person


def link_url(public_url: str, token: str) -> str:
    """Give the address at which a one-time link's token is used."""
    return f"{public_url}/console/login/{token}"


def normal_email(email: str) -> str:
    """Write an address the one way it is stored in."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def _note(
    connection: Connection,
    now: datetime,
    actor: str,
    action: str,
    email: str,
    site_ids: Iterable[int],
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add the act to the audit trail of every site the person is listed at; of no site when they see all."""
    listed: list[int | None] = [*sorted(site_ids)]
    for site_id in listed or [None]:
        note(connection, at=now, actor=actor, action=action, subject=email, site_id=site_id, detail=detail)


def _address(email: str) -> str:
    try:
        return _EMAIL.validate_python(normal_email(email))
    except ValidationError:
        raise Invalid([("/email", "is not an e-mail address")]) from None


def _new_link(connection: Connection, user_id: str, kind: LinkKind, now: datetime) -> str:
    # The kind is part of what is hashed, so that it cannot be changed in the address.
    token = f"{kind.value}-{token_urlsafe(32)}"
    connection.execute(
        update(user)
        .where(user.c.user_id == user_id)
        .values(
            setup_hash=hash_secret(token),
            setup_expires_at=now + timedelta(hours=LINK_HOURS),
            failed_logins=0,
            locked_until=None,
        )
    )
    return token


def _kind(token: str) -> LinkKind | None:
    return next((kind for kind in LinkKind if token.startswith(f"{kind.value}-")), None)


def _holds(token: str, now: datetime) -> Any:
    return (user.c.setup_hash == hash_secret(token)) & (user.c.setup_expires_at > now)


def _find(connection: Connection, condition: Any) -> User | None:
    row = connection.execute(select(user).where(condition)).one_or_none()
    if row is None:
        return None
    listed = connection.execute(select(user_site.c.site_id).where(user_site.c.user_id == row.user_id)).scalars()
    return _user(row, set(listed))


def _user(row: Row[Any], site_ids: set[int]) -> User:
    return User(
        user_id=row.user_id,
        email=row.email,
        role=Role(row.role),
        site_ids=frozenset(site_ids),
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )
