"""What an inbox has taken is on disk, in order, until the keeper deletes it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from consent_service.collect.inbox import Inbox
from consent_service.collect.inbox_file import InboxReader, count_items, inbox_files
from consent_service.consent.gate import GateRules, Grant, ReceiptState, check
from consent_service.errors import Unavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def grant() -> Grant:
    state = ReceiptState("a" * 32, 1, 7, "d", NOW, NOW, NOW + timedelta(days=9), 1, "h", ("m",), (), False, False)
    made = check(state, GateRules(1, "m", frozenset({"page"}), 1, False), now=NOW, has_signal=False)
    assert isinstance(made, Grant)
    return made


def test_events_of_many_threads_are_all_kept(tmp_path: Path, grant: Grant) -> None:
    inbox = Inbox(tmp_path)
    threads = [
        threading.Thread(target=inbox.append, args=(grant, NOW, [{"event_id": f"{number:032x}"}]))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = InboxReader(inbox.path)
    items = reader.items(0, 100)
    assert {item.body["events"][0]["event_id"] for item in items} == {f"{number:032x}" for number in range(40)}
    reader.delete_through(items[-1].seq)
    assert reader.items(0, 100) == []
    inbox.append(grant, NOW, [{"event_id": "later"}])
    assert reader.items(items[-1].seq, 9)[0].seq == items[-1].seq + 1
    inbox.close()


def test_counts_are_summed_and_written_when_the_inbox_closes(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    for _ in range(5):
        inbox.count(1, date(2026, 3, 1), "bot")
    inbox.close()
    items = InboxReader(inbox.path).items(0, 9)
    counted = [count for item in items for count in count_items(item)]
    assert sum(n for _, n in counted) == 5
    assert {key for key, _ in counted} == {(1, date(2026, 3, 1), "bot")}


def test_two_processes_never_share_a_file_and_a_dead_ones_is_taken_over(tmp_path: Path) -> None:
    first, second = Inbox(tmp_path), Inbox(tmp_path)
    assert first.path != second.path
    first.close()
    third = Inbox(tmp_path)
    assert third.path == first.path
    second.close()
    third.close()
    assert len(inbox_files(tmp_path)) <= 2


def test_what_cannot_be_written_is_refused_and_recovers_alone(tmp_path: Path, grant: Grant) -> None:
    inbox = Inbox(tmp_path)
    # A folder in the file's place stands for a disk that refuses.
    inbox.path.mkdir()
    with pytest.raises(Unavailable):
        inbox.append(grant, NOW, [{"event_id": "lost"}])
    inbox.path.rmdir()
    inbox.append(grant, NOW, [{"event_id": "kept"}])
    assert [item.body["events"][0]["event_id"] for item in InboxReader(inbox.path).items(0, 9)] == ["kept"]
    inbox.close()


def test_keeper_and_worker_may_open_a_new_inbox_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(20):
        path, together = tmp_path / f"inbox-{number:03}.sqlite", threading.Barrier(4)
        ids: list[str] = []

        def read(path: Path = path, together: threading.Barrier = together, ids: list[str] = ids) -> None:
            together.wait()
            reader = InboxReader(path)
            ids.append(reader.inbox_id)
            reader.close()

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 4
        assert len(set(ids)) == 1
