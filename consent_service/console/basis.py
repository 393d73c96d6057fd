"""Say what a page's numbers rest on: purposes, policy versions, what is collected and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consent_service.consent.banner import kept_days
from consent_service.consent.policy_model import Policy, Purpose
from consent_service.consent.publication import PolicyVersion, Publication
from consent_service.sites.settings import SiteSettings
from consent_service.stats.query import Period

_DATA: Final = {
    "page": "page addresses",
    "source": "where visitors came from",
    "campaign": "campaign tags",
    "device": "device, browser and system",
    "country": "country",
    "region": "region",
    "city": "city",
    "engagement": "time on page and scrolling",
    "events": "custom events",
    "props": "properties of events",
    "revenue": "revenue",
    "outbound": "outbound links",
    "downloads": "downloads",
    "forms": "form submissions",
    "vitals": "web vitals",
}


@dataclass(frozen=True, slots=True)
class PurposeBasis:
    """Hold one purpose as the site's people read it."""

    id: str
    title: str
    description: str
    measures: bool
    data: str
    recipients: str
    days: int


def purposes_of(policy: Policy, settings: SiteSettings) -> list[PurposeBasis]:
    """Give every purpose of a policy, in English where the policy has it, else in its default language."""
    language = "en" if "en" in policy.languages else policy.default_language
    return [_purpose(policy, purpose, settings, language) for purpose in policy.purposes]


def versions_within(publication: Publication, period: Period) -> list[PolicyVersion]:
    """Give the policy versions that were in force at some time of a period, the newest first."""
    published = sorted(publication.versions.values(), key=lambda each: each.version, reverse=True)
    found: list[PolicyVersion] = []
    for version in published:
        if version.published_at >= period.end:
            continue
        found.append(version)
        if period.start is not None and version.published_at <= period.start:
            break
    return found


def _purpose(policy: Policy, purpose: Purpose, settings: SiteSettings, language: str) -> PurposeBasis:
    return PurposeBasis(
        id=purpose.id,
        title=purpose.title[language],
        description=purpose.description[language],
        measures=purpose.measures,
        data=", ".join(_DATA[group.value] for group in purpose.data),
        recipients=", ".join(f"{each.name} ({each.country})" for each in policy.recipients_of(purpose)),
        days=kept_days(purpose, settings),
    )
