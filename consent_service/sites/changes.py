"""Add sites and change how they use the service; every change is audited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from consent_service.db.audit import note
from consent_service.db.revision import bump
from consent_service.db.tables import origin, site
from consent_service.ids import new_site_key
from consent_service.sites.registry import REVISION, Site, load_sites
from consent_service.sites.settings import SiteSettings


class UnknownSite(LookupError):
    """Tell that no site has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no site with the key {key}")
        self.key = key


def find_site(connection: Connection, key: str) -> Site:
    """Read one site by its key; raises UnknownSite."""
    for item in load_sites(connection):
        if item.key == key:
            return item
    raise UnknownSite(key)


def add_site(connection: Connection, settings: SiteSettings, *, actor: str, now: datetime) -> Site:
    """Add a site under a new key."""
    key = new_site_key()
    number = (connection.execute(select(func.max(site.c.site_id))).scalar() or 0) + 1
    connection.execute(insert(site).values(site_id=number, key=key, settings=_stored(settings), created_at=now))
    _write_origins(connection, number, settings.origins)
    note(connection, at=now, actor=actor, action="site.add", subject=key, site_id=number)
    bump(connection, REVISION)
    return Site(number, key, settings)


def change_site(
    connection: Connection,
    key: str,
    settings: SiteSettings,
    *,
    actor: str,
    now: datetime,
    action: str = "site.set",
) -> Site:
    """Replace a site's settings; raises UnknownSite."""
    before = find_site(connection, key)
    old, new = before.settings.document(), settings.document()
    changed = {name: {"before": old.get(name), "after": new[name]} for name in new if old.get(name) != new[name]}
    connection.execute(update(site).where(site.c.site_id == before.site_id).values(settings=_stored(settings)))
    _write_origins(connection, before.site_id, settings.origins)
    note(connection, at=now, actor=actor, action=action, subject=key, site_id=before.site_id, detail=changed)
    bump(connection, REVISION)
    return Site(before.site_id, key, settings)


def _stored(settings: SiteSettings) -> dict[str, Any]:
    # Origins have their own table, so that a preflight finds its site by one.
    return {name: value for name, value in settings.document().items() if name != "origins"}


def _write_origins(connection: Connection, site_id: int, values: Sequence[str]) -> None:
    connection.execute(delete(origin).where(origin.c.site_id == site_id))
    if values:
        connection.execute(
            insert(origin),
            [{"site_id": site_id, "origin": value, "position": place} for place, value in enumerate(values)],
        )
