"""Administer over HTTP who sees a site in the console, and read what was done to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, or_, select

from consent_service.console.admin_access import Administrator, read_strict, require_admin, write
from consent_service.console.people import Role, User, add_user, link_url, list_users, normal_email, reset_user
from consent_service.db.tables import audit
from consent_service.errors import Forbidden, Invalid, NotFound
from consent_service.services import services
from consent_service.times import timestamp
from consent_service.web import json_response, parse_model

bp = Blueprint("people", __name__)

PAGE: Final = 100
_HIGHEST_CURSOR: Final = 2**63 - 1


class UserRequest(BaseModel):
    """Hold the body of `POST /api/v1/users`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    email: Annotated[str, Field(min_length=3, max_length=254)]
    role: Annotated[Role, Field(strict=False)]


@bp.get("/users")
def get_users() -> Response:
    """List the people who see the site, administrators of the whole deployment left out."""
    admin = require_admin()
    with services().engine.connect() as connection:
        people = _people(connection, admin)
    return json_response({"users": [_row(person, admin) for person in people]})


@bp.post("/users")
def post_user() -> Response:
    """Let someone see the site; the answer holds the one-time link with which they choose a password."""
    admin = require_admin()
    _, document = read_strict()
    wish = parse_model(UserRequest, document)
    if wish.role is Role.ADMIN:
        raise Forbidden("an administrator sees every site; make one on the command line")
    person, link = write(
        lambda connection, now: add_user(
            connection, wish.email, wish.role, [admin.access.site_id], actor=admin.actor, now=now
        )
    )
    return json_response({**_row(person, admin), "setup_url": link_url(services().config.public_url, link)}, 201)


@bp.post("/users/<email>/reset")
def post_reset(email: str) -> Response:
    """Take someone's password and logins away; the answer holds the one-time link for a new password."""
    admin = require_admin()

    def work(connection: Connection, now: datetime) -> tuple[User, str]:
        person = _find(connection, admin, email)
        return person, reset_user(connection, person.email, actor=admin.actor, now=now)

    person, link = write(work)
    return json_response({"email": person.email, "setup_url": link_url(services().config.public_url, link)})


@bp.get("/audit")
def get_audit() -> Response:
    """List what was done to the site, and what this token did, the newest first."""
    admin = require_admin()
    named = request.args.get("site")
    cursor = _read_cursor(request.args.get("cursor"))
    statement = (
        select(audit)
        .where(or_(audit.c.site_id == admin.access.site_id, audit.c.actor == admin.actor))
        .order_by(audit.c.audit_id.desc())
        .limit(PAGE + 1)
    )
    if cursor is not None:
        statement = statement.where(audit.c.audit_id < cursor)
    with services().engine.connect() as connection:
        if named:
            own = admin.own(connection, named)
            statement = statement.where(audit.c.site_id == own.site_id)
        rows = connection.execute(statement).all()
    entries = [
        {
            "id": row.audit_id,
            "at": timestamp(row.at),
            "actor": row.actor,
            "action": row.action,
            "site": admin.site.key if row.site_id == admin.access.site_id else None,
            "subject": row.subject,
            "detail": row.detail,
        }
        for row in rows[:PAGE]
    ]
    following = str(entries[-1]["id"]) if len(rows) > PAGE else None
    return json_response({"entries": entries, "cursor": following})


def _people(connection: Connection, admin: Administrator) -> list[User]:
    return [person for person in list_users(connection) if person.role is not Role.ADMIN and person.sees(admin.site)]


def _find(connection: Connection, admin: Administrator, email: str) -> User:
    wanted = normal_email(email)
    for person in _people(connection, admin):
        if person.email == wanted:
            if person.site_ids != {admin.site.site_id}:
                raise Forbidden("this person sees other sites too; reset them on the command line")
            return person
    raise NotFound("this site has no user of this address")


def _read_cursor(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= _HIGHEST_CURSOR):
        raise Invalid([("/cursor", "is none that this service gave")])
    return int(text)


def _row(person: User, admin: Administrator) -> dict[str, Any]:
    return {
        "email": person.email,
        "role": person.role.value,
        # Which other sites someone sees is not this token's business.
        "sites": [admin.site.key],
        "has_password": person.has_password,
        "created_at": timestamp(person.created_at),
    }
