"""The banner call: what it says is cached for as long as all of it stays the same."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from consent_service.core import Core
from consent_service.sites.changes import change_site
from consent_service.sites.registry import Site
from tests.integration.clock import Clock


def test_the_etag_follows_what_the_hash_of_the_words_does_not_cover(
    client: FlaskClient, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    path = f"/v1/sites/{site.key}/banner"
    before = client.get(path)
    unchanged = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    held = core.sites.by_id(site.site_id)
    assert held is not None
    more = held.settings.model_copy(update={"origins": (*held.origins, "https://more.example")})
    core.writer.run(lambda connection: change_site(connection, site.key, more, actor="test", now=now()))
    refresh()
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["scope"][-1] == "https://more.example"
    assert after.get_json()["banner_hash"] == before.get_json()["banner_hash"]
