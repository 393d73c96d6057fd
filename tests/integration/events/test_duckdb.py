"""The embedded store: each event once, erased ones gone from the disk, reading while writing."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import select

from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch, InboxRange, event
from consent_service.events.store import EventStoreError, StoreBusy, StoreUnavailable
from tests.integration.reading import StoreReader
from tests.unit.events.made import NOON, make_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "events.duckdb"


@pytest.fixture
def store(path: Path) -> Iterator[DuckDBStore]:
    store = DuckDBStore(path, threads=1)
    yield store
    store.close()


def count(store: DuckDBStore, table: str = "event") -> int:
    return int(store.fetch(f"SELECT count(*) FROM {table}", []).rows[0][0])


def receipt(visitor_id: int) -> str:
    return f"{visitor_id:032x}"


def files_hold(directory: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_batch_that_fails_leaves_nothing(store: DuckDBStore) -> None:
    bad = make_row(scroll=10**9)
    with pytest.raises(EventStoreError):
        store.apply(Batch([make_row(), bad], {}, [InboxRange("w1", 5)]), NOON)
    assert (count(store), store.watermark("w1"), count(store, "recent_event")) == (0, 0, 0)


def test_after_compaction_no_byte_of_an_erased_event_is_on_the_disk(store: DuckDBStore, path: Path) -> None:
    secret, kept = "/secret-3f9c1a77", "/kept-77aa01"
    rows = [make_row(minute, visitor_id=2, path=f"{kept}-{minute}") for minute in range(500)]
    store.apply(Batch([*rows, make_row(path=secret, props={"k": secret})]), NOON)
    store.apply(Batch([make_row(1, path=f"{secret}-2")]), NOON)
    store.erase({"e1": receipt(1)}, NOON)
    assert files_hold(path.parent, secret)
    result = store.compact()
    assert not files_hold(path.parent, secret)
    assert files_hold(path.parent, kept)
    assert result.after_bytes == sum(file.stat().st_size for file in path.parent.iterdir())
    assert count(store) == 500
    store.apply(Batch([make_row(2000)], {}, [InboxRange("w1", 5)]), NOON)
    assert (count(store), store.watermark("w1")) == (501, 5)
    assert path.stat().st_mode & 0o777 == 0o600


def test_after_compaction_nobody_holds_the_old_file(store: DuckDBStore, path: Path) -> None:
    store.apply(Batch([make_row(minute) for minute in range(3000)]), NOON)
    asked, go_on = Event(), Event()

    def ask_and_stay() -> None:
        count(store)
        asked.set()
        go_on.wait(10)

    reader = Thread(target=ask_and_stay)
    reader.start()
    assert asked.wait(10)
    chunks = StoreReader(store).stream(select(event.c.event_id), 1000)
    next(chunks)
    store.compact()
    store.apply(Batch([make_row(5000)]), NOON)
    open_files = [os.readlink(link) for link in list(Path("/proc/self/fd").iterdir()) if link.is_symlink()]
    held = {name for name in open_files if name.startswith(str(path))}
    go_on.set()
    reader.join(10)
    assert str(path) in held
    assert not any(name.endswith("(deleted)") for name in held)
    store.close()
    again = DuckDBStore(path, threads=1)
    assert count(again) == 3001
    again.close()


def test_what_a_broken_off_compaction_left_is_removed_and_the_store_is_as_before(path: Path) -> None:
    store = DuckDBStore(path, threads=1)
    store.apply(Batch([make_row()]), NOON)
    store.close()
    for name in (".rewritten", ".rewritten.wal"):
        path.with_name(path.name + name).write_bytes(b"half")
    spill = path.with_name(path.name + ".spill")
    spill.mkdir()
    (spill / "left.tmp").write_bytes(b"spilled")
    store = DuckDBStore(path, threads=1)
    assert count(store) == 1
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_compaction_that_fails_leaves_the_store_open_and_whole(store: DuckDBStore, path: Path) -> None:
    store.apply(Batch([make_row()]), NOON)
    blocked = path.with_name(path.name + ".rewritten")
    blocked.mkdir()
    with pytest.raises(OSError, match="rewritten"):
        store.compact()
    assert count(store) == 1
    blocked.rmdir()
    store.compact()
    assert count(store) == 1


def test_a_store_that_cannot_be_opened_after_a_compaction_says_so_from_then_on(store: DuckDBStore, path: Path) -> None:
    store.apply(Batch([make_row()]), NOON)
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        store.compact()
    with pytest.raises(StoreUnavailable, match="closed"):
        count(store)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.apply(Batch([make_row()]), NOON)


def test_what_the_library_says_of_values_stays_in_it(store: DuckDBStore) -> None:
    with pytest.raises(EventStoreError) as failed:
        store.fetch("SELECT CAST($1 AS INTEGER)", ["a-secret-value"])
    assert "a-secret-value" not in str(failed.value)


def test_many_threads_read_while_one_writes_and_compacts(store: DuckDBStore) -> None:
    store.apply(Batch([make_row(minute) for minute in range(100)]), NOON)
    seen: dict[int, list[int]] = {}
    start = Barrier(5)

    def read(number: int) -> None:
        start.wait(10)
        counts: list[int] = []
        while len(counts) < 40:
            # While the file is swapped whoever asks is told so at once, and asks again.
            with suppress(StoreBusy):
                counts.append(count(store))
        seen[number] = counts

    threads = [Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    start.wait(10)
    for batch in range(10):
        store.apply(Batch([make_row(batch * 10 + minute) for minute in range(10)]), NOON)
        if batch % 4 == 3:
            store.compact()
    for thread in threads:
        thread.join(30)
    assert len(seen) == 4
    for counts in seen.values():
        assert counts == sorted(counts)
        assert all(number % 10 == 0 for number in counts)
    assert count(store) == 200


def test_a_stream_reads_on_while_rows_are_written_and_ends_when_the_file_is_swapped(store: DuckDBStore) -> None:
    store.apply(Batch([make_row(minute) for minute in range(3000)]), NOON)
    statement = select(event.c.event_id)
    chunks = StoreReader(store).stream(statement, 1000)
    assert len(next(chunks)) == 1000
    store.apply(Batch([make_row(5000)]), NOON)
    assert sum(len(chunk) for chunk in chunks) == 2000
    chunks = StoreReader(store).stream(statement, 1000)
    next(chunks)
    store.compact()
    with pytest.raises(StoreBusy):
        next(chunks)


def test_the_store_reads_no_files_and_loads_nothing(store: DuckDBStore, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    for sql in (f"SELECT * FROM read_csv('{tmp_path}/x.csv')", f"ATTACH '{tmp_path}/y.db'", "INSTALL httpfs"):
        with pytest.raises(EventStoreError) as refused:
            store.fetch(sql, [])
        assert re.search(r"(?i)disabled|permission", str(refused.value.__cause__))


def test_a_closed_store_says_so_and_a_file_that_is_none_is_refused(path: Path) -> None:
    store = DuckDBStore(path, threads=1)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.fetch("SELECT 1", [])
    with pytest.raises(StoreUnavailable):
        store.apply(Batch([make_row()]), datetime(2026, 3, 10, tzinfo=UTC))
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        DuckDBStore(path, threads=1)
