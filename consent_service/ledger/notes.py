"""Write and check signed checkpoints: C2SP signed notes and tlog checkpoints, with Ed25519."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent_service.ledger.tree import HASH_BYTES

ED25519: Final = b"\x01"
SEED_BYTES: Final = 32
MAX_NOTE: Final = 4_096
MAX_EXTENSIONS: Final = 8
_NAME: Final = re.compile(r"[^\s+]{1,120}")
_EXTENSION: Final = re.compile(r"[\x20-\x7e]{1,200}")
_SIGNATURE: Final = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/=]+)")


class NoteError(ValueError):
    """Tell why a text is no note, no key, or no note of a key that is trusted."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Hold the public half of a key with the name it signs under."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """Give the four bytes by which a signature line names its key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Hold a key that signs notes."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> VerifierKey:
        """Give its public half."""
        return VerifierKey(self.name, self._private().public_key().public_bytes_raw())

    def sign(self, body: str) -> str:
        """Give the signature line over a note's body."""
        key = self.verifier
        signature = self._private().sign(body.encode())
        return f"— {key.name} {b64encode(key.key_hash + signature).decode()}\n"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def __repr__(self) -> str:
        return f"SigningKey({self.name}, …)"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Hold what a checkpoint says: the log's name, its size and its root, and lines that say more."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def body(self) -> str:
        """Give the text that is signed."""
        lines = [self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions]
        return "\n".join(lines) + "\n"


def sign_checkpoint(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> str:
    """Write a checkpoint as a note signed by each of the keys; raises NoteError for lines that would not fit in it."""
    if len(checkpoint.extensions) > MAX_EXTENSIONS:
        raise NoteError(f"a checkpoint has at most {MAX_EXTENSIONS} extension lines")
    if not all(_EXTENSION.fullmatch(line) for line in checkpoint.extensions):
        raise NoteError("an extension line has 1 to 200 printable ASCII characters")
    body = checkpoint.body()
    return body + "\n" + "".join(key.sign(body) for key in keys)


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Give what a note says that one of the keys signed; signatures of unknown keys are passed over.

    Raises NoteError when it is damaged, when a trusted key's signature is wrong, and when none signed it.
    """
    checkpoint, signatures = read_checkpoint(note)
    is_signed = False
    for name, signature in signatures:
        for key in keys:
            if key.name == name and key.key_hash == signature[:4]:
                _check(key, signature[4:], checkpoint.body())
                is_signed = True
    if not is_signed:
        raise NoteError("no trusted key signed this checkpoint")
    if checkpoint.origin not in {key.name for key in keys}:
        raise NoteError("the checkpoint is of another log")
    return checkpoint


def read_checkpoint(note: str) -> tuple[Checkpoint, list[tuple[str, bytes]]]:
    """Read a note and its signatures without checking them; raises NoteError when it is none."""
    if len(note) > MAX_NOTE:
        raise NoteError(f"a checkpoint has at most {MAX_NOTE} characters")
    body, separator, rest = note.rpartition("\n\n")
    if not separator or not rest.endswith("\n"):
        raise NoteError("a note ends with an empty line and signature lines")
    signatures: list[tuple[str, bytes]] = []
    for line in rest[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise NoteError("a signature line does not have the form of one")
        signatures.append((match["name"], _decode(match["signature"])))
    return _read_body(body + "\n"), signatures


def parse_key(text: str) -> VerifierKey:
    """Read a verifier key, `name+hash+base64`; raises NoteError."""
    # The base64 part may hold a plus sign itself.
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise NoteError("a verifier key has the form name+hash+key")
    data = _decode(parts[2])
    if len(data) != 1 + SEED_BYTES or data[:1] != ED25519:
        raise NoteError("the key is not an Ed25519 key")
    key = VerifierKey(parts[0], data[1:])
    if key.key_hash.hex() != parts[1]:
        raise NoteError("the key's hash is not that of the key")
    return key


def _read_body(body: str) -> Checkpoint:
    lines = body[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteError("a checkpoint has a name, a size and a root")
    origin, size, root, *extensions = lines
    if not (size.isascii() and size.isdecimal()) or len(size) > 18 or size != str(int(size)):
        raise NoteError("the checkpoint's size is no number")
    checkpoint = Checkpoint(origin, int(size), _decode(root), tuple(extensions))
    if len(checkpoint.root) != HASH_BYTES or checkpoint.body() != body:
        raise NoteError("the checkpoint's root is not one")
    return checkpoint


def _check(key: VerifierKey, signature: bytes, body: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, body.encode())
    except InvalidSignature as error:
        raise NoteError(f"the signature of {key.name} is wrong") from error


def _decode(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise NoteError("what should be base64 is not") from error
    # Several texts decode to the same bytes; only one of them is written.
    if b64encode(data).decode() != text:
        raise NoteError("what should be base64 is not written the one way")
    return data
