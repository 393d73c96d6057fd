"""Scripts travel compressed, cached and readable by every page; a site's bundle follows its settings and policy."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from consent_service.consent.publication import load_publication
from consent_service.core import Core
from consent_service.resources import data_dir
from consent_service.sites.changes import change_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock

SCRIPTS = {
    "/consent.js": "consent.js",
    "/consent.v1.js": "consent.js",
    "/consent.more.js": "consent.more.js",
    "/consent.v1.more.js": "consent.more.js",
}


def config_of(body: str) -> list[Any]:
    """Read the config that a bundle carries."""
    found = re.match(r"\{let \$hooks=\[\],\$config=(.*);\n", body)
    assert found is not None
    config: list[Any] = json.loads(found.group(1))
    return config


@pytest.mark.parametrize(("path", "name"), SCRIPTS.items())
def test_each_script_is_the_built_file(client: FlaskClient, path: str, name: str) -> None:
    assert client.get(path).data == (data_dir("static") / name).read_bytes()


@pytest.mark.parametrize("path", [*SCRIPTS, "/c/{key}.js"])
def test_every_script_is_cached_compressed_and_open_to_every_origin(client: FlaskClient, site: Site, path: str) -> None:
    path = path.format(key=site.key)
    plain = client.get(path)
    assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert plain.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=3600"
    assert plain.headers["Access-Control-Allow-Origin"] == "*"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Set-Cookie" not in plain.headers
    in_brotli = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert in_brotli.headers["Content-Encoding"] == "br"
    assert brotli.decompress(in_brotli.data) == plain.data
    in_gzip = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert in_gzip.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(in_gzip.data) == plain.data
    tags = {answer.headers["ETag"] for answer in (plain, in_brotli, in_gzip)}
    assert len(tags) == 3


@pytest.mark.parametrize("path", [*SCRIPTS, "/c/{key}.js"])
def test_a_script_that_is_there_already_is_not_sent_again(client: FlaskClient, site: Site, path: str) -> None:
    path = path.format(key=site.key)
    first = client.get(path, headers={"Accept-Encoding": "br"})
    again = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


def test_the_bundle_is_core_and_signals_around_the_banners_of_the_api(client: FlaskClient, site: Site) -> None:
    body = client.get(f"/c/{site.key}.js").text
    static = data_dir("static")
    core, signals = ((static / f"consent.{name}.js").read_text(encoding="utf-8") for name in ("core", "signals"))
    assert body.endswith(f";\n{signals}{core}}}\n")
    common, spoken, default_language = config_of(body)
    assert default_language == "fr"
    for language in ("fr", "en", "es"):
        whole = client.get(f"/v1/sites/{site.key}/banner?lang={language}").get_json()
        assert spoken[language]["banner_hash"] == whole["banner_hash"][:16]
        assert spoken[language]["texts"].items() <= whole["texts"].items()
        assert common["consent_mode"] == whole["consent_mode"]


def test_the_bundle_follows_a_change_of_the_sites_settings(
    client: FlaskClient, core: Core, site: Site, now: Clock, refresh: Callable[[], None]
) -> None:
    signals = (data_dir("static") / "consent.signals.js").read_text(encoding="utf-8")
    before = client.get(f"/c/{site.key}.js")
    assert signals in before.text
    plain = {**site.settings.document(), "consent_mode": {}, "uet": {}, "blocking": [], "banner": {"layout": "corner"}}
    settings = SiteSettings.from_document(plain)
    core.writer.run(lambda connection: change_site(connection, site.key, settings, actor="test", now=now()))
    refresh()
    after = client.get(f"/c/{site.key}.js", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert signals not in after.text
    assert config_of(after.text)[0]["layout"] == "corner"


def test_the_hash_in_the_bundle_is_one_that_a_decision_may_cite(client: FlaskClient, core: Core, site: Site) -> None:
    hashes = {each["banner_hash"] for each in config_of(client.get(f"/c/{site.key}.js").text)[1].values()}
    with core.engine.connect() as connection:
        publication = load_publication(connection, site)
    assert publication is not None
    assert {publication.cited(each) for each in hashes} <= set(publication.notices)


@pytest.mark.parametrize("key", ["nothere", "../consent", "%00", "a" * 3000])
def test_a_site_that_is_not_there_has_no_bundle(client: FlaskClient, key: str) -> None:
    answer = client.get(f"/c/{key}.js")
    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "not_found"
