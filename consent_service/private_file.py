"""Keep small files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from consent_service.problems import Problem, ProblemsError


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place for its owner alone: after a power cut it is the old one or the new one, whole."""
    temporary = path.with_name(f"{path.name}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_private(path: Path, missing: str) -> bytes:
    """Give a file's content; raises ProblemsError, with the mend, when it is missing or others can read it."""
    place = str(path)
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise ProblemsError([Problem(place, None, missing)]) from None
    except OSError as error:
        raise ProblemsError([Problem(place, None, f"cannot be read: {error.strerror}")]) from None
    if stat.S_IMODE(mode) & 0o077:
        raise ProblemsError([Problem(place, None, f"can be read by others; run: chmod 600 {path}")])
    return content
