"""Hold the inboxes that the keeper drains, of living and of dead workers, and leave damaged ones aside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from consent_service.collect.inbox_file import (
    InboxDamaged,
    InboxError,
    InboxReader,
    damage_mark,
    damaged_files,
    inbox_files,
)

log = logging.getLogger("consent_service")


class Inboxes:
    """Open inboxes as they appear; `watermark` tells up to which number one is stored already."""

    def __init__(self, directory: Path, watermark: Callable[[str], int]) -> None:
        self._directory = directory
        self._watermark = watermark
        self._open: dict[str, InboxReader] = {}
        self._unreadable: set[str] = set()

    def all(self) -> list[InboxReader]:
        """Give every inbox that can be read at present."""
        for path in inbox_files(self._directory):
            if path.name not in self._open:
                self._try_to_open(path)
        return list(self._open.values())

    def damaged(self) -> list[str]:
        """Name those that were left aside."""
        return damaged_files(self._directory)

    def report(self, name: str, error: InboxError) -> None:
        """Say once that an inbox cannot be read at present."""
        if name not in self._unreadable:
            self._unreadable.add(name)
            log.warning("the inbox %s cannot be read at present: %s", name, error)

    def leave(self, name: str, error: InboxDamaged) -> None:
        """Mark an inbox as damaged: from now on its worker writes another one, and nobody reads this one."""
        log.error("the inbox %s is damaged and left aside: %s", name, error)
        damage_mark(self._directory / name).touch()
        self._open.pop(name, None)

    def close(self) -> None:
        """Let go of all."""
        for inbox in self._open.values():
            inbox.close()

    def _try_to_open(self, path: Path) -> None:
        try:
            reader = InboxReader(path)
            # What a crash left between storing and deleting is stored already.
            reader.delete_through(self._watermark(reader.inbox_id))
        except InboxDamaged as error:
            self.leave(path.name, error)
        except InboxError as error:
            self.report(path.name, error)
        else:
            self._open[path.name] = reader
            self._unreadable.discard(path.name)
