"""Set the visitor's cookies where the service answers on the site's own origin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Request, Response

from consent_service.consent.tokens import TokenError, TokenSigner
from consent_service.fields import is_loopback


def cookie_name(request: Request, site_key: str) -> str:
    """Name the cookie of a site's token: `__Host-` everywhere but on plain-http loopback, which cannot set it."""
    return f"consent-{site_key}" if _is_plain_loopback(request) else f"__Host-consent-{site_key}"


def read_token(request: Request, site_key: str, in_body: str | None) -> str | None:
    """Find the visitor's token: cookie first, then Bearer, then the body."""
    cookie = request.cookies.get(cookie_name(request, site_key))
    if cookie:
        return cookie
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    return in_body or None


def set_cookies(
    request: Request,
    response: Response,
    site_key: str,
    answer: dict[str, Any],
    signer: TokenSigner,
    now: datetime,
) -> None:
    """Set the token's cookie and its id-free readable mirror, when the page is of this very origin.

    The mirror is `version.bits.day.flags`; scripts read it, the server never trusts it.
    """
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return
    try:
        token = signer.open(answer["token"], now)
    except TokenError:
        return
    is_secure = not _is_plain_loopback(request)
    day = token.issued_at.date().isoformat()
    mirror = f"{token.policy_version}.{token.purpose_bits}.{day}.{int(token.is_under_signal)}"
    shared: dict[str, Any] = {"max_age": 395 * 86_400, "path": "/", "secure": is_secure, "samesite": "Lax"}
    response.set_cookie(cookie_name(request, site_key), answer["token"], httponly=True, **shared)
    response.set_cookie(f"consent-{site_key}-mirror", mirror, **shared)


def _is_plain_loopback(request: Request) -> bool:
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    return request.scheme == "http" and is_loopback(host)
