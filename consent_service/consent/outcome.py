"""Carry what a form did to the page that says it: two words and a day, signed, so that no link can claim it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from flask import request

from consent_service.consent.tokens import BadToken, Seal, cut_to_day
from consent_service.services import services
from consent_service.sites.registry import Site

ARGUMENT: Final = "saved"
_SALT: Final = "consent-outcome/v1"
_LIFE: Final = timedelta(days=2)
_GRANT, _REFUSAL = "grant", "refusal"


def write_outcome(site: Site, now: datetime, *, is_refusal: bool) -> str:
    """Give the value of `?saved=`: the same bytes for all who chose this at a site on one day (UTC)."""
    return _seal().sign([site.key, _REFUSAL if is_refusal else _GRANT], cut_to_day(now))


def read_refusal(site: Site, now: datetime) -> date | None:
    """Give the day on which the refusal was recorded that this page was asked to tell of."""
    return _read(site, now, _REFUSAL)


def read_grant(site: Site, now: datetime) -> date | None:
    """Give the day on which the grant was recorded that this page was asked to tell of."""
    return _read(site, now, _GRANT)


def _read(site: Site, now: datetime, kind: str) -> date | None:
    try:
        payload, day = _seal().open(request.args.get(ARGUMENT, ""))
    except BadToken:
        return None
    return day.date() if payload == [site.key, kind] and now - _LIFE < day <= now else None


def _seal() -> Seal:
    return Seal([key.value for key in services().config.secret_keys], _SALT)
