"""The officer sees where checkpoints are kept, what failed, and takes the proofs along."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.ledger.anchors import Anchor, keep_anchor
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.console.browsing import PersonMaker, text_of

NOTE = "consent-service/0123456789abcdef\n12\nAAAA\n\n— consent-service/0123456789abcdef AAAA\n"
TOKEN = b"\x30\x03\x02\x01\x00"


def keep_two(core: Core, now: Clock) -> None:
    stamp = Anchor("stamp", "timestamp", "done", 1200, NOTE, TOKEN, None, 1, now() - timedelta(days=1))
    mail = Anchor("mail", "email", "failed", 1201, NOTE, None, "the server <answered> 503", 3, now())
    for anchor in (stamp, mail):
        core.writer.run(partial(keep_anchor, anchor=anchor))


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_officer_sees_every_anchor_and_what_is_missing(core: Core, now: Clock, somebody: PersonMaker) -> None:
    keep_two(core, now)
    page = somebody(Role.PRIVACY_OFFICER).get("/console/anchors")
    text = text_of(page)
    assert page.status_code == 200
    assert "An anchor missing: no place outside this server" in text
    assert text.index("E-mail Failed the server <answered> 503 (3 attempts) 1,201") < text.index(
        "Timestamp (RFC 3161) Kept 1,200 checkpoint , timestamp"
    )


def test_the_files_are_what_was_sent_and_what_came_back(core: Core, now: Clock, somebody: PersonMaker) -> None:
    keep_two(core, now)
    officer = somebody(Role.PRIVACY_OFFICER)
    note, stamp = (
        officer.get("/console/anchors/stamp/checkpoint.txt"),
        officer.get("/console/anchors/stamp/checkpoint.tsr"),
    )
    assert (note.data.decode(), stamp.data) == (NOTE, TOKEN)
    assert stamp.headers["Content-Disposition"] == 'attachment; filename="checkpoint-1200.tsr"'
    assert officer.get("/console/anchors/mail/checkpoint.tsr").status_code == 404
    assert officer.get("/console/anchors/none/checkpoint.txt").status_code == 404


@pytest.mark.parametrize("path", ["", "/stamp/checkpoint.txt", "/stamp/checkpoint.tsr"])
def test_an_analyst_sees_none_of_it(core: Core, now: Clock, somebody: PersonMaker, path: str) -> None:
    keep_two(core, now)
    assert somebody(Role.ANALYST).get(f"/console/anchors{path}").status_code == 403
    assert somebody(Role.VIEWER).client.get(f"/console/anchors{path}").status_code == 403
