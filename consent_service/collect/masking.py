"""Put a mark in the place of what may name a person or open a door: e-mail addresses and tokens (pure).

What counts, and what does not, is in docs/events.md. Every rule reads a text once, from the left to the right, so that
no text of a given length takes longer than another.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

EMAIL: Final = "[email]"
TOKEN: Final = "[token]"
# Shorter runs are names of things: an id of a database (24), an ISBN (13), a time in nanoseconds (19).
SHORTEST: Final = 20
_SHORTEST_HEX: Final = 32
_LONG: Final = 32

# Neither an address nor a long run of letters and digits: nothing to look for.
_SUSPECT: Final = re.compile(r"[@＠]|%(?:25)*40|[0-9A-Za-z]{20}|[0-9A-Za-z%._~-]{34}")
# What separates values in an address and in a sentence; the rest is looked at as one piece.
_PIECE: Final = re.compile(r"[^\s/?&=#,;:|\"'<>()\[\]{}\\]+")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_DOMAIN: Final = re.compile(r"(?:[\w-]{1,63}\.){1,10}[^\W\d_]{2,24}\.?")
# logo@2x.png names a size.
_SIZE: Final = re.compile(r"\d{1,2}(?:\.\d)?x\..*")
# An address may be written with an escape of an escape; nothing is unfolded further.
_MOST_UNFOLDED: Final = 3
# Left out before a piece is judged as a whole: sites name articles and products by UUIDs, and an escape is no sign of
# its own (most letters of the world are written with them).
_KNOWN_RUN: Final = re.compile(r"(?i)%[0-9a-f]{2}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


def mask(text: str) -> str:
    """Give the text with `[email]` and `[token]` for what looks like one; any other text is given as it is."""
    if _SUSPECT.search(text) is None:
        return text
    return _PIECE.sub(_mask_piece, text)


def mask_parameter(value: str) -> str:
    """Mask the decoded value of a query parameter, in which a space may have been the plus sign of an address."""
    masked = mask(value)
    return mask(value.replace(" ", "+")) if EMAIL in masked and " " in value else masked


def _mask_piece(match: re.Match[str]) -> str:
    piece = match.group()
    if _is_email(piece):
        return EMAIL
    for word in _WORD.finditer(piece):
        if _is_token(word.group()):
            # What is before it may be words; what follows is rarely anything but the rest of the token.
            return piece[: word.start()] + TOKEN
    return TOKEN if _is_broken_token(piece) else piece


def _is_email(piece: str) -> bool:
    plain = piece
    for _ in range(_MOST_UNFOLDED):
        if "%" not in plain or "40" not in plain:
            break
        plain = unquote(plain)
    local, sign, domain = plain.replace("＠", "@").rpartition("@")
    return bool(sign and local.strip(".")) and _DOMAIN.fullmatch(domain) is not None and not _SIZE.match(domain)


def _is_token(word: str) -> bool:
    length = len(word)
    if length < SHORTEST:
        return False
    if word.isdigit():
        return length >= _SHORTEST_HEX
    if _HEX.fullmatch(word) is not None and not word.isalpha():
        return length >= _SHORTEST_HEX
    return _turns(word) >= (length * 0.2 if length >= _LONG else max(5.0, length * 0.27))


def _is_broken_token(piece: str) -> bool:
    """Tell a token in which dashes, dots and underscores stand (base64url) from the words of a title."""
    words = _WORD.findall(_KNOWN_RUN.sub(" ", piece))
    length = sum(map(len, words))
    return length >= _LONG and sum(map(_turns, words)) >= length * 0.22


def _turns(word: str) -> int:
    """Count how often the kind of sign changes; a capital before small letters begins a word, it is no change."""
    kinds = ["0" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in word]
    return sum(before != kind and (before, kind) != ("A", "a") for before, kind in zip(kinds, kinds[1:], strict=False))
