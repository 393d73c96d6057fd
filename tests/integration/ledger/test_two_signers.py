"""Two integrators at once: one signs at a time, and what they sign is one history."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import func, select

from consent_service.consent.publication import Publication
from consent_service.core import Core, make_core
from consent_service.db.ledger_tables import ledger_leaf
from consent_service.ledger.guard import Guard
from consent_service.ledger.integrator import Integrator
from consent_service.ledger.standing import LedgerRefused
from consent_service.ledger.verify import verify_log
from tests.integration.conftest import DATABASES
from tests.integration.ledger.merging import decide_many, log_all

EACH = 25


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_two_integrators_at_once_give_one_history(core: Core, integrator: Integrator, publication: Publication) -> None:
    stops: list[LedgerRefused] = []
    is_over = threading.Event()

    def work(own: Core) -> None:
        signer = Integrator(own.engine, own.writer, own.config.data_dir, own.now)
        while not is_over.is_set():
            try:
                signer.integrate()
            except LedgerRefused as error:
                # The other one signed between the guard and this batch: what both signed is one history all the same.
                stops.append(error)
                signer.reload()

    others = [make_core(core.config, core.now) for _ in range(2)]
    threads = [threading.Thread(target=work, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for _ in range(EACH):
        core.writer.run(partial(decide_many, publication=publication, count=4, now=core.now()))
    is_over.set()
    for thread in threads:
        thread.join()
    for own in others:
        own.close()
    size = log_all(integrator)
    with core.engine.connect() as connection:
        found = verify_log(connection, integrator.keys, Guard(core.config.data_dir).read())
        decisions = connection.execute(
            select(func.count()).select_from(ledger_leaf).where(ledger_leaf.c.kind == "decision")
        ).scalar_one()
    assert (found.faults, found.leaves, decisions) == ([], size, EACH * 4)
    assert all("another process signs" in str(error) for error in stops)
