"""The stand-alone verifier's own Ed25519, its size and that its page is what its policy says."""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent_service.ledger.verifier.verify import ORDER, Rejected, ed25519_holds
from tools.pin_verifier import PAGE, pinned

VERIFY = Path(sys.modules[ed25519_holds.__module__].__file__ or "")


def theirs(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ours(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return ed25519_holds(key, message, signature)
    except (Rejected, ValueError):
        return False


def test_it_agrees_with_cryptography_on_random_keys_and_damaged_signatures() -> None:
    chance = random.Random(27560)
    for _ in range(40):
        private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        key, message = private.public_key().public_bytes_raw(), chance.randbytes(chance.randrange(200))
        signature = private.sign(message)
        assert ours(key, message, signature)
        assert theirs(key, message, signature)
        for damaged in (bytearray(signature), bytearray(signature)):
            damaged[chance.randrange(64)] ^= 1 << chance.randrange(8)
            assert ours(key, message, bytes(damaged)) == theirs(key, message, bytes(damaged)) is False
        assert not ours(key, message + b"!", signature)
        assert not ours(chance.randbytes(32), message, signature)


def test_the_vector_of_the_rfc_holds() -> None:
    """RFC 8032, 7.1, test 2."""
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert ed25519_holds(key, b"\x72", signature)


def test_numbers_and_points_that_are_not_canonical_never_hold() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    key, signature = private.public_key().public_bytes_raw(), private.sign(b"message")
    larger = int.from_bytes(signature[32:], "little") + ORDER
    assert larger < 2**256
    assert not ours(key, b"message", signature[:32] + larger.to_bytes(32, "little"))
    assert not ours(key, b"message", signature + b"\0")
    assert not ours(key, b"message", signature[:63])
    # y = 1 written as p + 1; x = 0 with a sign.
    assert not ours((2**255 - 18).to_bytes(32, "little"), b"message", signature)
    assert not ours((1 | 1 << 255).to_bytes(32, "little"), b"message", signature)


def test_the_program_is_short_and_needs_the_standard_library_alone() -> None:
    text = VERIFY.read_text()
    assert len(text.splitlines()) <= 200
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert all(name.partition(".")[0] in sys.stdlib_module_names for name in names)


def test_the_page_lets_run_what_is_in_it_and_nothing_else() -> None:
    page = PAGE.read_text()
    assert pinned(page) == page, "run: python tools/pin_verifier.py"
    policy = page.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AQ==", "name+zz+", "a+b+c+d"])
def test_what_is_no_key_is_refused(text: str) -> None:
    from consent_service.ledger.verifier.verify import read_key

    with pytest.raises((Rejected, ValueError)):
        read_key(text)
