"""The secrets file: the newest key signs, older ones verify for 400 days, and nobody else may read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from consent_service.config import load_config
from consent_service.consent.tokens import BadToken, Token, TokenSigner
from consent_service.problems import ProblemsError
from consent_service.secrets import FILE_NAME, read_secrets, write_secrets

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
NEW, OLD, OLDEST = "n" * 40, "o" * 40, "p" * 40


def write(directory: Path, document: Any) -> Path:
    path = directory / FILE_NAME
    path.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    path.chmod(0o600)
    return path


def rotated(directory: Path) -> None:
    """Write three keys, made now, a hundred days ago and long before."""
    made = {NEW: NOW, OLD: NOW - timedelta(days=100), OLDEST: NOW - timedelta(days=900)}
    write(directory, {"keys": [{"key": key, "created_at": at.isoformat()} for key, at in made.items()]})


def values(directory: Path, now: datetime) -> list[str]:
    return [key.value for key in read_secrets(directory, now)]


def test_a_key_verifies_for_400_days_after_it_was_replaced(tmp_path: Path) -> None:
    rotated(tmp_path)
    second = timedelta(seconds=1)
    assert values(tmp_path, NOW) == [NEW, OLD, OLDEST]
    assert values(tmp_path, NOW + timedelta(days=300) - second) == [NEW, OLD, OLDEST]
    assert values(tmp_path, NOW + timedelta(days=300)) == [NEW, OLD]
    assert values(tmp_path, NOW + timedelta(days=400) - second) == [NEW, OLD]
    assert values(tmp_path, NOW + timedelta(days=400)) == [NEW]
    assert values(tmp_path, NOW + timedelta(days=4000)) == [NEW]


def test_a_token_of_a_key_whose_time_is_over_is_none_of_ours(tmp_path: Path) -> None:
    rotated(tmp_path)
    text = TokenSigner([OLD]).sign(Token("abcdefgh", None, 0, 1, False, NOW))
    for days, is_ours in ((399, True), (400, False)):
        config = load_config({}, data_dir=tmp_path, now=NOW + timedelta(days=days))
        signer = TokenSigner([key.value for key in config.secret_keys])
        if is_ours:
            assert signer.open(text, NOW).site_key == "abcdefgh"
        else:
            with pytest.raises(BadToken):
                signer.open(text, NOW)


def test_what_is_made_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    write_secrets(tmp_path, NOW)
    path = tmp_path / FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    (key,) = read_secrets(tmp_path, NOW)
    assert len(key.value) >= 32
    assert key.value not in repr(key)
    path.chmod(0o640)
    with pytest.raises(ProblemsError, match="can be read by others"):
        read_secrets(tmp_path, NOW)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        [],
        {"keys": [{"key": NEW}]},
        {"keys": [{"created_at": NOW.isoformat()}]},
        {"keys": [{"key": NEW, "created_at": "soon"}]},
        {"keys": [{"key": NEW, "created_at": 3}]},
        {"keys": [{"key": NEW, "created_at": "2026-03-10T09:30:00"}, {"key": OLD, "created_at": NOW.isoformat()}]},
        {"keys": 3},
        {"keys": [NEW]},
    ],
)
def test_a_damaged_file_is_a_listed_problem(tmp_path: Path, document: Any) -> None:
    write(tmp_path, document)
    with pytest.raises(ProblemsError, match="is damaged; restore it from a backup"):
        read_secrets(tmp_path, NOW)


@pytest.mark.parametrize("keys", [[], [{"key": "short", "created_at": NOW.isoformat()}]])
def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path, keys: Any) -> None:
    write(tmp_path, {"keys": keys})
    with pytest.raises(ProblemsError, match="fewer than 32 characters"):
        read_secrets(tmp_path, NOW)
