"""Keep the signing keys: made at random by `init`, in a file only its owner can read, never a default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe

import orjson

from consent_service.private_file import read_private, write_private
from consent_service.problems import Problem, ProblemsError

MIN_LENGTH = 32
FILE_NAME = "secrets.json"
# A token lives 395 days at most; its key verifies a little longer.
VERIFYING_LIFE = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Hold one signing key; the newest signs, older ones verify for 400 days after they were replaced."""

    value: str

    def __repr__(self) -> str:
        return "SecretKey(…)"


def parse_keys(value: str) -> tuple[SecretKey, ...]:
    """Read keys, newest first, separated by commas or white space; raises ProblemsError for a short one."""
    keys = [item for item in value.replace(",", " ").split() if item]
    if any(len(item) < MIN_LENGTH for item in keys) or not keys:
        message = f"each key needs {MIN_LENGTH} characters or more, made at random"
        raise ProblemsError([Problem("CONSENT_SERVICE_SECRET_KEYS", None, message)])
    return tuple(SecretKey(item) for item in keys)


def write_secrets(directory: Path, now: datetime) -> None:
    """Make the secrets file with one new key; leaves a file that is there alone."""
    path = directory / FILE_NAME
    if path.exists():
        return
    document = {"keys": [{"key": token_urlsafe(48), "created_at": now.isoformat()}]}
    write_private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def rotate_secrets(directory: Path, now: datetime) -> int:
    """Put a new signing key before the others and drop those that verify no more; gives how many there are."""
    path = directory / FILE_NAME
    valid = read_secrets(directory, now)
    items = orjson.loads(path.read_bytes())["keys"][: len(valid)]
    keys = [{"key": token_urlsafe(48), "created_at": now.isoformat()}, *items]
    write_private(path, orjson.dumps({"keys": keys}, option=orjson.OPT_INDENT_2))
    return len(keys)


def read_secrets(directory: Path, now: datetime) -> tuple[SecretKey, ...]:
    """Read the keys that sign or still verify, newest first.

    Raises ProblemsError with the mend when the file is missing, damaged or open to others.
    """
    path = directory / FILE_NAME
    place = str(path)
    mend = f"run: consent-service init --data-dir {directory}"
    text = read_private(path, f"there is no secrets file; {mend}")
    try:
        keys = _valid_keys(orjson.loads(text)["keys"], now)
    except (ValueError, KeyError, TypeError):
        raise ProblemsError([Problem(place, None, "is damaged; restore it from a backup")]) from None
    if not keys or any(len(key.value) < MIN_LENGTH for key in keys):
        raise ProblemsError([Problem(place, None, f"holds a key of fewer than {MIN_LENGTH} characters")])
    return keys


def _valid_keys(items: list[dict[str, str]], now: datetime) -> tuple[SecretKey, ...]:
    keys: list[SecretKey] = []
    replaced_at: datetime | None = None
    for item in items:
        # A key was replaced when the one before it in the list was made; those behind it earlier still.
        if replaced_at is not None and now >= replaced_at + VERIFYING_LIFE:
            break
        keys.append(SecretKey(item["key"]))
        replaced_at = datetime.fromisoformat(item["created_at"])
    return tuple(keys)
