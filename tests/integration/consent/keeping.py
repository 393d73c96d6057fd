"""What the main database keeps, and new versions of the site's policy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, select

from consent_service.consent.policy import Policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.clock import Clock

LANGUAGES = ("fr", "en", "es")


def rows(core: Core, table: Table) -> list[dict[str, Any]]:
    """Give every row of a table."""
    with core.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table))]


def republish(core: Core, site: Site, now: Clock, **changes: Any) -> None:
    """Publish the policy anew with some members changed; what is material says so in every language."""
    publication = core.publications.of(site)
    assert publication is not None
    if changes.get("material_purposes"):
        changes = {"material_reason": dict.fromkeys(LANGUAGES, "…"), **changes}
    policy = Policy.from_document({**publication.current.policy.document(), **changes})
    core.writer.run(lambda connection: publish_policy(connection, site, policy, actor="test", now=now()))
    core.sites.revision.forget()


def purposes_of(core: Core, site: Site) -> list[dict[str, Any]]:
    """Give the purposes of the present policy, to be changed and published."""
    publication = core.publications.of(site)
    assert publication is not None
    purposes: list[dict[str, Any]] = publication.current.policy.document()["purposes"]
    return purposes


def renamed(purpose: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    """Give a purpose under another id."""
    return {**purpose, "id": name, **changes}
