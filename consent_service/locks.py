"""Hold a data directory: a lock that dies with its process, so that kill -9 leaves nothing to clean."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

SERVER = "server.lock"
KEEPER = "keeper.lock"
# Stands while a restore is under way, and after one that was cut off.
RESTORE = "restore.begun"


class Locked(Exception):
    """Tell that another process holds the lock; `pid` is its number when it could be read."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is held by process {pid or 'unknown'}")
        self.path = path
        self.pid = pid


def take(path: Path, *, wait_seconds: float = 0.0, pause: Callable[[float], None] = time.sleep) -> IO[str]:
    """Take a lock and write this process's number into it; raises Locked when it is not free in time.

    The lock is held for as long as the file that is given back stays open.
    """
    deadline = time.monotonic() + wait_seconds
    file = path.open("a+")
    os.set_inheritable(file.fileno(), False)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                raise Locked(path, read_holder(path)) from None
            pause(0.05)
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def read_holder(path: Path) -> int | None:
    """Give the number of the living process that holds a lock, or None when nobody does."""
    try:
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _number(file.read(), 0)
    except OSError:
        return None
    return None


def read_port(path: Path) -> int | None:
    """Give the port that the living holder of a server's lock wrote down, or None when there is no such server."""
    if read_holder(path) is None:
        return None
    try:
        return _number(path.read_text(), 1)
    except OSError:
        return None


def _number(text: str, line: int) -> int | None:
    lines = text.splitlines()
    return int(lines[line]) if len(lines) > line and lines[line].isdecimal() else None


def find_unfinished(data_dir: Path) -> str | None:
    """Give the name of the backup whose restore was begun here and not finished."""
    try:
        return (data_dir / RESTORE).read_text().strip()
    except FileNotFoundError:
        return None
