"""A consent that was given, as the edge's gate knows it."""

import pytest

from consent_service.consent.gate import Grant, check
from consent_service.consent.receipts import read_states
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.visitor import Visitor


@pytest.fixture
def grant(core: Core, site: Site, visitor: Visitor, now: Clock) -> Grant:
    """Let the visitor accept and give the grant."""
    visitor.accept()
    publication = core.publications.of(site)
    assert publication is not None
    assert visitor.receipt_id is not None
    with core.engine.connect() as connection:
        state = read_states(connection, [visitor.receipt_id])[visitor.receipt_id]
    made = check(state, publication.rules, now=now(), has_signal=False)
    assert isinstance(made, Grant)
    return made
