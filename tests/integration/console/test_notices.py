"""The console shows officers, and nobody else, exactly what a record's notice showed."""

from __future__ import annotations

import hashlib
import re

import pytest

from consent_service.consent.screenshots import Shot, Surface, keep_screenshot
from consent_service.consent.scripts import served_scripts
from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.console.browsing import PersonMaker, text_of
from tests.integration.visitor import Visitor

PNG = b"\x89PNG\r\n\x1a\n as far as the store can tell"


@pytest.fixture
def pictured(core: Core, site: Site, now: Clock, visitor: Visitor) -> Shot:
    """Give a picture of the French banner."""
    script = served_scripts()[1].script_hash
    taken = Shot(visitor.banner("fr")["banner_hash"], "fr", Surface.BANNER, 1366, 768, script, PNG)
    core.writer.run(lambda connection: keep_screenshot(connection, site.site_id, site.key, taken, now()))
    return taken


def test_a_record_leads_to_what_was_shown(somebody: PersonMaker, site: Site, visitor: Visitor, pictured: Shot) -> None:
    evidence = {"refuse_visible": True, "area_ratio": 1.0, "trusted": True}
    said = {"script_hash": served_scripts()[1].script_hash[:12], "rendered_hash": "0" * 64, "layer": 1}
    assert visitor.decide("accept_all", evidence=evidence, **said).status_code == 201
    person = somebody(Role.PRIVACY_OFFICER)
    log = person.get(f"/console/sites/{site.key}/decisions")
    assert "to be looked at: other words" in text_of(log)
    assert "consent.core.js + consent.more.js of" in text_of(log)
    link = re.search(r'href="(/console/sites/[^"]+/notices/[0-9a-f]{64})"', log.text)
    assert link is not None
    page = person.get(link.group(1))
    text = text_of(page)
    config = visitor.banner("fr")
    for words in (config["texts"]["title"], config["texts"]["refuse"], config["purposes"][0]["description"]):
        assert words in text
    assert config["policy_hash"] in text
    picture = re.search(r'<img src="([^"]+)" alt="([^"]+)"', page.text)
    assert picture is not None
    assert "The banner in French on a desktop window of 1366 by 768 pixels" in picture.group(2)
    answer = person.get(picture.group(1))
    assert (answer.data, answer.content_type) == (PNG, "image/png")
    document = person.get(f"{link.group(1)}.json").data
    assert hashlib.sha256(document).hexdigest() == config["banner_hash"]


def test_the_policy_page_has_the_pictures_and_every_notice_of_a_version(
    somebody: PersonMaker, site: Site, visitor: Visitor, pictured: Shot
) -> None:
    page = somebody(Role.PRIVACY_OFFICER).get(f"/console/sites/{site.key}/policy")
    assert page.text.count('<img src="/console/sites/') == 1
    text = text_of(page)
    assert "French, since 10 Mar 2026" in text
    assert "shown now 1 picture " in text
    assert text.count("shown now no pictures") == 2
    for language in ("fr", "en", "es"):
        assert f"/notices/{visitor.banner(language)['banner_hash']}" in page.text


def test_a_script_that_was_never_served_is_told(somebody: PersonMaker, site: Site, visitor: Visitor) -> None:
    assert visitor.decide("accept_all", script_hash="0" * 12).status_code == 201
    log = somebody(Role.PRIVACY_OFFICER).get(f"/console/sites/{site.key}/decisions")
    assert "script never served here" in text_of(log)


def test_what_was_shown_is_for_the_officers_of_the_site(somebody: PersonMaker, site: Site, pictured: Shot) -> None:
    notice = f"/console/sites/{site.key}/notices/{pictured.notice_hash}"
    paths = (notice, f"{notice}.json", f"/console/sites/{site.key}/screenshots/{pictured.sha256}.png")
    analyst = somebody(Role.ANALYST)
    elsewhere = somebody(Role.PRIVACY_OFFICER, sites=[site.site_id], email="other@example.org")
    for path in paths:
        assert analyst.get(path).status_code == 403
        assert elsewhere.get(path).status_code == 200
        assert elsewhere.get(path.replace(site.key, "nothing-here")).status_code == 404
        assert elsewhere.get(re.sub("[0-9a-f]{64}", "0" * 64, path)).status_code == 404
