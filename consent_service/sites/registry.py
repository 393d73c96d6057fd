"""Know the sites: by key, by domain, by origin, from a cache that is half a second old at most."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, select

from consent_service.db.revision import Revision
from consent_service.db.tables import hold, origin, site
from consent_service.sites.settings import SiteSettings

REVISION = "sites"


@dataclass(frozen=True, slots=True)
class Site:
    """Hold one site: its number in the stores, its public key and how it uses the service."""

    site_id: int
    key: str
    settings: SiteSettings
    # All there is of it is held: nothing more is taken in, nothing is shown, nothing is erased.
    is_held: bool = False

    @property
    def origins(self) -> tuple[str, ...]:
        """Give the origins whose pages may decide and send events."""
        return self.settings.origins

    def has_origin(self, value: str | None) -> bool:
        """Tell whether a request's Origin header is exactly one of the site's."""
        return value is not None and value in self.settings.origins

    def has_host(self, host: str) -> bool:
        """Tell whether a page's host belongs to the site."""
        settings = self.settings
        if host == settings.domain or host in _hosts_of(settings.origins):
            return True
        return settings.share_subdomains and host.endswith(f".{settings.domain}")


# Asked several times for every event; sites and their origins are few and seldom change.
@lru_cache(maxsize=1024)
def _hosts_of(origins: tuple[str, ...]) -> frozenset[str | None]:
    return frozenset(urlsplit(origin).hostname for origin in origins)


class Sites:
    """Find sites; all of them are kept in memory and read anew when one changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._revision = Revision(engine, REVISION)
        self._lock = threading.Lock()
        self._number = -1
        self._by_key: dict[str, Site] = {}
        self._by_id: dict[int, Site] = {}
        self._by_domain: dict[str, Site] = {}
        self._origins: frozenset[str] = frozenset()

    @property
    def revision(self) -> Revision:
        """Give the number that moves when a site, its origins or its policy change."""
        return self._revision

    def all(self) -> list[Site]:
        """Give every site, the oldest first."""
        self._refresh()
        return list(self._by_id.values())

    def by_key(self, key: str) -> Site | None:
        """Find a site by its public key."""
        self._refresh()
        return self._by_key.get(key)

    def by_id(self, site_id: int) -> Site | None:
        """Find a site by its number in the stores."""
        self._refresh()
        return self._by_id.get(site_id)

    def by_key_or_domain(self, value: str) -> Site | None:
        """Find a site as the reporting API names it: by key, or by domain."""
        self._refresh()
        return self._by_key.get(value) or self._by_domain.get(value)

    def knows_origin(self, value: str) -> bool:
        """Tell whether any site has this origin; preflight requests do not say which site they are for."""
        self._refresh()
        return value in self._origins

    def _refresh(self) -> None:
        number = self._revision.number()
        if number == self._number:
            return
        with self._lock:
            if number == self._number:
                return
            with self._engine.connect() as connection:
                sites = load_sites(connection)
            self._by_key = {item.key: item for item in sites}
            self._by_id = {item.site_id: item for item in sites}
            self._by_domain = {item.settings.domain: item for item in reversed(sites)}
            self._origins = frozenset(value for item in sites for value in item.origins)
            self._number = number


def load_sites(connection: Connection) -> list[Site]:
    """Read every site with its origins, the oldest first."""
    origins: dict[int, list[str]] = {}
    for site_id, value in connection.execute(
        select(origin.c.site_id, origin.c.origin).order_by(origin.c.site_id, origin.c.position)
    ):
        origins.setdefault(site_id, []).append(value)
    whole = select(hold.c.site_id).where(hold.c.receipt_id.is_(None), hold.c.lifted_at.is_(None))
    held = frozenset(connection.execute(whole).scalars())
    rows = connection.execute(select(site.c.site_id, site.c.key, site.c.settings).order_by(site.c.site_id))
    return [
        Site(
            site_id,
            key,
            SiteSettings.from_document({**settings, "origins": origins.get(site_id, [])}),
            is_held=site_id in held,
        )
        for site_id, key, settings in rows
    ]
