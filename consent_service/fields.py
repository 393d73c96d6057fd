"""Define the kinds of value that strict files hold, each with one sentence for a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from babel import Locale
from pydantic import AfterValidator, Field

EEA: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,8}")
_DOTTED_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+")


def _matching(pattern: str, message: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if value and not compiled.fullmatch(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _that(holds: Callable[[str], bool], message: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not holds(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _not_blank(value: str) -> str:
    if value and not value.strip():
        raise ValueError("must not be empty")
    return value


def _is_region(value: str) -> bool:
    return re.fullmatch("[A-Z]{2}(-[A-Z0-9]{1,3})?", value) is not None and value[:2] in country_codes()


@cache
def country_codes() -> frozenset[str]:
    """Give the two-letter country codes of ISO 3166, as CLDR lists them."""
    codes = {code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)}
    return frozenset(codes - _NO_COUNTRIES)


def is_host(value: str) -> bool:
    """Say whether a text is a host name in lower-case ASCII (punycode for others), or an IPv4 address."""
    return len(value) <= 253 and _HOST.fullmatch(value) is not None


def is_path_prefix(value: str) -> bool:
    """Say whether a text is a path such as /_consent: in ASCII, without a slash at the end, nothing to be escaped."""
    return _PREFIX.fullmatch(value) is not None


def is_loopback(host: str) -> bool:
    """Say whether a host, as written in a URL, can only be the machine itself (RFC 6761, RFC 1122)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_https_url(value: str) -> bool:
    """Say whether a text is an absolute https URL without credentials."""
    if re.search(r"[\s\\<>\"'`]", value):
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and "@" not in parts.netloc and port != 0 and is_host(parts.hostname or "")


def check_origin(value: str) -> str:
    """Pass an origin on exactly as browsers send it (RFC 6454); raises ValueError with the mend.

    https, or http where the host can only be the machine itself.
    """
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError("is not an origin such as https://www.example.org") from error
    literal = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}.get(parts.scheme)
    if default is None or not (is_host(host) or _is_ipv6(host)):
        raise ValueError("is not an origin such as https://www.example.org")
    exact = f"{parts.scheme}://{literal}" + ("" if port in (None, default) else f":{port}")
    if value != exact:
        raise ValueError(f"must be written {exact}, as browsers send it")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https; http is for loopback alone")
    return value


def _is_ipv6(host: str) -> bool:
    try:
        return ip_address(host).version == 6
    except ValueError:
        return False


def is_host_pattern(value: str) -> bool:
    """Say whether a text names a host of two labels or more, or with `*.` in front all hosts under it."""
    return len(value) <= 253 and _DOTTED_HOST.fullmatch(value.removeprefix("*.")) is not None


PathPrefix = Annotated[
    str,
    _that(is_path_prefix, "must be a path such as /_consent, without a slash at the end, or empty"),
]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_not_blank)]
Line = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_not_blank)]
Essay = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_not_blank)]
Identifier = Annotated[
    str,
    Field(min_length=1),
    _matching(r"[a-z][a-z0-9_-]{0,39}", "must be 1 to 40 of a-z, 0-9, - and _, beginning with a letter"),
]
Language = Annotated[
    str,
    Field(min_length=1),
    _matching(
        r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?",
        "is not a language tag such as fr or pt-BR",
    ),
]
Country = Annotated[
    str,
    Field(min_length=1),
    _that(lambda value: value in country_codes(), "is not a country code such as FR (ISO 3166)"),
]
Jurisdiction = Annotated[
    str,
    Field(min_length=1),
    _that(lambda value: value == "EU" or _is_region(value), "is not a jurisdiction such as FR, US-CA or EU"),
]
Region = Annotated[
    str,
    Field(min_length=1),
    _that(_is_region, "is not a country such as FR or a part of one such as US-CA (ISO 3166)"),
]
_EMAIL: Final = _matching(r"[^@\s<>\"']{1,64}@[^@\s<>\"']+\.[^@\s<>\"'.]{2,}", "is not an e-mail address")
Email = Annotated[str, Field(min_length=1, max_length=254), _EMAIL]
OptionalEmail = Annotated[str, Field(max_length=254), _EMAIL]
OptionalUrl = Annotated[str, Field(max_length=2000), _that(is_https_url, "must be an https URL, or empty")]
Host = Annotated[str, Field(min_length=1), _that(is_host, "is not a host name in lower case")]
HostPattern = Annotated[
    str, Field(min_length=1), _that(is_host_pattern, "is not a host such as stats.example or *.stats.example")
]
