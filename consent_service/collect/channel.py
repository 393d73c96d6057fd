"""Sort the ways to a page into channels, by the source and the marks of the link (pure).

The order is that of Google Analytics' default channel groups, with AI assistants and news beside them: the first rule
that holds decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consent_service.collect.known_sources import SourceKind


class Channel(StrEnum):
    """Name each channel as reports show it."""

    CROSS_NETWORK = "Cross-network"
    PAID_SHOPPING = "Paid Shopping"
    PAID_SEARCH = "Paid Search"
    PAID_SOCIAL = "Paid Social"
    PAID_VIDEO = "Paid Video"
    DISPLAY = "Display"
    PAID_OTHER = "Paid Other"
    SHOPPING = "Organic Shopping"
    SOCIAL = "Organic Social"
    VIDEO = "Organic Video"
    AI = "AI Assistants"
    NEWS = "News"
    SEARCH = "Organic Search"
    EMAIL = "Email"
    AFFILIATES = "Affiliates"
    AUDIO = "Audio"
    SMS = "SMS"
    PUSH = "Mobile Push Notifications"
    REFERRAL = "Referral"
    DIRECT = "Direct"


@dataclass(frozen=True, slots=True)
class Way:
    """Hold what a channel is told by: the kind and name of the source, medium, campaign, kind of click id."""

    kind: SourceKind | None
    source: str
    medium: str
    campaign: str
    click_id: str


_PAID_MEDIUM: Final = re.compile(r"cp[acmv]?|ppc|pp[a-z]|retargeting|remarketing|paid.*|.*[_ -](?:cpc|cpm|paid)|sem")
_SHOP_CAMPAIGN: Final = re.compile(r"(?:^|[^a-z])shop(?:s|ping)?(?:$|[^a-z])")
_DISPLAY_MEDIA: Final = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL_MEDIA: Final = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_EMAIL_WORDS: Final = frozenset({"email", "e-mail", "e_mail", "e mail", "newsletter"})
_AFFILIATE_MEDIA: Final = frozenset({"affiliate", "affiliates"})
# These come with a paid click alone; the others come with every click (fbclid), so they tell nothing.
_PAID_CLICKS: Final = frozenset({"gclid", "gbraid", "wbraid", "dclid", "msclkid"})
_PAID_KINDS: Final = {
    SourceKind.SHOPPING: Channel.PAID_SHOPPING,
    SourceKind.SEARCH: Channel.PAID_SEARCH,
    SourceKind.SOCIAL: Channel.PAID_SOCIAL,
    SourceKind.VIDEO: Channel.PAID_VIDEO,
}
_KINDS: Final = {
    SourceKind.SHOPPING: Channel.SHOPPING,
    SourceKind.SOCIAL: Channel.SOCIAL,
    SourceKind.VIDEO: Channel.VIDEO,
    SourceKind.AI: Channel.AI,
    SourceKind.NEWS: Channel.NEWS,
    SourceKind.SEARCH: Channel.SEARCH,
    SourceKind.EMAIL: Channel.EMAIL,
    SourceKind.AUDIO: Channel.AUDIO,
}


def find_channel(way: Way) -> Channel:
    """Give the channel of a way to the site."""
    if not (way.medium or way.campaign or way.click_id):
        # Most ways: a referrer alone, or nothing at all.
        if way.kind is not None:
            return _KINDS.get(way.kind, Channel.REFERRAL)
        if not way.source:
            return Channel.DIRECT
    medium, campaign = way.medium.lower(), way.campaign.lower()
    source = way.source.lower()
    return _paid(way, medium, campaign) or _free(way.kind, source, medium, campaign)


def _paid(way: Way, medium: str, campaign: str) -> Channel | None:
    if "cross-network" in campaign:
        return Channel.CROSS_NETWORK
    is_paid = _PAID_MEDIUM.fullmatch(medium) is not None
    is_shop = way.kind is SourceKind.SHOPPING or _SHOP_CAMPAIGN.search(campaign) is not None
    if is_paid and is_shop:
        return Channel.PAID_SHOPPING
    if way.kind is not None and (is_paid or (way.kind is SourceKind.SEARCH and way.click_id in _PAID_CLICKS)):
        named = _PAID_KINDS.get(way.kind)
        if named is not None:
            return named
    if medium in _DISPLAY_MEDIA or way.click_id == "dclid":
        return Channel.DISPLAY
    return Channel.PAID_OTHER if is_paid else None


def _free(kind: SourceKind | None, source: str, medium: str, campaign: str) -> Channel:
    rules = (
        (kind is SourceKind.SHOPPING or _SHOP_CAMPAIGN.search(campaign) is not None, Channel.SHOPPING),
        (kind is SourceKind.SOCIAL or medium in _SOCIAL_MEDIA, Channel.SOCIAL),
        (kind is SourceKind.VIDEO or "video" in medium, Channel.VIDEO),
        # What the link says of itself goes before what its source usually is: a newsletter of a news site is one.
        (medium in _EMAIL_WORDS or source in _EMAIL_WORDS, Channel.EMAIL),
        (medium in _AFFILIATE_MEDIA, Channel.AFFILIATES),
        (medium == "audio", Channel.AUDIO),
        (medium == "sms" or source == "sms", Channel.SMS),
        (medium.endswith("push") or medium in ("notification", "mobile") or source == "firebase", Channel.PUSH),
        (kind in _KINDS, _KINDS.get(kind, Channel.REFERRAL) if kind else Channel.REFERRAL),
        (medium == "organic", Channel.SEARCH),
        (bool(source or medium), Channel.REFERRAL),
    )
    return next((channel for holds, channel in rules if holds), Channel.DIRECT)
