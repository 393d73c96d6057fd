"""Find the token a browser holds for a hosted page: in the site's own cookie, or in a session of ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Request, Response

from consent_service.consent.cookies import cookie_name, read_token
from consent_service.consent.tokens import (
    LEEWAY,
    BadToken,
    ExpiredToken,
    Seal,
    Token,
    TokenError,
)
from consent_service.services import services
from consent_service.sites.registry import Site

SALT: Final = "consent-my-session/v1"
SESSION_LIFE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Held:
    """Hold a visitor's token as the browser sent it, and what it says; it may have expired."""

    text: str
    token: Token


def open_held(site: Site, text: str | None, now: datetime) -> Held | None:
    """Give what a token of this site says, expired or not; None when it is missing, forged or another site's."""
    if not text:
        return None
    try:
        token = services().signer.open(text, now)
    except ExpiredToken as expired:
        token = expired.token
    except TokenError:
        return None
    return Held(text, token) if token.site_key == site.key else None


def find_held(request: Request, site: Site, *, is_own: bool, now: datetime) -> Held | None:
    """Give what the browser holds: the cookie of the site's own origin before the session.

    A refusal's cookie names nobody; after a withdrawal the session still shows for ten minutes what became of it.
    """
    cookie = open_held(site, read_token(request, site, None), now) if is_own else None
    if cookie is not None and cookie.token.receipt_id is not None:
        return cookie
    return open_held(site, _read_session(request, site, now), now) or cookie


def begin_session(request: Request, response: Response, site: Site, text: str, now: datetime) -> None:
    """Let the browser hold a token for ten minutes, where scripts cannot read it."""
    name = session_name(request, site.key)
    response.set_cookie(
        name,
        _seal().sign([site.key, text], now),
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        secure=name.startswith("__Host-"),
        httponly=True,
        samesite="Lax",
    )


def end_session(request: Request, response: Response, site: Site) -> None:
    """Let the browser forget the session, if it has one."""
    name = session_name(request, site.key)
    if name not in request.cookies:
        return
    response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Lax")


def session_name(request: Request, site_key: str) -> str:
    """Name the session's cookie, prefixed as the token's own is."""
    return cookie_name(request, f"my-{site_key}")


def _read_session(request: Request, site: Site, now: datetime) -> str | None:
    try:
        payload, begun_at = _seal().open(request.cookies.get(session_name(request, site.key), ""))
    except BadToken:
        return None
    if not now - SESSION_LIFE <= begun_at <= now + LEEWAY:
        return None
    match payload:
        case [site.key, str(text)]:
            return text
    return None


def _seal() -> Seal:
    return Seal([key.value for key in services().config.secret_keys], SALT)
