"""Anchors: once a day to each place, again after a failure, told of when they are missing, and shown to the officer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from consent_service.anchor_settings import AnchorSettings, Authority, Webhook
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.ledger.anchors import Anchor, Kind, Status, anchor_warnings, list_anchors
from consent_service.ledger.integrator import Integrator
from consent_service.serve.anchoring import Anchoring
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.ledger.outside import Asked, OpenSslAuthority, OutsideServer, answering, make_authority, stamping

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpenSslAuthority:
    """Give an authority of OpenSSL."""
    return make_authority(tmp_path_factory.mktemp("authority") / "stamps")


@pytest.fixture
def stamps(authority: OpenSslAuthority) -> Iterator[OutsideServer]:
    """Run its server."""
    with stamping(authority) as made:
        yield made


@pytest.fixture
def checkpoint(core: Core, site: Site) -> str:
    """Log what there is of the site, and give the signed checkpoint."""
    Integrator(core.engine, core.writer, core.config.data_dir, core.now).integrate()
    with core.engine.connect() as connection:
        return str(connection.execute(select(ledger_checkpoint.c.note)).scalar_one())


def anchoring(core: Core, settings: AnchorSettings) -> Anchoring:
    """Give what the keeper's thread runs, with these settings."""
    return Anchoring(replace(core, config=replace(core.config, anchors=settings)))


def kept(core: Core) -> list[Anchor]:
    with core.engine.connect() as connection:
        return list_anchors(connection, 100)


def warnings(core: Core, settings: AnchorSettings) -> list[str]:
    with core.engine.connect() as connection:
        return anchor_warnings(connection, settings, core.now())


@both
def test_each_place_gets_the_checkpoint_once_a_day(
    core: Core, now: Clock, checkpoint: str, stamps: OutsideServer, authority: OpenSslAuthority
) -> None:
    with answering(lambda _: (200, {}, b"")) as hook:
        settings = AnchorSettings(Authority(stamps.url, authority.root.read_bytes()), Webhook(hook.url, b"s" * 32))
        daily = anchoring(core, settings)
        daily.run_due()
        daily.run_due()
        first = kept(core)
        now.move(hours=24)
        daily.run_due()
    assert [(item.kind, item.status, item.note) for item in sorted(first, key=lambda item: item.kind)] == [
        ("timestamp", "done", checkpoint),
        ("webhook", "done", checkpoint),
    ]
    [stamp] = [item for item in first if item.kind == Kind.TIMESTAMP]
    assert stamp.token is not None
    assert authority.verifies(stamp.token, checkpoint)
    assert (len(kept(core)), len(stamps.asked), len(hook.asked)) == (4, 2, 2)
    assert warnings(core, settings) == []


@both
def test_a_failure_is_tried_again_less_and_less_often_and_told_of(core: Core, now: Clock, checkpoint: str) -> None:
    is_up = False

    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return (200 if is_up else 503), {}, b""

    with answering(answer) as hook:
        settings = AnchorSettings(webhook=Webhook(hook.url, b"s" * 32))
        daily = anchoring(core, settings)
        daily.run_due()
        attempts = []
        for _ in range(24 * 60):
            now.move(minutes=1)
            attempts += [now() for _ in daily.run_due()]
        pauses = [
            (later - earlier) / timedelta(minutes=1) for earlier, later in zip(attempts, attempts[1:], strict=False)
        ]
        [failed] = kept(core)
        assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
        assert (failed.status, failed.error, failed.attempts) == ("failed", "the server answered 503", 12)
        [warning] = warnings(core, settings)
        assert warning.startswith(
            "an anchor missing: no webhook of the ledger has succeeded ever (the server answered 503)"
        )
        is_up = True
        now.move(hours=6)
        daily.run_due()
    [mended] = kept(core)
    assert (mended.anchor_id, mended.status, mended.error) == (failed.anchor_id, "done", None)
    assert warnings(core, settings) == []


@both
def test_an_anchor_of_more_than_two_days_ago_is_missing(core: Core, now: Clock, checkpoint: str) -> None:
    with answering(lambda _: (200, {}, b"")) as hook:
        settings = AnchorSettings(webhook=Webhook(hook.url, b"s" * 32))
        anchoring(core, settings).run_due()
    now.move(hours=48)
    assert warnings(core, settings) == []
    now.move(seconds=1)
    assert [text.partition(":")[0] for text in warnings(core, settings)] == ["an anchor missing"]


def test_no_configured_anchor_is_a_missing_one(core: Core) -> None:
    [warning] = warnings(core, AnchorSettings())
    assert warning.startswith("an anchor missing")


def test_nothing_is_anchored_before_there_is_a_checkpoint(core: Core) -> None:
    with answering(lambda _: (200, {}, b"")) as hook:
        assert anchoring(core, AnchorSettings(webhook=Webhook(hook.url, b"s" * 32))).run_due() == []
    assert (hook.asked, kept(core)) == ([], [])


def test_a_place_that_hangs_keeps_only_its_own_thread(core: Core, checkpoint: str) -> None:
    """The thread ends with the keeper, whatever the server outside does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        daily = anchoring(core, AnchorSettings(webhook=Webhook(url, b"s" * 32)))
        daily.start()
        connection, _ = silent.accept()
        assert connection.recv(4) == b"POST"
        core.writer.run(lambda _: None)
        connection.close()
        daily.close()
    assert [(item.status, item.attempts) for item in kept(core)] == [(Status.FAILED, 1)]
