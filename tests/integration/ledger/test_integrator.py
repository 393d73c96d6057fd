"""The integrator: every record gets a leaf, notices before what cites them; what was signed is never signed anew."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, select, update

from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_checkpoint, ledger_entry, ledger_leaf, ledger_tile
from consent_service.db.tables import decision
from consent_service.ledger.entries import commit_to
from consent_service.ledger.integrator import Integrator
from consent_service.ledger.keys import mint_keys
from consent_service.ledger.notes import Checkpoint, open_checkpoint, sign_checkpoint
from consent_service.ledger.standing import LedgerRefused
from consent_service.ledger.tree import hash_leaf, root_of
from tests.integration.conftest import DATABASES
from tests.integration.ledger.merging import log_all
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@both
def test_every_record_gets_a_leaf_and_notices_come_first(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    visitor.accept()
    visitor.refuse()
    size = log_all(integrator)
    with core.engine.connect() as connection:
        leaves = connection.execute(select(ledger_leaf).order_by(ledger_leaf.c.leaf_index)).all()
        records = {
            row.entry_id: (row.record, row.salt)
            for row in [
                *connection.execute(select(ledger_entry.c.entry_id, ledger_entry.c.record, ledger_entry.c.salt)),
                *connection.execute(
                    select(decision.c.decision_id.label("entry_id"), decision.c.record, decision.c.salt)
                ),
            ]
        }
        newest = connection.execute(
            select(ledger_checkpoint).order_by(ledger_checkpoint.c.tree_size.desc()).limit(1)
        ).one()
    assert [leaf.leaf_index for leaf in leaves] == list(range(size))
    assert {leaf.entry_id for leaf in leaves} == set(records)
    kinds = [leaf.kind for leaf in leaves]
    assert kinds.index("decision") > max(at for at, kind in enumerate(kinds) if kind == "notice")
    for leaf in leaves:
        record, salt = records[leaf.entry_id]
        assert leaf.commitment == commit_to(salt, record)
    said = open_checkpoint(newest.note, integrator.keys.verifiers())
    assert said == Checkpoint(integrator.keys.name, size, root_of(hash_leaf(leaf.commitment) for leaf in leaves))


@both
def test_nothing_new_is_nothing_signed(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    visitor.accept()
    size = log_all(integrator)
    assert integrator.integrate().added == 0
    visitor.accept()
    assert log_all(integrator) > size
    with core.engine.connect() as connection:
        assert len(connection.execute(select(ledger_checkpoint.c.tree_size)).all()) == 2


@both
def test_notices_from_before_the_log_are_logged_before_their_decisions(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    core.writer.run(lambda connection: connection.execute(delete(ledger_entry)))
    log_all(integrator)
    with core.engine.connect() as connection:
        kinds = connection.execute(select(ledger_leaf.c.kind).order_by(ledger_leaf.c.leaf_index)).scalars().all()
    assert sorted(kinds) == ["decision", "key", "notice", "notice", "notice"]
    assert kinds[-1] == "decision"


@both
def test_an_erased_record_leaves_its_commitment_and_no_name(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    size = log_all(integrator)
    receipt_id = visitor.receipt_id
    assert receipt_id is not None
    core.writer.run(lambda connection: remove_records(connection, receipt_id, reason="erasure", now=core.now()))
    with core.engine.connect() as connection:
        leaf = connection.execute(select(ledger_leaf).where(ledger_leaf.c.kind == "decision")).one()
    assert leaf.entry_id is None
    assert len(leaf.commitment) == 32
    assert log_all(integrator) == size


@both
def test_a_smaller_log_than_was_signed_is_refused(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    log_all(integrator)
    visitor.accept()
    size = log_all(integrator)

    def restore(connection: Connection) -> None:
        connection.execute(delete(ledger_checkpoint).where(ledger_checkpoint.c.tree_size == size))
        connection.execute(delete(ledger_leaf).where(ledger_leaf.c.leaf_index >= size - 1))

    core.writer.run(restore)
    visitor.accept()
    with pytest.raises(LedgerRefused, match="restore-accept"):
        integrator.integrate()
    again = Integrator(core.engine, core.writer, core.config.data_dir, core.now)
    with pytest.raises(LedgerRefused, match="older database"):
        again.integrate()


@both
def test_tiles_that_were_changed_are_not_signed(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    log_all(integrator)
    core.writer.run(lambda connection: connection.execute(update(ledger_tile).values(hashes=bytes(32 * 4), width=4)))
    visitor.accept()
    with pytest.raises(LedgerRefused, match="tiles"):
        integrator.integrate()


@both
def test_a_checkpoint_of_another_key_is_not_carried_on(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    log_all(integrator)
    visitor.accept()
    size = log_all(integrator)
    stranger = mint_keys(core.now(), integrator.keys.name)
    with core.engine.connect() as connection:
        root = connection.execute(
            select(ledger_checkpoint.c.root).where(ledger_checkpoint.c.tree_size == size)
        ).scalar_one()
    note = sign_checkpoint(Checkpoint(integrator.keys.name, size, root), stranger.signing(core.now()))
    core.writer.run(
        lambda connection: connection.execute(
            update(ledger_checkpoint).where(ledger_checkpoint.c.tree_size == size).values(note=note)
        )
    )
    visitor.accept()
    with pytest.raises(LedgerRefused, match="no trusted key"):
        integrator.integrate()


def test_the_head_is_signed_with_lines_that_say_more(integrator: Integrator, visitor: Visitor) -> None:
    visitor.accept()
    note = integrator.sign_head(["bundle sha256:" + "ab" * 32])
    said = open_checkpoint(note, integrator.keys.verifiers())
    assert said.extensions == ("bundle sha256:" + "ab" * 32,)
    assert said.size == integrator.integrate().size
