"""Know what each site has published: its policy versions, the banners made of them and the gate's rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from consent_service.consent.banner import SHORT_HASH, banner_config, kept_days, notice_document, resolve_language
from consent_service.consent.gate import GateRules
from consent_service.consent.policy import Policy
from consent_service.consent.reasking import Outgrown, asked_again, outgrown
from consent_service.consent.scripts import keep_scripts
from consent_service.db.tables import notice, policy_version
from consent_service.db.upsert import insert_missing
from consent_service.db.writer import Writer
from consent_service.ledger.entries import add_notice
from consent_service.sites.registry import Site, Sites


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """Hold one published policy. Grants older than `material_version` are asked again, refusals older than
    `refusal_material_version`."""

    version: int
    policy: Policy
    content_hash: str
    material_version: int
    refusal_material_version: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeRef:
    """Tell which policy version and language a known banner hash belongs to."""

    policy_version: int
    language: str


@dataclass(frozen=True, slots=True)
class Publication:
    """Hold everything a site has published; `banners` are the present configs by language."""

    site: Site
    versions: Mapping[int, PolicyVersion]
    current: PolicyVersion
    banners: Mapping[str, dict[str, Any]]
    notices: Mapping[str, NoticeRef]
    rules: GateRules
    outgrown: Outgrown

    def cited(self, said: str | None) -> str | None:
        """Give the hash of the notice that a page cites; None when that is none of the site's.

        A bundle says the first 16 digits, which cost every visit 24 bytes less than all 64. Where two are alike in
        them it is none: nothing is granted then.
        """
        if said is None or said in self.notices:
            return said
        found = [each for each in self.notices if each.startswith(said)] if len(said) == SHORT_HASH else []
        return found[0] if len(found) == 1 else None

    def banner(self, *wanted: str | None) -> dict[str, Any]:
        """Give the banner config in the first of the wanted languages that is near one, or in the default one."""
        return self.banners[resolve_language(self.current.policy, *wanted)]


class Publications:
    """Give what a site has published, from a cache that is half a second old at most."""

    def __init__(self, engine: Engine, writer: Writer, sites: Sites, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._sites = sites
        self._now = now
        self._lock = threading.Lock()
        self._number = -1
        self._kept: dict[int, Publication | None] = {}
        self._has_scripts = False

    def of(self, site: Site) -> Publication | None:
        """Give a site's publication, or None when it has no policy yet.

        Every banner that can be shown is in the notice table before this returns, and every script that shows it in
        its own, so that no decision can cite one that is not kept.
        """
        number = self._sites.revision.number()
        # Taken after the number: what the caller holds may be older, and would be kept under the new one.
        site = self._sites.by_id(site.site_id) or site
        with self._lock:
            if number != self._number:
                self._kept.clear()
                self._number = number
            if site.site_id in self._kept:
                return self._kept[site.site_id]
        publication = self._load(site)
        with self._lock:
            if number == self._number:
                self._kept[site.site_id] = publication
        return publication

    def _load(self, site: Site) -> Publication | None:
        with self._engine.connect() as connection:
            publication = load_publication(connection, site)
        if publication is None:
            return None
        if not self._has_scripts:
            self._writer.run(lambda connection: keep_scripts(connection, self._now()))
            self._has_scripts = True
        missing = [
            config for config in publication.banners.values() if config["banner_hash"] not in publication.notices
        ]
        if not missing:
            return publication
        self._writer.run(lambda connection: keep_notices(connection, site, publication, self._now()))
        with self._engine.connect() as connection:
            return load_publication(connection, site)


def load_publication(connection: Connection, site: Site) -> Publication | None:
    """Read what a site has published; None without a policy."""
    rows = connection.execute(
        select(policy_version).where(policy_version.c.site_id == site.site_id).order_by(policy_version.c.version)
    )
    versions = {row.version: _version(row) for row in rows}
    if not versions:
        return None
    current = versions[max(versions)]
    known = connection.execute(
        select(notice.c.notice_hash, notice.c.policy_version, notice.c.language).where(notice.c.site_id == site.site_id)
    )
    measuring = current.policy.measuring
    policies = {number: version.policy for number, version in versions.items()}
    since = outgrown(policies)
    return Publication(
        site=site,
        versions=versions,
        current=current,
        banners={language: _banner(site, policies, current, since, language) for language in current.policy.languages},
        notices={row.notice_hash: NoticeRef(row.policy_version, row.language) for row in known},
        rules=GateRules(
            site_id=site.site_id,
            # A policy for children measures nothing: no receipt can hold the empty purpose.
            purpose="" if measuring is None else measuring.id,
            data=frozenset() if measuring is None else frozenset(str(group) for group in measuring.data),
            # What changed of other purposes leaves the consent to measure standing.
            material_version=1 if measuring is None else since.grants[measuring.id],
            refuses_signal=site.settings.signals.gpc == "refuse",
        ),
        outgrown=since,
    )


def keep_notices(connection: Connection, site: Site, publication: Publication, now: datetime) -> None:
    """Keep the exact words of every present banner that is not kept yet, and log that they were, in one transaction."""
    for language, config in publication.banners.items():
        values = {
            "notice_hash": config["banner_hash"],
            "site_id": site.site_id,
            "policy_version": config["policy_version"],
            "language": language,
            "document": notice_document(config),
            "created_at": now,
        }
        if insert_missing(connection, notice, values):
            add_notice(
                connection,
                site_id=site.site_id,
                site_key=site.key,
                notice_hash=config["banner_hash"],
                policy_version=config["policy_version"],
                language=language,
                created_at=now,
                now=now,
            )


def _banner(
    site: Site, policies: Mapping[int, Policy], current: PolicyVersion, since: Outgrown, language: str
) -> dict[str, Any]:
    return banner_config(
        site.key,
        site.settings,
        current.policy,
        current.version,
        language,
        policy_hash=current.content_hash,
        since=since,
        asked_again=asked_again(policies, since, language, lambda purpose: kept_days(purpose, site.settings)),
    )


def _version(row: Row[*tuple[Any, ...]]) -> PolicyVersion:
    return PolicyVersion(
        version=row.version,
        policy=Policy.from_document(row.document),
        content_hash=row.content_hash,
        material_version=row.material_version,
        refusal_material_version=row.refusal_material_version,
        published_at=row.published_at,
    )
