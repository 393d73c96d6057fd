"""Signed notes: what was changed in any byte opens with no key, and keys are read in one form alone."""

from __future__ import annotations

import random
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consent_service.ledger.notes import (
    Checkpoint,
    NoteError,
    SigningKey,
    open_checkpoint,
    parse_key,
    read_checkpoint,
    sign_checkpoint,
)

KEY = SigningKey("consent-service/0123456789abcdef", bytes(range(32)))
OTHER = SigningKey("consent-service/0123456789abcdef", bytes(range(1, 33)))
SAID = Checkpoint(KEY.name, 20_852, bytes(range(32)))
NOTE = sign_checkpoint(SAID, [KEY])


def test_a_note_opens_with_its_key_and_with_no_other() -> None:
    assert open_checkpoint(NOTE, [KEY.verifier]) == SAID
    with pytest.raises(NoteError, match="no trusted key"):
        open_checkpoint(NOTE, [OTHER.verifier])


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    note = sign_checkpoint(SAID, [OTHER, KEY])
    assert open_checkpoint(note, [KEY.verifier]) == open_checkpoint(note, [OTHER.verifier]) == SAID


def test_a_wrong_signature_of_a_trusted_key_is_refused_beside_a_right_one() -> None:
    wrong = sign_checkpoint(Checkpoint(KEY.name, 1, bytes(32)), [OTHER]).rpartition("\n\n")[2]
    with pytest.raises(NoteError, match="is wrong"):
        open_checkpoint(NOTE + wrong, [KEY.verifier, OTHER.verifier])


def test_no_byte_of_a_note_can_be_changed_left_out_or_added() -> None:
    chance, data = random.Random(3), NOTE.encode()
    for at in range(len(data)):
        for changed in (
            data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + bytes([chance.randrange(256)]) + data[at:],
        ):
            text = changed.decode("utf-8", "replace")
            if text != NOTE:
                with pytest.raises(NoteError):
                    open_checkpoint(text, [KEY.verifier])


def test_lines_that_say_more_are_signed_with_the_rest() -> None:
    said = Checkpoint(KEY.name, 5, bytes(32), ("bundle sha256:" + "ab" * 32,))
    note = sign_checkpoint(said, [KEY])
    assert open_checkpoint(note, [KEY.verifier]) == said
    with pytest.raises(NoteError):
        open_checkpoint(note.replace("ab", "ac", 1), [KEY.verifier])


@pytest.mark.parametrize("line", ["", "two\nlines", "é", "x" * 201])
def test_lines_that_would_not_fit_are_refused(line: str) -> None:
    with pytest.raises(NoteError):
        sign_checkpoint(Checkpoint(KEY.name, 5, bytes(32), (line,)), [KEY])


def test_a_key_is_read_as_it_is_written() -> None:
    assert parse_key(str(KEY.verifier)) == KEY.verifier
    assert parse_key(f"{KEY.verifier}\n") == KEY.verifier


@pytest.mark.parametrize(
    "text",
    ["", "a+b", "name+00000000+AQ==", str(KEY.verifier)[:-4], str(KEY.verifier).replace("0123", "0124"), "a b+0+AA=="],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_key(text)


@pytest.mark.parametrize(
    "note", ["", "\n\n", "a\n1\n\n— x AAAA\n", "x" * 10_000, NOTE.rstrip("\n"), NOTE.replace("20852", "020852")]
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(note)


def test_openssl_verifies_the_same_checkpoint(tmp_path: Path) -> None:
    body, _, signatures = NOTE.rpartition("\n\n")
    raw = b64decode(signatures.split(" ")[2])[4:]
    public = Ed25519PublicKey.from_public_bytes(KEY.verifier.public)
    (tmp_path / "key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "body").write_text(body + "\n", encoding="utf-8")
    (tmp_path / "signature").write_bytes(raw)
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key.pem", "-sigfile", "signature"]
    done = subprocess.run([*command, "-in", "body"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
