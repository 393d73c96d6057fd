"""Write everything a deployment is made of into one file, beside a running server, and read such a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson

import consent_service
from consent_service.core import Core
from consent_service.db.schema import state
from consent_service.events.duckdb import compact_copy
from consent_service.serve.copying import TABLES, begin_reading, read_table

FORMAT: Final = "consent-service backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
EVENTS: Final = "events.duckdb"
# What signs goes along, so that no visitor is asked again. Never ledger.guard: it is what notices a restore.
KEYS: Final = ("secrets.json", "ledger.json")
STAGING: Final = "backup.part"
_BLOCK: Final = 1024 * 1024
_MANIFEST_BYTES: Final = 16 * 1024 * 1024


class BadBackup(Exception):
    """Tell why a file cannot be restored, and the mend; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Hold what a backup says of itself; `members` are the SHA-256 of each file in it."""

    program: str
    revision: str
    begun_at: datetime
    members: dict[str, str]


def write_backup(core: Core, path: Path, take_snapshot: Callable[[Path], None]) -> dict[str, Any]:
    """Write a backup; the file is there whole or not at all. Raises BadBackup.

    `take_snapshot` lets the keeper copy event store and inboxes into a directory. The main database is read after
    them: so each event's receipt is in the backup too.
    """
    if path.exists() and not is_backup(path):
        raise BadBackup(f"{path} is there and is no backup; name another file")
    begun_at, part = core.now(), path.with_name(f"{path.name}.part")
    with _staging(core.config.data_dir) as staging:
        take_snapshot(staging)
        if (staging / EVENTS).exists():
            # What was erased leaves the copy too: it is not to lie about in backups for weeks.
            compact_copy(staging / EVENTS)
        try:
            rows = _write(core, part, staging, begun_at)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    sync_directory(path.parent)
    return {"file": str(path), "bytes": path.stat().st_size, "begun_at": begun_at, "rows": rows}


def _write(core: Core, part: Path, staging: Path, begun_at: datetime) -> dict[str, int]:
    rows: dict[str, int] = {}
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            members: dict[str, str] = {}
            with core.engine.connect() as connection:
                begin_reading(connection)
                for table in TABLES:
                    counted = _Counted(read_table(connection, table))
                    members[f"database/{table.name}.ndjson"] = _add(archive, f"database/{table.name}.ndjson", counted)
                    rows[str(table.name)] = counted.number
            for path in sorted(staging.glob("inbox-*.sqlite")):
                members[f"inbox/{path.name}"] = _add(archive, f"inbox/{path.name}", _blocks(path))
            if (staging / EVENTS).exists():
                members[EVENTS] = _add(archive, EVENTS, _blocks(staging / EVENTS))
            for name in KEYS:
                if (core.config.data_dir / name).is_file():
                    members[name] = _add(archive, name, _blocks(core.config.data_dir / name))
            document = {
                "format": FORMAT,
                "v": VERSION,
                "program": consent_service.__version__,
                "revision": state(core.engine).head,
                "begun_at": begun_at.isoformat(),
                "members": members,
            }
            archive.writestr(MANIFEST, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    return rows


def is_backup(path: Path) -> bool:
    """Tell whether a file is a backup, as far as its end says."""
    with suppress(BadBackup), open_backup(path):
        return True
    return False


@contextmanager
def open_backup(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup and read its manifest; raises BadBackup for anything else."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise BadBackup(f"{path}: {error.strerror}; name a file that can be read") from error
    except zipfile.BadZipFile as error:
        raise BadBackup(f"{path} is no backup, or only a part of one; take another") from error
    with archive:
        yield archive, _read_manifest(path, archive)


def check_members(path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Read every member once and compare it with what the manifest says; raises BadBackup."""
    if sorted(archive.namelist()) != sorted([*manifest.members, MANIFEST]):
        raise BadBackup(f"{path} holds other files than it says; take another backup")
    for name, expected in manifest.members.items():
        digest = hashlib.sha256()
        try:
            with archive.open(name) as member:
                while block := member.read(_BLOCK):
                    digest.update(block)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            raise BadBackup(f"{path} is damaged ({name} cannot be read); take another backup") from error
        if digest.hexdigest() != expected:
            raise BadBackup(f"{path} is damaged ({name} is not what was written); take another backup")


def extract(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    """Write a member to a file that only its owner can read."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file, archive.open(name) as member:
        shutil.copyfileobj(member, file, _BLOCK)
        file.flush()
        os.fsync(file.fileno())


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    foreign = BadBackup(f"{path} is no backup of consent-service; name one that `consent-service backup` wrote")
    try:
        if archive.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
            raise foreign
        document = orjson.loads(archive.read(MANIFEST))
        if (document["format"], document["v"]) != (FORMAT, VERSION):
            raise foreign
        members = {str(name): str(digest) for name, digest in document["members"].items()}
        begun_at = datetime.fromisoformat(document["begun_at"])
        return Manifest(str(document["program"]), str(document["revision"]), begun_at, members)
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise foreign from error


class _Counted:
    """Count lines as they go by."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.number += 1
            yield line


def _add(archive: zipfile.ZipFile, name: str, blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as member:
        for block in blocks:
            digest.update(block)
            member.write(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _read_blocks(file)


def _read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    directory = data_dir / STAGING
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def sync_directory(directory: Path) -> None:
    """Bring what was made and renamed in a directory to the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
