"""Publish policies: each version is immutable, and what got wider must be declared material."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from consent_service.consent.policy import Policy, PolicyError
from consent_service.consent.publication import PolicyVersion, Publication, keep_notices, load_publication
from consent_service.consent.successor import check_successor, material_change
from consent_service.db.audit import note
from consent_service.db.revision import bump
from consent_service.db.tables import policy_version
from consent_service.problems import Problem
from consent_service.sites.registry import REVISION, Site
from consent_service.sites.settings import SiteSettings, unknown_purposes


def publish_policy(connection: Connection, site: Site, policy: Policy, *, actor: str, now: datetime) -> PolicyVersion:
    """Publish a policy as the site's next version, and keep the words of its banners.

    Raises PolicyError when it widens what visitors agreed to without declaring that material, or changes nothing.
    """
    before = load_publication(connection, site)
    problems = check_successor(None if before is None else before.current.policy, policy)
    if problems:
        raise PolicyError(problems)
    version = _next_version(before, policy, now)
    connection.execute(
        insert(policy_version).values(
            site_id=site.site_id,
            version=version.version,
            document=policy.document(),
            content_hash=version.content_hash,
            material_version=version.material_version,
            refusal_material_version=version.refusal_material_version,
            published_by=actor,
            published_at=now,
        )
    )
    publication = load_publication(connection, site)
    if publication is not None:
        keep_notices(connection, site, publication, now)
    note(
        connection,
        at=now,
        actor=actor,
        action="policy.publish",
        subject=f"{site.key} version {version.version}",
        site_id=site.site_id,
        detail={"content_hash": version.content_hash, "material_version": version.material_version},
    )
    bump(connection, REVISION)
    return version


def unfit_settings(publication: Publication | None, settings: SiteSettings) -> list[Problem]:
    """Tell which settings name a purpose that the published policy does not have; without a policy none can."""
    if publication is None:
        return []
    return unknown_purposes(settings, [purpose.id for purpose in publication.current.policy.purposes])


def stranded_settings(publication: Publication) -> list[Problem]:
    """Warn of the site's own settings that name a purpose which its policy does not have any more.

    It refuses nothing: what is blocked for such a purpose stays blocked, and had to be let go first otherwise.
    """
    found = unfit_settings(publication, publication.site.settings)
    return [Problem("purposes", None, f"the site's setting {item.place} {item.message}") for item in found]


def _next_version(before: Publication | None, policy: Policy, now: datetime) -> PolicyVersion:
    if before is None:
        return PolicyVersion(1, policy, policy.content_hash(), 1, 1, now)
    number = before.current.version + 1
    change = material_change(before.current.policy, policy)
    return PolicyVersion(
        version=number,
        policy=policy,
        content_hash=policy.content_hash(),
        material_version=number if change.is_material else before.current.material_version,
        refusal_material_version=number if change.reasks_refusals else before.current.refusal_material_version,
        published_at=now,
    )
