"""Sign and open the tokens that visitors' browsers carry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

SALT = "consent-token/v1"
MAX_LENGTH = 512
# Clocks of several hosts differ; a token stamped a moment ahead is not forged.
LEEWAY = timedelta(seconds=120)
MAX_AGE = timedelta(days=395)
_FLAG_UNDER_SIGNAL = 1


class TokenError(Exception):
    """Tell that a token does not hold."""


class BadToken(TokenError):
    """Tell that a token is not one of ours, or was altered."""


class ExpiredToken(TokenError):
    """Tell that a token was ours and is too old; `token` is what it said."""

    def __init__(self, token: Token) -> None:
        super().__init__("the token is too old")
        self.token = token


@dataclass(frozen=True, slots=True)
class Token:
    """Hold what a signed token says. `receipt_id` is None after a refusal, whose `issued_at` is cut to the day."""

    site_key: str
    receipt_id: str | None
    purpose_bits: int
    policy_version: int
    is_under_signal: bool
    issued_at: datetime


class _Signer(TimestampSigner):
    """Stamp with a given time instead of the clock's: refusals of one day must be the same bytes."""

    stamp: int = 0

    def get_timestamp(self) -> int:
        return self.stamp


class _Json:
    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(value: str | bytes, **_: Any) -> Any:
        return orjson.loads(value)


class Seal:
    """Sign small JSON values with a time: by the newest key, opened by any (HMAC-SHA256, one salt for each use)."""

    def __init__(self, keys: Sequence[str], salt: str) -> None:
        self._salt = salt
        # itsdangerous signs with the last of its list; ours is newest first.
        self._serializer = URLSafeTimedSerializer(
            list(reversed(keys)),
            salt=salt,
            serializer=_Json,
            signer=_Signer,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def sign(self, payload: Any, at: datetime) -> str:
        """Give the payload with its time, in whole seconds, as a signed text for URLs and cookies."""
        signer = cast(_Signer, self._serializer.make_signer(self._salt))
        signer.stamp = int(at.timestamp())
        return signer.sign(self._serializer.dump_payload(payload)).decode()

    def open(self, text: str) -> tuple[Any, datetime]:
        """Give payload and time of a signed text, whatever its age; raises BadToken when it is not ours."""
        # A lone surrogate would crash the library instead of failing the signature.
        if len(text) > MAX_LENGTH or not text.isascii():
            raise BadToken("the token is not one of ours")
        try:
            payload, stamp = self._serializer.loads(text, return_timestamp=True)
        except (BadData, orjson.JSONDecodeError, ValueError) as error:
            raise BadToken("the token's signature does not hold") from error
        return payload, stamp


class TokenSigner:
    """Sign and open visitors' tokens."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)
        self._seal = Seal(keys, SALT)

    def seal(self, salt: str) -> Seal:
        """Give what signs small values of another use with the same keys."""
        return Seal(self._keys, salt)

    def sign(self, token: Token) -> str:
        """Give the signed string, at most 160 characters."""
        payload = [
            1,
            token.receipt_id or "",
            token.site_key,
            token.purpose_bits,
            token.policy_version,
            _FLAG_UNDER_SIGNAL if token.is_under_signal else 0,
        ]
        return self._seal.sign(payload, token.issued_at)

    def open(self, text: str, now: datetime) -> Token:
        """Give what a signed token says.

        Raises BadToken when it is not ours, ExpiredToken when it is older than 395 days. Validity, withdrawal and
        policy are the gate's business: every token is judged by the newest decision of its receipt.
        """
        token = _read(*self._seal.open(text))
        if token.issued_at > now + LEEWAY:
            raise BadToken("the token is stamped in the future")
        if token.issued_at + MAX_AGE < now:
            raise ExpiredToken(token)
        return token


def cut_to_day(moment: datetime) -> datetime:
    """Cut a time to 00:00 UTC of its day."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def purpose_bits(ids: Sequence[str], granted: Sequence[str]) -> int:
    """Give the bits of the granted purposes: bit i stands for the policy's i-th purpose."""
    return sum(1 << position for position, purpose in enumerate(ids) if purpose in granted)


def _read(payload: Any, stamp: datetime) -> Token:
    match payload:
        case [1, str(receipt), str(site), int(bits), int(policy), int(flags)]:
            return Token(site, receipt or None, bits, policy, bool(flags & _FLAG_UNDER_SIGNAL), stamp)
    raise BadToken("the token is of a kind this version does not know")
