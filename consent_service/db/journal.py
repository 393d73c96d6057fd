"""Keep beside the main database what a restored backup must not forget: every withdrawal, erasure, removal and hold."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

# A backup is restored for 35 days at most; what was erased since is known for a little longer.
BACKUPS_LIVE: Final = timedelta(days=35)
KEEP_LINES: Final = timedelta(days=40)

_LINES: Final = "consent_journal_lines"
_MARKS: Final = "consent_journal_marks"


@dataclass(frozen=True, slots=True)
class Journal:
    """Hold the lines of a time, the oldest first; `unreadable` counts those that a power cut left half written."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    unreadable: int = 0


def note_for_restore(connection: Connection, kind: str, at: datetime, /, **members: Any) -> None:
    """Note in the running transaction what a restored backup has to hear of: on disk before the commit is.

    A line whose commit fails stays: what somebody asked to be forgotten is then forgotten by a restore all the same.
    """
    line = {"v": 1, "type": kind, "at": at.isoformat(), **members}
    connection.info.setdefault(_LINES, []).append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def watch(engine: Engine, path: Path) -> None:
    """Write what transactions of an engine note, each before its commit; one that cannot be written is not committed.

    The commit then raises OperationalError, as for a database that is down.
    """

    @event.listens_for(engine, "begin")
    @event.listens_for(engine, "rollback")
    def forget(connection: Connection) -> None:
        connection.info.pop(_LINES, None)
        connection.info.pop(_MARKS, None)

    # Savepoints end in the opposite order of their beginning; the engine names them only after it tells of them.
    @event.listens_for(engine, "savepoint")
    def mark(connection: Connection, name: str) -> None:
        connection.info.setdefault(_MARKS, []).append(len(connection.info.get(_LINES, ())))

    @event.listens_for(engine, "release_savepoint")
    def keep(connection: Connection, name: str, context: None) -> None:
        connection.info[_MARKS].pop()

    @event.listens_for(engine, "rollback_savepoint")
    def forget_since(connection: Connection, name: str, context: None) -> None:
        del connection.info.get(_LINES, [])[connection.info[_MARKS].pop() :]

    @event.listens_for(engine, "commit")
    def write(connection: Connection) -> None:
        lines = connection.info.pop(_LINES, None)
        if not lines:
            return
        try:
            _append(path, b"".join(lines))
        except OSError as error:
            raise OperationalError(f"write {path.name}", None, error) from error


def read_journal(path: Path, since: datetime) -> Journal:
    """Read what was noted since a time; a file that is not there holds nothing."""
    found = Journal()
    unreadable = 0
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return found
    for line in text.splitlines():
        if not line:
            continue
        try:
            document = orjson.loads(line)
            at = datetime.fromisoformat(document["at"])
        except (ValueError, KeyError, TypeError):
            unreadable += 1
            continue
        if at >= since:
            found.lines.append(document)
    return Journal(found.lines, unreadable)


def prune(path: Path, before: datetime) -> int:
    """Forget what no backup that may be restored can be older than; gives how many lines went."""
    if not path.exists():
        return 0
    with _held(path) as file:
        lines = Path(f"/proc/self/fd/{file}").read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not _is_before(line, before)]
        if len(kept) == len(lines):
            return 0
        new = path.with_name(f"{path.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as copy:
            copy.writelines(kept)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(new, path)
        _sync_directory(path)
    return len(lines) - len(kept)


def _append(path: Path, data: bytes) -> None:
    is_new = not path.exists()
    with _held(path) as file:
        size = os.fstat(file).st_size
        # After a power cut the last line may have no end: it must not spoil this one.
        if size and os.pread(file, 1, size - 1) != b"\n":
            data = b"\n" + data
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    if is_new:
        _sync_directory(path)


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """Open the file for this process alone; one that was replaced meanwhile is opened anew."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def _is_at(path: Path, file: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file).st_ino
    except FileNotFoundError:
        return False


def _is_before(line: bytes, before: datetime) -> bool:
    try:
        document: Mapping[str, Any] = orjson.loads(line)
        return datetime.fromisoformat(document["at"]) < before
    except (ValueError, KeyError, TypeError):
        return False


def _sync_directory(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
