"""Guard the console's requests: who is asking, from which page, with which form."""

from __future__ import annotations

import hashlib
import hmac
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlsplit

from flask import current_app, g, request
from werkzeug.wrappers import Response

from consent_service.console.logins import LONGEST, find_login
from consent_service.console.people import Role, User
from consent_service.errors import Forbidden, Invalid, NotFound
from consent_service.fields import is_loopback
from consent_service.services import services
from consent_service.sites.registry import Site

COOKIE: Final = "consent-console"
FORM_TOKEN: Final = "form_token"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser sends `Origin: null` with forms, and the origin could not be checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def add_headers(response: Response) -> Response:
    """Add the strict headers of console pages; assets keep their own caching."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def current_user() -> User | None:
    """Give who is logged in, None when nobody is."""
    if "console_user" not in g:
        parts, value = services(), request.cookies.get(cookie_name())
        g.console_user = find_login(parts.engine, parts.writer, value, parts.now()) if value else None
    found: User | None = g.console_user
    return found


def require_user(least: Role = Role.VIEWER) -> User:
    """Give who is logged in; raises NotLoggedIn, and Forbidden when the role is not enough."""
    person = current_user()
    if person is None:
        raise NotLoggedIn
    if not person.may(least):
        raise Forbidden(f"this page is for the role {least.label} and above")
    return person


def require_site(key: str, person: User) -> Site:
    """Give a site the person may see; one they may not see is as unknown as one that is not there (NotFound)."""
    site = services().sites.by_key(key)
    if site is None or not person.sees(site):
        raise NotFound("there is no such site, or it is not among yours")
    return site


class NotLoggedIn(Exception):
    """Tell that the page is for people who are logged in."""


class FormRefused(Exception):
    """Tell that a form did not come from a page of the console, or that the page was open for too long."""


def check_form() -> None:
    """Refuse a form that was not sent from the console's own page; raises FormRefused.

    Two independent checks: what the browser says of the sender, and a token that only the page could know.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise FormRefused
    origin = request.headers.get("Origin")
    if origin is not None and origin not in _own_origins():
        raise FormRefused
    value = request.cookies.get(cookie_name(), "")
    sent = request.form.get(FORM_TOKEN, "")
    if not value or not hmac.compare_digest(_token_of(value).encode(), sent.encode("utf-8", "surrogatepass")):
        raise FormRefused


def refuse_nul() -> None:
    """Refuse a NUL in what is asked or filled in, which no store can keep; raises Invalid."""
    for values in (request.args, request.form):
        for name, value in values.items(multi=True):
            if "\0" in name or "\0" in value:
                raise Invalid([(f"/{name}", "holds a NUL, which no text has")])


def form_token() -> str:
    """Give the token for a form on the page being made; a browser without a cookie gets one with the answer."""
    value = request.cookies.get(cookie_name())
    if not value:
        value = g.setdefault("console_new_cookie", token_urlsafe(32))
    return _token_of(value)


def remember_form(response: Response) -> Response:
    """Send the cookie that belongs to a form token made for a browser without one."""
    if "console_new_cookie" in g:
        set_cookie(response, g.console_new_cookie)
    return response


def set_cookie(response: Response, value: str) -> None:
    """Set the console's cookie; scripts cannot read it and other sites' requests do not carry it."""
    g.pop("console_new_cookie", None)
    response.set_cookie(
        cookie_name(),
        value,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=not _is_plain_loopback(),
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: Response) -> None:
    """Let the browser forget the cookie."""
    response.delete_cookie(cookie_name(), path="/", secure=not _is_plain_loopback(), httponly=True, samesite="Lax")


def cookie_name() -> str:
    """Name the cookie: `__Host-` everywhere but on plain-http loopback, where browsers refuse that."""
    return COOKIE if _is_plain_loopback() else f"__Host-{COOKIE}"


def is_transport_safe() -> bool:
    """Tell whether the browser will keep the cookie: over HTTPS, or from this very machine."""
    return _is_plain_loopback() or request.is_secure or services().config.public_url.startswith("https:")


def _is_plain_loopback() -> bool:
    return request.scheme == "http" and is_loopback(urlsplit(f"//{request.host}").hostname or "")


def _own_origins() -> tuple[str, str]:
    return request.host_url.rstrip("/"), services().config.public_url


def _token_of(value: str) -> str:
    key = hashlib.sha256(b"consent-service.console.form" + _secret()).digest()
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    secret = current_app.config["SECRET_KEY"]
    return secret if isinstance(secret, bytes) else str(secret).encode()
