"""Keep the files of a DuckDB store: its place, its spill directory, its rewriting without deleted bytes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from consent_service.events.store import StoreUnavailable

# No extension is ever fetched; everything used here is inside the library.
_SETTINGS: Final = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@dataclass(frozen=True, slots=True)
class Files:
    """Hold where a store lives and how much it may use."""

    path: Path
    memory_limit: str
    threads: int

    @property
    def log(self) -> Path:
        """Name the write-ahead log DuckDB keeps beside the file."""
        return self.path.with_name(self.path.name + ".wal")

    @property
    def spill(self) -> Path:
        """Name the directory where large sorts and joins spill."""
        return self.path.with_name(self.path.name + ".spill")

    @property
    def rewritten(self) -> Path:
        """Name the file a compaction writes before it takes the store's place."""
        return self.path.with_name(self.path.name + ".rewritten")

    def size(self) -> int:
        """Give the bytes of the file and its log."""
        return sum(path.stat().st_size for path in (self.path, self.log) if path.exists())

    def tidy(self) -> None:
        """Remove what a crash may have left: a half-written copy and spilled rows."""
        self.rewritten.unlink(missing_ok=True)
        self.rewritten.with_name(self.rewritten.name + ".wal").unlink(missing_ok=True)
        shutil.rmtree(self.spill, ignore_errors=True)

    def open(self) -> duckdb.DuckDBPyConnection:
        """Open the store for this process alone; raises StoreUnavailable with the reason."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = self._connect(str(self.path))
            connection.execute("SET GLOBAL enable_external_access = false")
        except duckdb.Error as error:
            raise StoreUnavailable(f"the event store {self.path} cannot be opened: {error}") from error
        os.chmod(self.path, 0o600)
        return connection

    def rewrite(self) -> None:
        """Copy everything that is not deleted into a new file, which then takes the place of the old one.

        The store must be closed. Until the new file is complete and synced the old one stays as it is.
        """
        if self.log.exists():
            raise StoreUnavailable(f"{self.log.name} is still there: a log of the old file would spoil the new")
        self.tidy()
        connection = self._connect(":memory:")
        try:
            connection.execute(f"ATTACH {_quote(self.path)} AS old_file (READ_ONLY)")
            connection.execute(f"ATTACH {_quote(self.rewritten)} AS new_file")
            connection.execute("COPY FROM DATABASE old_file TO new_file")
            # Whichever file a crash leaves in place says rightly whether deleted bytes are in it.
            connection.execute("DELETE FROM new_file.deletion")
            connection.execute("CHECKPOINT new_file")
            connection.execute("DETACH new_file")
            connection.execute("DETACH old_file")
        finally:
            connection.close()
        os.chmod(self.rewritten, 0o600)
        _sync(self.rewritten)
        os.replace(self.rewritten, self.path)
        _sync(self.path.parent)
        self.tidy()

    def copy(self, path: Path) -> None:
        """Copy file and log, while nobody writes, to where another store can be opened from them."""
        for source, target in ((self.path, path), (self.log, path.with_name(path.name + ".wal"))):
            if source.exists():
                shutil.copyfile(source, target)
                os.chmod(target, 0o600)

    def _connect(self, place: str) -> duckdb.DuckDBPyConnection:
        limits = {
            "memory_limit": self.memory_limit,
            "threads": str(self.threads),
            "temp_directory": str(self.spill),
        }
        connection = duckdb.connect(place, config={**_SETTINGS, **limits})
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        return connection


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
