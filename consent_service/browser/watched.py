"""Use a file that is replaced while the process runs: the newest whole one, looked at now and then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

log = logging.getLogger("consent_service")

LOOK_EVERY_SECONDS: Final = 10.0

T = TypeVar("T")
# What tells one file from its successor.
_Mark = tuple[int, int, int]


class WatchedFile(Generic[T]):
    """Hold what was read of a file; a file that cannot be read leaves what was read before it.

    `read` raises an Exception for a file that is none of its kind. Put a new file in place by renaming it: one that is
    written over can be read half.
    """

    def __init__(self, path: Path, read: Callable[[Path], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._mark = _mark(path)
        self._held = read(path)
        self._looked_at = clock()

    def get(self) -> T:
        """Give what the file holds; at most ten seconds behind."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._look()
            finally:
                self._lock.release()
        return self._held

    def _look(self) -> None:
        mark = _mark(self._path)
        if mark is None or mark == self._mark:
            return
        self._mark = mark
        try:
            self._held = self._read(self._path)
        except (OSError, ValueError, RuntimeError) as error:
            log.warning("%s was replaced by something else and is not used: %s", self._path.name, type(error).__name__)
        else:
            log.info("%s was replaced and is used from now on", self._path.name)


def _mark(path: Path) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
