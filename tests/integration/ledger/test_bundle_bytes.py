"""Every byte of every member of a bundle, changed: none may be accepted."""

from __future__ import annotations

from functools import cache

import pytest

from consent_service.core import Core
from consent_service.ledger.verifier import verify as verifier
from consent_service.ledger.verifier.verify import Rejected, verify
from tests.integration.ledger.evidence import Desk, mutations
from tests.integration.visitor import Visitor


def granted(visitor: Visitor) -> str:
    return str(visitor.another().accept().get_json()["decision_id"])


def test_no_single_changed_byte_is_accepted(core: Core, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """One flip, deletion or insertion for each byte of each member but the verifiers: none may be accepted."""
    # Each signature is checked once: most mutations leave the checkpoint as it is.
    monkeypatch.setattr(verifier, "ed25519_holds", cache(verifier.ed25519_holds))
    desk = Desk(core)
    for _ in range(6):
        granted(visitor)
    bundle = desk.bundle(granted(visitor))
    key, tried, accepted = desk.key, 0, []
    for what, changed in mutations(bundle):
        tried += 1
        try:
            verify(changed, [key])
        except Rejected:
            continue
        accepted.append(what)
    print(f"{tried} mutations of single bytes, {len(accepted)} accepted")
    assert tried > 10_000
    assert accepted == []
