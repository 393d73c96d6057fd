"""Tell who sent a request and from which country; the address is used in memory, then it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

import maxminddb

from consent_service.browser.watched import WatchedFile
from consent_service.config import Network

Address = IPv4Address | IPv6Address
# What the usual front servers write, as country, region and city: Cloudflare (the last two by its managed transform),
# CloudFront, Vercel, and plain names for others. Believed from TRUSTED_PROXIES alone.
PLACE_HEADERS = (
    ("CF-IPCountry", "CF-Region-Code", "CF-IPCity"),
    ("CloudFront-Viewer-Country", "CloudFront-Viewer-Country-Region", "CloudFront-Viewer-City"),
    ("X-Vercel-IP-Country", "X-Vercel-IP-Country-Region", "X-Vercel-IP-City"),
    ("X-Country-Code", "X-Region-Code", "X-City"),
)
COUNTRY_HEADERS = tuple(country for country, _, _ in PLACE_HEADERS)
_NO_COUNTRY = "XX"
_MOST_CITY = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Hold a coarse place; empty where unknown. `country` is ISO 3166, `region` ISO 3166-2."""

    country: str
    region: str
    city: str


NOWHERE = Place("", "", "")


class Lookup(Protocol):
    """Find the place of an address."""

    def __call__(self, address: Address) -> Place:
        """Give the place, or one without a country."""


def no_lookup(address: Address) -> Place:
    """Know no places: what is used without a GEOIP_DB."""
    return NOWHERE


class MmdbLookup:
    """Find places in an MMDB file, and in the one that takes its place while the process runs."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = WatchedFile(path, maxminddb.open_database, clock)

    def __call__(self, address: Address) -> Place:
        """Give the place of an address; an unknown one has no country."""
        try:
            found = self._file.get().get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            # An IPv6 address in a file of IPv4 alone, or a record that is none.
            return NOWHERE
        if not isinstance(found, dict):
            return NOWHERE
        country = _text(found, "country", "iso_code")
        divisions = found.get("subdivisions")
        first = divisions[0] if isinstance(divisions, list) and divisions else {}
        division = _text({"of": first}, "of", "iso_code")
        return Place(
            country,
            f"{country}-{division}" if country and division else "",
            _text(found, "city", "names", "en"),
        )


def client_address(peer: str | None, forwarded: str | None, proxies: Sequence[Network]) -> Address | None:
    """Give the browser's address: the peer's, or behind trusted proxies the last that is none of them."""
    address = _address(peer)
    if address is None or not is_trusted(address, proxies):
        return address
    for item in reversed((forwarded or "").split(",")[-16:]):
        hop = _address(item.strip())
        if hop is None:
            break
        address = hop
        if not is_trusted(hop, proxies):
            break
    return address


def is_trusted(address: Address | None, proxies: Sequence[Network]) -> bool:
    """Tell whether an address is one of the trusted proxies'."""
    return address is not None and any(address in network for network in proxies)


def find_place(address: Address | None, headers: Mapping[str, str], *, from_proxy: bool, lookup: Lookup) -> Place:
    """Give the place of a request: by a trusted proxy's header, else by the configured file.

    `headers` holds those of PLACE_HEADERS that were sent, by these very names. Where the proxy says the country alone,
    the file may add the rest, if it agrees on the country.
    """
    by_file = NOWHERE if address is None else lookup(address)
    said = _said(headers) if from_proxy else NOWHERE
    if not said.country:
        return by_file
    is_more = not said.region and not said.city and by_file.country == said.country
    return by_file if is_more else said


def _said(headers: Mapping[str, str]) -> Place:
    for country_name, region_name, city_name in PLACE_HEADERS:
        country = headers.get(country_name, "").strip().upper()
        if len(country) == 2 and country.isascii() and country.isalpha() and country != _NO_COUNTRY:
            region = headers.get(region_name, "").strip().upper()
            is_region = 1 <= len(region) <= 3 and region.isascii() and region.isalnum()
            return Place(country, f"{country}-{region}" if is_region else "", _city(headers.get(city_name, "")))
    return NOWHERE


def _city(written: str) -> str:
    """Read the name of a city: some front servers escape what is not ASCII, others send UTF-8 as it is."""
    try:
        # WSGI hands bytes of headers on as if they were Latin-1 (PEP 3333).
        city = unquote(written.encode("latin-1").decode(), errors="strict").strip()
    except UnicodeError:
        return ""
    return city if city.isprintable() and len(city) <= _MOST_CITY else ""


def _address(text: str | None) -> Address | None:
    try:
        address = ip_address((text or "").strip("[]"))
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _text(found: Mapping[str, object], *path: str) -> str:
    value: object = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
