"""Bring a deployment back to a backup, and what was withdrawn and erased since with it, before anything is served."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, make_url

from consent_service.config import Config
from consent_service.consent.replay import replay
from consent_service.db.audit import note
from consent_service.db.engine import is_sqlite, make_engine
from consent_service.db.journal import BACKUPS_LIVE, Journal, read_journal
from consent_service.db.migrate import upgrade
from consent_service.db.schema import state
from consent_service.locks import RESTORE
from consent_service.serve.backup import (
    EVENTS,
    KEYS,
    BadBackup,
    Manifest,
    check_members,
    extract,
    open_backup,
    sync_directory,
)
from consent_service.serve.copying import (
    TABLES,
    RowsDamaged,
    empty_all,
    finish_writing,
    settle_file,
    write_table,
)

# While this file is there a restore was begun and not finished, and nothing may be served.
STAGING: Final = "restore.part"
# Clocks of several processes differ, and a transaction notes its time some moments before it commits.
MARGIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Restored:
    """Tell to which time a deployment was brought back, and what was done again since.

    `unreadable` lines of the journal were cut short; `strangers` are events erased because nobody knew their receipt.
    """

    begun_at: datetime
    replayed: Counter[str]
    unreadable: int
    strangers: int


def check_backup(path: Path, now: datetime) -> Manifest:
    """Read a whole backup without changing anything; raises BadBackup for one that cannot be restored here and now."""
    with open_backup(path) as (archive, manifest):
        if now - manifest.begun_at > BACKUPS_LIVE:
            raise BadBackup(
                f"{path} is older than {BACKUPS_LIVE.days} days: what was erased since is no longer all known; "
                "take a newer one"
            )
        check_members(path, archive, manifest)
    return manifest


def put_back_keys(path: Path, data_dir: Path) -> None:
    """Write the keys of a backup where there are none; those that are there are as new or newer."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_backup(path) as (archive, manifest):
        for name in KEYS:
            if name in manifest.members and not (data_dir / name).exists():
                extract(archive, name, data_dir / f"{name}.part")
                os.replace(data_dir / f"{name}.part", data_dir / name)


def restore_backup(config: Config, path: Path, now: Callable[[], datetime]) -> Restored:
    """Bring everything back from a checked backup, and erase again what was erased since; raises BadBackup.

    Nobody else may use the deployment meanwhile. Stopped in the middle it can be begun again: until it is done the mark
    keeps everything else from working here.
    """
    begun_at, replayed, unreadable = _restore_stores(config, path, now())
    strangers = _settle(config, now)
    (config.data_dir / RESTORE).unlink()
    sync_directory(config.data_dir)
    return Restored(begun_at, replayed, unreadable, strangers)


def _settle(config: Config, now: Callable[[], datetime]) -> int:
    from consent_service.core import make_core
    from consent_service.serve.keeping import Keeping

    core = make_core(config, now)
    try:
        keeping = Keeping(config, core)
        try:
            keeping.keeper.settle()
            return keeping.keeper.forget_strangers()
        finally:
            keeping.keeper.close()
    finally:
        core.close()


def _restore_stores(config: Config, path: Path, now: datetime) -> tuple[datetime, Counter[str], int]:
    with open_backup(path) as (archive, manifest):
        _refuse_other_schema(path, manifest)
        _refuse_other_store(config, path, manifest)
        journal = read_journal(config.journal_path, manifest.begun_at - MARGIN)
        staging = config.data_dir / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        inboxes = [name for name in manifest.members if name.startswith("inbox/")]
        for name in (*(name for name in (EVENTS,) if name in manifest.members), *inboxes):
            extract(archive, name, staging / Path(name).name)
        _mark(config.data_dir, path)
        try:
            replayed = _restore_database(config, archive, manifest, journal, path, now)
        except RowsDamaged as error:
            raise BadBackup(f"{path} is damaged ({error}); take another backup") from error
        _place_files(config, staging, [Path(name).name for name in inboxes])
    return manifest.begun_at, replayed, journal.unreadable


def _refuse_other_schema(path: Path, manifest: Manifest) -> None:
    memory = make_engine("sqlite://")
    head = state(memory).head
    memory.dispose()
    if manifest.revision != head:
        raise BadBackup(
            f"{path} was written by consent-service {manifest.program} (schema {manifest.revision}), this one has "
            f"{head}; restore with that version, then run: consent-service db upgrade"
        )


def _refuse_other_store(config: Config, path: Path, manifest: Manifest) -> None:
    is_embedded = EVENTS in manifest.members
    if is_embedded and config.events_url is not None:
        raise BadBackup(
            f"{path} holds events and EVENTS_URL names ClickHouse; leave EVENTS_URL out, restore, and then move them "
            "with: consent-service migrate-events"
        )
    if not is_embedded and config.events_url is None:
        raise BadBackup(f"the events of {path} were in ClickHouse; set EVENTS_URL to where they are, and try again")


def _restore_database(
    config: Config, archive: zipfile.ZipFile, manifest: Manifest, journal: Journal, path: Path, now: datetime
) -> Counter[str]:
    """Fill the database in one transaction, on SQLite in a new file that then takes the place of the old one."""
    target = make_url(config.database_url)
    new = Path(f"{target.database}.restored")
    engine = make_engine(config.database_url)
    is_file = is_sqlite(engine)
    if is_file:
        engine.dispose()
        _remove_database(new)
        engine = make_engine(target.set(database=str(new)))
    try:
        upgrade(engine)
        with engine.connect().execution_options(consent_writes=True) as connection, connection.begin():
            replayed = _fill(connection, archive, manifest, journal, is_file)
            detail = {"begun_at": manifest.begun_at.isoformat(), **replayed}
            note(connection, at=now, actor="command line", action="restore", subject=path.name, detail=detail)
        settle_file(engine)
    finally:
        engine.dispose()
    if is_file:
        _swap_database(new, Path(str(target.database)))
    return replayed


def _fill(
    connection: Connection, archive: zipfile.ZipFile, manifest: Manifest, journal: Journal, is_file: bool
) -> Counter[str]:
    if not is_file:
        empty_all(connection)
    for table in TABLES:
        with archive.open(f"database/{table.name}.ndjson") as lines:
            write_table(connection, table, lines)
    finish_writing(connection)
    return replay(connection, journal.lines, manifest.begun_at - MARGIN)


def _swap_database(new: Path, place: Path) -> None:
    os.chmod(new, 0o600)
    # First the old log: it must never be read as the log of the new file.
    for ending in ("-wal", "-shm"):
        place.with_name(place.name + ending).unlink(missing_ok=True)
    os.replace(new, place)
    _remove_database(new)
    sync_directory(place.parent)


def _place_files(config: Config, staging: Path, inboxes: list[str]) -> None:
    events = config.events_path
    for beside in (".wal", ".rewritten", ".rewritten.wal"):
        events.with_name(events.name + beside).unlink(missing_ok=True)
    if (staging / EVENTS).exists():
        os.replace(staging / EVENTS, events)
    config.inbox_dir.mkdir(mode=0o700, exist_ok=True)
    for old in config.inbox_dir.glob("inbox-*.sqlite*"):
        old.unlink()
    for name in inboxes:
        os.replace(staging / name, config.inbox_dir / name)
    for directory in (config.data_dir, config.inbox_dir):
        sync_directory(directory)
    shutil.rmtree(staging, ignore_errors=True)


def _mark(data_dir: Path, path: Path) -> None:
    with (data_dir / RESTORE).open("w") as file:
        file.write(f"{path}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_directory(data_dir)


def _remove_database(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
