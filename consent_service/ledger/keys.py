"""Keep the log's signing keys: a file of their own that only the keeper reads, made once, never a default."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Final

import orjson

from consent_service.ledger.notes import SEED_BYTES, SigningKey, VerifierKey
from consent_service.private_file import read_private, write_private
from consent_service.problems import Problem, ProblemsError

FILE_NAME: Final = "ledger.json"
# For so long the replaced key signs beside the new one, so that whoever knows only the old one learns of the new.
CHANGE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """Hold the log's name and its keys, newest first, with the time each was made."""

    name: str
    seeds: tuple[bytes, ...]
    made_at: tuple[datetime, ...]

    def signing(self, now: datetime) -> list[SigningKey]:
        """Give the keys that sign now: the newest, and the one before it for 30 days after the change."""
        is_changing = len(self.seeds) > 1 and now < self.made_at[0] + CHANGE
        return [SigningKey(self.name, seed) for seed in self.seeds[: 2 if is_changing else 1]]

    def verifiers(self) -> list[VerifierKey]:
        """Give the public half of every key there ever was, newest first."""
        return [SigningKey(self.name, seed).verifier for seed in self.seeds]

    def rotated(self, now: datetime) -> LedgerKeys:
        """Give these keys with a new one before them."""
        return LedgerKeys(self.name, (token_bytes(SEED_BYTES), *self.seeds), (now, *self.made_at))

    def __repr__(self) -> str:
        return f"LedgerKeys({self.name}, …)"


def mint_keys(now: datetime, name: str | None = None) -> LedgerKeys:
    """Make the first key of a log, under a new name or, when its key was lost, under the log's own."""
    return LedgerKeys(name or f"consent-service/{token_hex(8)}", (token_bytes(SEED_BYTES),), (now,))


def write_keys(directory: Path, keys: LedgerKeys) -> None:
    """Put the keys in place of those in the file."""
    listed = [
        {"seed": b64encode(seed).decode(), "created_at": made_at.isoformat()}
        for seed, made_at in zip(keys.seeds, keys.made_at, strict=True)
    ]
    document = {"name": keys.name, "keys": listed}
    write_private(directory / FILE_NAME, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def read_keys(directory: Path) -> LedgerKeys:
    """Read the keys; raises ProblemsError with the mend when the file is missing, damaged or open to others."""
    path = directory / FILE_NAME
    mend = (
        "restore it from a backup; a deployment from before there was a ledger gets one by: "
        f"consent-service db upgrade --data-dir {directory}"
    )
    text = read_private(path, f"there is no ledger key; {mend}")
    try:
        document = orjson.loads(text)
        name, listed = str(document["name"]), list(document["keys"])
        seeds = tuple(b64decode(item["seed"], validate=True) for item in listed)
        made_at = tuple(datetime.fromisoformat(item["created_at"]) for item in listed)
        if not name or "+" in name or not name.isascii() or not name.isprintable() or " " in name:
            raise ValueError("name")
        if not seeds or any(len(seed) != SEED_BYTES for seed in seeds) or any(at.tzinfo is None for at in made_at):
            raise ValueError("keys")
    except (ValueError, KeyError, TypeError):
        raise ProblemsError([Problem(str(path), None, "is damaged; restore it from a backup")]) from None
    return LedgerKeys(name, seeds, made_at)
