"""Guard the forms of hosted pages: what the browser says of the sender, and a token that only the page could know."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlsplit

from flask import request

from consent_service.consent.held import Held
from consent_service.consent.tokens import LEEWAY, BadToken, Seal
from consent_service.services import services
from consent_service.sites.registry import Site

SALT: Final = "consent-form/v1"
LIFE: Final = timedelta(hours=12)
MAX_FORM: Final = 8 * 1024
FORM_TOKEN: Final = "form_token"


@dataclass(frozen=True, slots=True)
class Form:
    """Hold what a page's form was made with: the banner that was shown, and a word used in this form alone."""

    nonce: str
    policy_version: int
    banner_hash: str
    language: str

    def idempotency_key(self, answers: str) -> str:
        """Give the key under which these answers count once, however often the button is pressed."""
        return f"{self.nonce}-{_digest(answers)}"


def write_form_token(page: str, config: Mapping[str, Any], held: Held | None, now: datetime) -> str:
    """Give the token for a page's form under a banner config.

    Nothing is stored for it. It is bound to the token the browser holds, so that a page made for one browser, or
    before another choice, is worth nothing with another.
    """
    shown = [config["policy_version"], config["banner_hash"], config["language"]]
    return _seal().sign([page, config["site"], _trace(held), token_urlsafe(12), *shown], now)


def read_form_token(text: str, page: str, site: Site, held: Held | None, now: datetime) -> Form | None:
    """Give what a form was made with; None when it is not ours, too old, or of another page, site or browser."""
    try:
        payload, made_at = _seal().open(text)
    except BadToken:
        return None
    if not now - LIFE <= made_at <= now + LEEWAY:
        return None
    match payload:
        case [str(of_page), str(of_site), str(trace), str(nonce), int(version), str(banner_hash), str(language)]:
            if (of_page, of_site, trace) == (page, site.key, _trace(held)):
                return Form(nonce, version, banner_hash, language)
    return None


def is_own_host(site: Site) -> bool:
    """Tell whether the service answers on a host of the site itself."""
    return any(urlsplit(origin).netloc == request.host for origin in site.origins)


def is_own_page(site: Site) -> bool:
    """Tell whether a form was sent by a page that the service shows on a host of the site itself."""
    has_said = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    return has_said and is_from_this_host() and is_own_host(site)


def is_from_this_host() -> bool:
    """Tell whether a form was sent by a page of this host, as far as the browser says."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    # Not the scheme: a proxy may keep from us that the page came by https, and above the browser has judged it.
    return _host_of(origin) in (request.host, _host_of(services().config.public_url))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def _seal() -> Seal:
    return Seal([key.value for key in services().config.secret_keys], SALT)


def _trace(held: Held | None) -> str:
    return _digest(held.text) if held is not None else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
