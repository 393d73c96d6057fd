"""Administer the API tokens of a site over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from consent_service.console.admin_access import Administrator, read_strict, require_admin, write
from consent_service.db.tables import api_token
from consent_service.errors import Forbidden, Invalid, NotFound
from consent_service.services import services
from consent_service.sites.access import Scope, TokenState, create_token, list_tokens, revoke_token, token_state
from consent_service.sites.registry import Site
from consent_service.times import timestamp
from consent_service.web import json_response, parse_model

bp = Blueprint("tokens", __name__)


class TokenRequest(BaseModel):
    """Hold the body of `POST /api/v1/tokens`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=len(Scope))]
    public: bool = False
    expires_days: Annotated[int, Field(ge=1, le=3650)] | None = None


@bp.get("/tokens")
def get_tokens() -> Response:
    """List the site's tokens, the newest first; their texts exist nowhere any more."""
    admin = require_admin()
    now = services().now()
    with services().engine.connect() as connection:
        rows = list_tokens(connection, admin.access.site_id)
    return json_response({"tokens": [_row(row, admin.site, now) for row in rows]})


@bp.post("/tokens")
def post_token() -> Response:
    """Make a token for the site; its text is in this answer and never again."""
    admin = require_admin()
    _, document = read_strict()
    wish = parse_model(TokenRequest, document)
    scopes = tuple(dict.fromkeys(wish.scopes))
    made = write(
        lambda connection, now: make_token(
            connection,
            admin,
            admin.site,
            scopes,
            is_public=wish.public,
            expires_days=wish.expires_days,
            now=now,
        )
    )
    return json_response(made, 201)


@bp.delete("/tokens/<token_id>")
def delete_token(token_id: str) -> Response:
    """End a token of the site at once, this one too."""
    admin = require_admin()

    def work(connection: Connection, now: datetime) -> bool:
        own = {row["token_id"] for row in list_tokens(connection, admin.access.site_id)}
        return token_id in own and revoke_token(connection, token_id, actor=admin.actor, now=now)

    if not write(work):
        raise NotFound("this site has no token of this id that still holds")
    return json_response({"id": token_id, "revoked": True})


def make_token(
    connection: Connection,
    admin: Administrator,
    site: Site,
    scopes: Sequence[Scope],
    *,
    is_public: bool,
    expires_days: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Make a token that does not outlive the token that asks.

    Raises Invalid when it would, Forbidden when the asking one ends within a day.
    """
    ends_at = connection.execute(
        select(api_token.c.expires_at).where(api_token.c.token_id == admin.access.token_id)
    ).scalar_one()
    if ends_at is not None:
        most = (ends_at - now).days
        if most < 1:
            raise Forbidden("a token that ends within a day makes no others")
        if expires_days is not None and expires_days > most:
            raise Invalid([("/expires_days", f"must be {most} at most: this token ends then")])
        expires_days = expires_days or most
    token_id, text = create_token(
        connection,
        site_id=site.site_id,
        scopes=scopes,
        is_public=is_public,
        expires_days=expires_days,
        actor=admin.actor,
        now=now,
    )
    return {"id": token_id, "token": text, "scopes": [str(scope) for scope in scopes], "site": site.key}


def _row(row: dict[str, Any], site: Site, now: datetime) -> dict[str, Any]:
    return {
        "id": row["token_id"],
        "site": site.key,
        "scopes": row["scopes"],
        "public": row["is_public"],
        "created_by": row["created_by"],
        "created_at": timestamp(row["created_at"]),
        "expires_at": None if row["expires_at"] is None else timestamp(row["expires_at"]),
        "revoked_at": None if row["revoked_at"] is None else timestamp(row["revoked_at"]),
        "is_valid": token_state(row["revoked_at"], row["expires_at"], now) is TokenState.VALID,
    }
