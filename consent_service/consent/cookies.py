"""Keep the visitor's choice in cookies where the service answers on the site's own origin."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Request, Response
from werkzeug.http import dump_cookie

from consent_service.consent.publication import PolicyVersion, Publication
from consent_service.consent.tokens import ExpiredToken, Token, TokenError
from consent_service.fields import is_loopback
from consent_service.services import services
from consent_service.sites.registry import Site

_DAY: Final = 86_400
# Browsers cut what is longer to this (RFC 6265bis, section 5.5).
_LONGEST_DAYS: Final = 400


def cookie_name(request: Request, name: str) -> str:
    """Name a cookie of one host: `__Host-` everywhere but on plain-http loopback, which cannot set it."""
    return f"consent-{name}" if _is_plain_loopback(request) else f"__Host-consent-{name}"


def shared_cookie_name(site_key: str) -> str:
    """Name the cookie that the hosts under a site's domain share; `__Host-` is for one host alone."""
    return f"__Secure-consent-{site_key}"


def mirror_name(site_key: str) -> str:
    """Name the cookie that scripts read: what the choice was and when, and nothing of who made it."""
    return f"consent-{site_key}-mirror"


def read_token(request: Request, site: Site, in_body: str | None) -> str | None:
    """Find the visitor's token: cookie first, then Bearer, then the body; of two cookies the stricter choice."""
    return next(iter(read_tokens(request, site, in_body)), None)


def read_tokens(request: Request, site: Site, in_body: str | None) -> list[str]:
    """Give the tokens that count, the strictest choice first: more than one where two cookies meet.

    The shared cookie counts only where the site shares: any host under the domain could set one.
    """
    names = [cookie_name(request, site.key)]
    if site.settings.share_subdomains:
        names.append(shared_cookie_name(site.key))
    found = _cookies(request, names)
    if len(found) > 1:
        judged = sorted((strictness, text) for text in found if (strictness := _strictness(text, site)) is not None)
        return [text for _, text in judged] or found[:1]
    if found:
        return found
    sent = _bearer(request) or in_body
    return [sent] if sent else []


def read_every_token(request: Request, site: Site, in_body: str | None) -> list[str]:
    """Give all tokens that came with a request, those too that do not count."""
    found = _cookies(request, [cookie_name(request, site.key), shared_cookie_name(site.key)])
    return list(dict.fromkeys([*found, *filter(None, (_bearer(request), in_body))]))


def set_cookies(request: Request, response: Response, publication: Publication, text: str) -> None:
    """Set the token's cookie and its id-free readable mirror, when the page is of this very origin.

    The mirror is `version.ids.day.signal`, the granted purposes joined by `~`; scripts read it, the server never
    trusts it. The day is the one from which the choice's days are counted. Cookies of the other kind are taken away.
    """
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return
    try:
        token = services().signer.open(text, services().now())
    except TokenError:
        return
    site, term = publication.site, _term(token, publication)
    if term is None:
        return
    begun_on, seconds = term
    mirror = _mirror(token, _version(token, publication), begun_on)
    own, shared = cookie_name(request, site.key), shared_cookie_name(site.key)
    is_shared = _may_share(request, site)
    domain, other_domain = (site.settings.domain, None) if is_shared else (None, site.settings.domain)
    name, other = (shared, own) if is_shared else (own, shared)
    kept = {"secure": not _is_plain_loopback(request), "max_age": seconds, "domain": domain}
    gone = {**kept, "max_age": 0, "domain": other_domain}
    # First what goes: some browsers take a host's own cookie and its domain's for one and the same.
    if other in request.cookies:
        _add(response, other, "", httponly=True, **gone)
        _add(response, mirror_name(site.key), "", httponly=False, **gone)
    _add(response, name, text, httponly=True, **kept)
    _add(response, mirror_name(site.key), mirror, httponly=False, **kept)


def _add(response: Response, name: str, value: str, **attributes: Any) -> None:
    # Without an end to the second, which would tell two who refuse on one day apart.
    cookie = dump_cookie(name, value, samesite="Lax", sync_expires=False, **attributes)
    response.headers.add("Set-Cookie", cookie)


def _term(token: Token, publication: Publication) -> tuple[date, int] | None:
    """Give the day from which a choice's days are counted, and the seconds its cookie has to live.

    None for a grant that stands no more: the answer given again to a late request must not bring it back.
    """
    policy = _version(token, publication).policy
    if token.receipt_id is None:
        return token.issued_at.date(), min(policy.refusal_days, _LONGEST_DAYS) * _DAY
    state = services().receipts.state(token.receipt_id)
    if state is None or not state.purposes:
        return None
    # A purpose kept when another was withdrawn keeps its own end; the token is new and does not know it.
    left = int((state.expires_at - services().now()).total_seconds())
    begun_at = state.expires_at - timedelta(days=policy.valid_days)
    return begun_at.date(), max(0, min(left, _LONGEST_DAYS * _DAY))


def _version(token: Token, publication: Publication) -> PolicyVersion:
    return publication.versions.get(token.policy_version, publication.current)


def _mirror(token: Token, version: PolicyVersion, begun_on: date) -> str:
    ids = [purpose.id for position, purpose in enumerate(version.policy.purposes) if token.purpose_bits >> position & 1]
    return f"{token.policy_version}.{'~'.join(ids)}.{begun_on.isoformat()}.{int(token.is_under_signal)}"


def _strictness(text: str, site: Site) -> int | None:
    """Order choices by the number of purposes granted, none for a refusal; None for what is no token of the site."""
    try:
        token = services().signer.open(text, services().now())
    except ExpiredToken as expired:
        token = expired.token
    except TokenError:
        return None
    return token.purpose_bits.bit_count() if token.site_key == site.key else None


def _cookies(request: Request, names: list[str]) -> list[str]:
    return list(dict.fromkeys(value for name in names if (value := request.cookies.get(name))))


def _bearer(request: Request) -> str | None:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() or None if kind.lower() == "bearer" else None


def _may_share(request: Request, site: Site) -> bool:
    """Tell whether the cookie may be for all hosts under the site's domain: it asks so, and this is one of them."""
    if not site.settings.share_subdomains or _is_plain_loopback(request):
        return False
    host, domain = _host(request), site.settings.domain
    return host == domain or host.endswith(f".{domain}")


def _is_plain_loopback(request: Request) -> bool:
    return request.scheme == "http" and is_loopback(_host(request))


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""
