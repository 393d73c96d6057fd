"""A file that is replaced is used without a restart; one that is broken leaves the last whole one in use."""

from __future__ import annotations

import os
from pathlib import Path

from consent_service.browser.watched import LOOK_EVERY_SECONDS, WatchedFile


class Seconds:
    """A clock of seconds that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def read_number(path: Path) -> int:
    return int(path.read_text())


def put(path: Path, text: str) -> None:
    other = path.with_name("new")
    other.write_text(text)
    os.replace(other, path)


def test_the_newest_whole_file_is_used(tmp_path: Path) -> None:
    path, clock = tmp_path / "number", Seconds()
    path.write_text("1")
    watched = WatchedFile(path, read_number, clock)
    put(path, "2")
    assert watched.get() == 1
    clock.now += LOOK_EVERY_SECONDS
    assert watched.get() == 2
    for broken in ("none", ""):
        put(path, broken)
        clock.now += LOOK_EVERY_SECONDS
        assert watched.get() == 2
    path.unlink()
    clock.now += LOOK_EVERY_SECONDS
    assert watched.get() == 2
    put(path, "3")
    clock.now += LOOK_EVERY_SECONDS
    assert watched.get() == 3
