"""Tell where a visit came from: referrer, campaign parameters and the kind of click id (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from consent_service.collect.channel import Channel, Way, find_channel
from consent_service.collect.known_sources import KnownSource, known_sources
from consent_service.collect.masking import mask

MAX_TEXT: Final = 300
# By whom each kind of click id is made: it tells the source where nothing else does.
CLICK_IDS: Final = {
    "gclid": "Google",
    "gbraid": "Google",
    "wbraid": "Google",
    "dclid": "Google",
    "srsltid": "Google",
    "msclkid": "Bing",
    "yclid": "Yandex",
    "fbclid": "Facebook",
    "igsh": "Instagram",
    "igshid": "Instagram",
    "ttclid": "TikTok",
    "twclid": "Twitter",
    "li_fat_id": "LinkedIn",
    "rdt_cid": "Reddit",
    "epik": "Pinterest",
    "sccid": "Snapchat",
    "qclid": "Quora",
    "tblci": "Taboola",
    "obclid": "Outbrain",
    "mc_eid": "Mailchimp",
    "mc_cid": "Mailchimp",
    "_kx": "",
    "_hsenc": "",
    "irclickid": "",
    "awc": "",
    "vmcid": "",
    "wickedid": "",
}
_UTM: Final = ("source", "medium", "campaign", "content", "term")


@dataclass(frozen=True, slots=True)
class Source:
    """Hold where a visit came from, empty where unknown; `click_id` is the kind, never the value."""

    source: str
    referrer: str
    click_id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Campaign:
    """Hold the campaign parameters of the page's address."""

    source: str
    medium: str
    campaign: str
    content: str
    term: str


def read_campaign(found: Mapping[str, str]) -> Campaign:
    """Read the five campaign parameters, each cut to 300 characters and without what may name a person."""
    return Campaign(*(mask(found.get(f"utm_{name}", "")[:MAX_TEXT]) for name in _UTM))


def read_source(
    referrer: str | None, found: Mapping[str, str], is_own: Callable[[str], bool], *, has_campaign: bool = True
) -> Source:
    """Tell the source by `utm_source`, `source` or `ref` in the address, else by the referrer's host or the click id.

    A referrer on a host of the site's own is none. Of a referrer only host and path are kept. Without `has_campaign`
    the channel is told without medium and campaign, which may not be stored then. `found` is what `first_values` gives.
    """
    click_id = next((name for name in CLICK_IDS if name in found), "")
    host, path = host_and_path(referrer)
    if host and (is_own(host) or is_own(host.removeprefix("www."))):
        host, path = "", ""
    said = next((found[name] for name in ("utm_source", "source", "ref") if found.get(name)), "")[:MAX_TEXT]
    known = _known(said, host, click_id)
    source = known.name if known is not None else mask(said) or host.removeprefix("www.")
    medium, campaign = ("utm_medium", "utm_campaign") if has_campaign else ("", "")
    way = Way(
        kind=None if known is None else known.kind,
        source=source or host,
        medium=found.get(medium, "")[:MAX_TEXT],
        campaign=found.get(campaign, "")[:MAX_TEXT],
        click_id=click_id,
    )
    return Source(source, mask(f"{host}{path}"[:MAX_TEXT]) if host else "", click_id, find_channel(way))


def host_and_path(referrer: str | None) -> tuple[str, str]:
    """Give host (in lower case) and path of a referrer; both empty when it is none."""
    if not referrer:
        return "", ""
    try:
        parts = urlsplit(referrer)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", ""
    if parts.scheme not in ("http", "https", "android-app"):
        return "", ""
    return host, parts.path.rstrip("/")


def _known(said: str, host: str, click_id: str) -> KnownSource | None:
    sources = known_sources()
    if said:
        return sources.by_name(said)
    if host:
        return sources.by_host(host)
    return sources.by_name(CLICK_IDS[click_id]) if click_id else None


def first_values(query: str) -> dict[str, str]:
    """Read the parameters of an address by their names in lower case; of several of one name the first."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True) if query else ():
        values.setdefault(name.lower(), value.strip())
    return values
