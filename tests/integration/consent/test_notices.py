"""What was shown is kept and logged before anybody cites it, with script and pictures, and goes when nobody does."""

from __future__ import annotations

import hashlib
import re

import pytest
from sqlalchemy import select

from consent_service.consent.notices import find_unused, list_notices, read_notice, remove_notices
from consent_service.consent.screenshots import MAX_BYTES, Shot, Surface, keep_screenshot, list_screenshots, read_png
from consent_service.consent.scripts import find_release, read_script, served_scripts
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.db.tables import client_script, decision, notice, notice_screenshot
from consent_service.ledger.integrator import Integrator
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import republish, rows
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)
PNG = b"\x89PNG\r\n\x1a\n as far as the store can tell"


def shot(notice_hash: str, png: bytes = PNG, script_hash: str = "5" * 64) -> Shot:
    return Shot(notice_hash, "fr", Surface.BANNER, 1366, 768, script_hash, png)


def keep(core: Core, site: Site, now: Clock, taken: Shot) -> bool:
    return core.writer.run(lambda connection: keep_screenshot(connection, site.site_id, site.key, taken, now()))


def log_all(core: Core) -> None:
    integrator = Integrator(core.engine, core.writer, core.config.data_dir, core.now)
    while integrator.integrate().has_more:
        pass


def leaves(core: Core) -> list[tuple[int, str, str | None]]:
    """Give each leaf's number, kind and subject; a decision's subject is the notice it cites."""
    subject = select(ledger_leaf.c.leaf_index, ledger_leaf.c.kind, ledger_entry.c.subject, decision.c.notice_hash)
    joined = subject.outerjoin(ledger_entry, ledger_entry.c.entry_id == ledger_leaf.c.entry_id).outerjoin(
        decision, decision.c.decision_id == ledger_leaf.c.entry_id
    )
    with core.engine.connect() as connection:
        found = connection.execute(joined.order_by(ledger_leaf.c.leaf_index)).all()
    return [(row.leaf_index, row.kind, row.subject or row.notice_hash) for row in found]


@both
def test_a_notice_is_in_the_log_before_every_decision_that_cites_it(
    core: Core, site: Site, visitor: Visitor, now: Clock
) -> None:
    visitor.accept()
    visitor.another().refuse()
    log_all(core)
    republish(core, site, now, refusal_days=200)
    now.move(seconds=2)
    for language in ("fr", "en", "es"):
        assert visitor.another().decide("accept_all", language=language).status_code == 201
    log_all(core)
    logged: set[str | None] = set()
    decided = 0
    for _, kind, subject in leaves(core):
        if kind == "notice":
            logged.add(subject)
        elif kind == "decision":
            decided += 1
            assert subject in logged
    assert decided == 5
    assert len(logged) == 6


@both
def test_the_words_are_kept_under_the_hash_that_the_record_cites(core: Core, site: Site, visitor: Visitor) -> None:
    visitor.accept()
    (record,) = rows(core, decision)
    with core.engine.connect() as connection:
        found = read_notice(connection, site.site_id, record["notice_hash"])
        assert read_notice(connection, site.site_id + 1, record["notice_hash"]) is None
    assert found is not None
    assert hashlib.sha256(found.document).hexdigest() == record["notice_hash"]
    publication = core.publications.of(site)
    assert publication is not None
    assert found.config["policy_hash"] == publication.current.content_hash
    assert found.config["texts"]["refuse"] == "Refuser"


@both
def test_what_a_grant_says_it_ran_leads_to_the_bytes(core: Core, site: Site, visitor: Visitor) -> None:
    body = visitor.client.get(f"/c/{site.key}.js").text
    said = re.search(r'"script":"([0-9a-f]{8})"', body)
    assert said is not None
    with core.engine.connect() as connection:
        release = find_release(connection, said.group(1))
        assert release is not None
        kept = read_script(connection, release.script_hash)
        assert kept is not None
        assert hashlib.sha256(kept).hexdigest() == release.script_hash
        # The example site uses other tools, whose part comes first; what is loaded on demand comes last.
        client, on_demand = body.removesuffix("}\n"), visitor.client.get("/consent.more.js").text
        assert (client + on_demand).endswith(kept.decode())
        pinned = visitor.client.get("/consent.v1.js").data
        (v1,) = [script for script in served_scripts() if script.body == pinned]
        found = find_release(connection, v1.integrity)
        assert found is not None
        assert (found.name, found.script_hash) == ("consent.v1.js", hashlib.sha256(pinned).hexdigest())
        for unknown in (None, "", "0" * 8, said.group(1)[:6], "sha384-" + "A" * 64, "%" * 12, "'; --"):
            assert find_release(connection, unknown) is None
    assert len(rows(core, client_script)) == len(served_scripts()) == 17


@both
def test_a_refusal_says_nothing_of_its_script(core: Core, visitor: Visitor) -> None:
    visitor.decide("refuse_all", script_hash="0" * 12)
    (record,) = rows(core, decision)
    assert b"script" not in record["record"]


@both
def test_a_picture_is_kept_and_logged_once(core: Core, site: Site, visitor: Visitor, now: Clock) -> None:
    shown = visitor.banner()["banner_hash"]
    taken = shot(shown)
    assert keep(core, site, now, taken)
    assert not keep(core, site, now, taken)
    assert keep(core, site, now, shot(shown, script_hash="6" * 64))
    assert keep(core, site, now, shot(shown, PNG + b"."))
    with core.engine.connect() as connection:
        kept = list_screenshots(connection, [shown])
        assert read_png(connection, site.site_id, taken.sha256) == PNG
        assert read_png(connection, site.site_id + 1, taken.sha256) is None
    assert len(kept) == 3
    logged = {row["entry_id"]: row for row in rows(core, ledger_entry) if row["kind"] == "screenshot"}
    assert {each.entry_id for each in kept} == set(logged)
    for each in kept:
        record = logged[each.entry_id]["record"]
        assert all(said.encode() in record for said in (shown, each.sha256, each.script_hash, '"type":"screenshot"'))


@both
def test_a_picture_that_is_too_large_is_refused(core: Core, site: Site, visitor: Visitor, now: Clock) -> None:
    with pytest.raises(ValueError, match="larger"):
        keep(core, site, now, shot(visitor.banner()["banner_hash"], b"." * (MAX_BYTES + 1)))
    assert rows(core, notice_screenshot) == []


@both
def test_a_notice_goes_with_its_pictures_when_its_version_is_replaced_and_no_record_cites_it(
    core: Core, site: Site, visitor: Visitor, keeper: KeeperInHand, now: Clock
) -> None:
    visitor.accept()
    cited = visitor.banner("fr")["banner_hash"]
    unused = visitor.banner("en")["banner_hash"]
    for each in (cited, unused):
        assert keep(core, site, now, shot(each))
    log_all(core)
    size = len(leaves(core))
    republish(core, site, now, refusal_days=200)
    now.move(hours=23)
    assert keeper.keeper.retain(is_confirmed=True)[0].notices == 0
    now.move(hours=2)
    assert keeper.keeper.plan_retention().counted[0].notices == 2
    assert keeper.keeper.retain(is_confirmed=True)[0].notices == 2
    kept = {row["notice_hash"] for row in rows(core, notice)}
    assert cited in kept
    assert unused not in kept
    assert len(kept) == 4
    assert [row["notice_hash"] for row in rows(core, notice_screenshot)] == [cited]
    subjects = {row["subject"] for row in rows(core, ledger_entry)}
    assert unused not in subjects
    log_all(core)
    # Two notices and a picture have lost their names, and what the log says of them stays.
    found = leaves(core)
    assert len([1 for _, _, subject in found[:size] if subject is None]) == 3
    now.move(days=180 + 1095 + 1)
    keeper.keeper.retain(is_confirmed=True)
    assert {row["policy_version"] for row in rows(core, notice)} == {2}
    assert rows(core, notice_screenshot) == []


@both
def test_a_notice_that_is_cited_while_it_is_looked_for_stays(
    core: Core, site: Site, visitor: Visitor, now: Clock
) -> None:
    old = visitor.decision("refuse_all")
    republish(core, site, now, refusal_days=200)
    now.move(days=2)
    publication = core.publications.of(site)
    assert publication is not None
    with core.engine.connect() as connection:
        unused = find_unused(connection, publication, now())
    assert old["banner_hash"] in unused
    assert visitor.post("/v1/decisions", old).status_code == 201
    gone = core.writer.run(lambda connection: remove_notices(connection, publication, unused, seen_at=now()))
    assert gone == 2
    with core.engine.connect() as connection:
        assert old["banner_hash"] in {each.notice_hash for each in list_notices(connection, site.site_id)}
