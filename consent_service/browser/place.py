"""Tell who sent a request and from which country; the address is used in memory, then it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Protocol

import maxminddb

from consent_service.config import Network

Address = IPv4Address | IPv6Address
# What the usual front servers write; believed from TRUSTED_PROXIES alone.
COUNTRY_HEADERS = ("CF-IPCountry", "CloudFront-Viewer-Country", "X-Country-Code")
_NO_COUNTRY = "XX"


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
    """Find places in an MMDB file."""

    def __init__(self, path: Path) -> None:
        self._reader = maxminddb.open_database(path)

    def __call__(self, address: Address) -> Place:
        """Give the place of an address; an unknown one has no country."""
        found = self._reader.get(address)
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

    `headers` holds those of COUNTRY_HEADERS that were sent, by these very names.
    """
    if from_proxy:
        for name in COUNTRY_HEADERS:
            value = headers.get(name, "").strip().upper()
            if len(value) == 2 and value.isascii() and value.isalpha() and value != _NO_COUNTRY:
                return Place(value, "", "")
    return NOWHERE if address is None else lookup(address)


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
