"""What is kept of a publication: never a site from before the change that it was read after."""

from __future__ import annotations

from consent_service.core import Core
from consent_service.sites.changes import change_site
from consent_service.sites.registry import Site
from tests.integration.clock import Clock


def test_a_site_held_from_before_a_change_does_not_come_back(core: Core, site: Site, now: Clock) -> None:
    held = core.sites.by_id(site.site_id)
    assert held is not None
    changed = held.settings.model_copy(update={"paused": True})
    core.writer.run(lambda connection: change_site(connection, site.key, changed, actor="test", now=now()))
    core.sites.revision.forget()
    publication = core.publications.of(held)
    assert publication is not None
    assert publication.site.settings.paused
    again = core.publications.of(held)
    assert again is publication
