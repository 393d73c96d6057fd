"""A damaged inbox costs what stood on the damaged bytes and nothing else, and never ends the keeper."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from consent_service.collect.inbox import Inbox
from consent_service.collect.inbox_file import InboxDamaged, InboxReader
from consent_service.config import Config
from consent_service.consent.gate import Grant
from consent_service.events.store import StoreUnavailable
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.serve.sending import another_inbox, event, stored_paths
from tests.integration.visitor import Visitor

# Each row fills a good part of a page of 4096 bytes, so that a page holds one or two.
LONG = "x" * 2000
ROWS = 60


def append(inbox: Inbox, grant: Grant, at: datetime, paths: list[str]) -> None:
    inbox.append_many([(grant, at, [event(at, path=path, query=LONG)]) for path in paths])


def spoil_page(path: Path, wanted: bytes) -> None:
    """Overwrite the page of a closed log's file that holds some bytes."""
    reader = InboxReader(path)
    reader.shrink()
    reader.close()
    content = bytearray(path.read_bytes())
    start = content.index(wanted) // 4096 * 4096
    content[start : start + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def spoil_row(path: Path, seq: int) -> None:
    """Leave a row that SQLite reads well and that nobody can have written."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE item SET body = ? WHERE seq = ?", (b'{"grant": 7}', seq))
    connection.close()


@pytest.mark.parametrize("how", ["page", "row"])
def test_what_lies_around_the_damage_is_stored_and_the_worker_goes_on(
    visitor: Visitor, keeper: KeeperInHand, config: Config, grant: Grant, now: Clock, how: str
) -> None:
    paths = [f"/{number:03}/{uuid4()}" for number in range(ROWS)]
    with another_inbox(config) as hurt, another_inbox(config) as well:
        append(hurt, grant, now(), paths)
        append(well, grant, now(), ["/in-another-inbox"])
        damaged = hurt.path
        if how == "page":
            spoil_page(damaged, paths[ROWS // 2].encode())
        else:
            spoil_row(damaged, ROWS // 2)
        keeper.turn()
        found = set(stored_paths(keeper))
        assert "/in-another-inbox" in found
        lost = set(paths) - found
        assert len(lost) <= 3
        assert found >= {paths[0], paths[-1]}
        append(hurt, grant, now(), ["/after-the-damage"])
        keeper.turn()
        assert "/after-the-damage" in stored_paths(keeper)
        assert hurt.path != damaged
        assert keeper.keeping.do("status", {})["damaged_inboxes"] == [damaged.name]
        assert len(stored_paths(keeper)) == ROWS - len(lost) + 2


def test_a_file_that_is_no_inbox_is_left_aside_and_its_worker_takes_another(
    keeper: KeeperInHand, config: Config, grant: Grant, now: Clock
) -> None:
    config.inbox_dir.mkdir(exist_ok=True)
    with another_inbox(config) as inbox:
        inbox.path.write_bytes(b"no database at all" * 1000)
        keeper.turn()
        append(inbox, grant, now(), ["/a"])
        keeper.turn()
        assert stored_paths(keeper) == ["/a"]
    assert len(keeper.keeper.inboxes.damaged()) == 1


def test_erasures_run_although_an_inbox_is_damaged(
    visitor: Visitor, keeper: KeeperInHand, config: Config, grant: Grant, now: Clock
) -> None:
    visitor.pageview("/of-the-visitor")
    keeper.turn()
    with another_inbox(config) as hurt:
        append(hurt, grant, now(), ["/1", "/2"])
        spoil_row(hurt.path, 1)
        visitor.withdraw()
        loop = threading.Thread(target=keeper.keeping.run)
        loop.start()
        keeper.keeping.act("drain", {})
        assert loop.is_alive()
        keeper.keeping.end()
        loop.join(30)
    assert stored_paths(keeper) == []


def test_a_damaged_inbox_is_told_from_one_that_cannot_be_read_at_present(tmp_path: Path) -> None:
    path = tmp_path / "inbox-000.sqlite"
    path.write_bytes(b"?" * 9000)
    with pytest.raises(InboxDamaged):
        InboxReader(path)


def test_a_keeper_whose_store_is_gone_ends_to_be_started_again(keeper: KeeperInHand, config: Config) -> None:
    with config.events_path.open("r+b") as file:
        file.write(b"\0" * 4096)
    with pytest.raises(StoreUnavailable):
        keeper.keeper.compact()
    with pytest.raises(StoreUnavailable):
        keeper.keeping.run()
