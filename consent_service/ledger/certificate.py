"""Sign documents with the log's key, bound to a checkpoint that their entries are proven in, and check them offline."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine

from consent_service.documents import canonical_json
from consent_service.ledger.entries import commit_to
from consent_service.ledger.lookup import Leaf, prove_leaf
from consent_service.ledger.notes import NoteError, VerifierKey, open_checkpoint, read_checkpoint
from consent_service.ledger.tree import HASH_BYTES, hash_leaf, verify_inclusion

MAX_PROOF: Final = 64

SignCheckpoint = Callable[[list[str]], str]
"""Gives the log's present checkpoint, signed with lines that say more."""


class CertificateError(ValueError):
    """Tell in one sentence why a certificate does not hold."""


def certificate_line(document: Mapping[str, Any]) -> str:
    """Give the checkpoint's line that binds a document: the SHA-256 of its canonical JSON."""
    return f"certificate sha256:{sha256(canonical_json(document)).hexdigest()}"


def seal_document(engine: Engine, document: Mapping[str, Any], sign: SignCheckpoint) -> dict[str, Any]:
    """Sign a document whose `entries` are in the log, each with `leaf_index`, `record` (base64) and `salt` (hex).

    The answer has it as `certificate`, beside the checkpoint that names its hash and a proof (RFC 9162) for each entry.
    """
    note = sign([certificate_line(document)])
    size = read_checkpoint(note)[0].size
    proofs: list[list[str]] = []
    with engine.connect() as connection:
        for entry in document["entries"]:
            leaf = Leaf(entry["leaf_index"], _leaf_hash(entry))
            proofs.append([item.hex() for item in prove_leaf(connection, leaf, size)])
    return {"certificate": dict(document), "checkpoint": note, "proofs": proofs}


def check_certificate(sealed: Any, keys: Sequence[VerifierKey]) -> dict[str, Any]:
    """Give what a certificate says once it is shown that one of the keys signed it; raises CertificateError.

    Needs nothing but the certificate and the key.
    """
    try:
        document, note, proofs = sealed["certificate"], sealed["checkpoint"], sealed["proofs"]
        checkpoint = open_checkpoint(note, keys)
        if checkpoint.extensions != (certificate_line(document),):
            raise CertificateError("it is not the document that was signed")
        entries = document["entries"]
        if len(proofs) != len(entries) or any(len(proof) > MAX_PROOF for proof in proofs):
            raise CertificateError("it does not have one proof for each entry")
        for entry, proof in zip(entries, proofs, strict=True):
            hashes = [bytes.fromhex(item) for item in proof]
            is_whole = all(len(item) == HASH_BYTES for item in hashes)
            leaf = _leaf_hash(entry)
            if not is_whole or not verify_inclusion(
                entry["leaf_index"], checkpoint.size, leaf, hashes, checkpoint.root
            ):
                raise CertificateError(f"leaf {entry['leaf_index']} is not in the log that was signed")
    except NoteError as error:
        raise CertificateError(str(error)) from error
    except CertificateError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CertificateError("it does not have the form of a certificate") from error
    return dict(document)


def _leaf_hash(entry: Mapping[str, Any]) -> bytes:
    try:
        record = b64decode(entry["record"], validate=True)
    except Base64Error as error:
        raise CertificateError("a record is not base64") from error
    return hash_leaf(commit_to(bytes.fromhex(entry["salt"]), record))
