"""Verifying the log: whatever was changed behind its back is found, and the first bad leaf is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Connection, delete, select, text, update

from consent_service.consent.publication import Publication
from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_checkpoint, ledger_entry, ledger_leaf, ledger_tile
from consent_service.db.tables import decision, notice
from consent_service.ledger.entries import commit_to
from consent_service.ledger.guard import Guard
from consent_service.ledger.integrator import Integrator, extend, waiting
from consent_service.ledger.keys import mint_keys
from consent_service.ledger.notes import Checkpoint, open_checkpoint, sign_checkpoint
from consent_service.ledger.standing import Head, LedgerRefused, read_head
from consent_service.ledger.tiles import compute
from consent_service.ledger.tree import EMPTY_ROOT, consistency_proof, verify_consistency
from consent_service.ledger.verify import Verified, verify_log
from tests.integration.conftest import DATABASES
from tests.integration.ledger.merging import decide_many, log_all
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def verify(core: Core, integrator: Integrator) -> Verified:
    guarded = Guard(core.config.data_dir).read()
    with core.engine.connect() as connection:
        return verify_log(connection, integrator.keys, guarded)


def behind_its_back(core: Core, work: Callable[[Connection], object]) -> None:
    """Change what is stored as somebody does who may do everything in the database."""
    with core.engine.execution_options(consent_writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE decision DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER IF EXISTS decision_never_changes"))
            connection.execute(text("DROP TRIGGER IF EXISTS decision_goes_only_by_name"))
        work(connection)


def leaf_of(core: Core, decision_id: str) -> int:
    with core.engine.connect() as connection:
        found: int = connection.execute(
            select(ledger_leaf.c.leaf_index).where(ledger_leaf.c.entry_id == decision_id)
        ).scalar_one()
    return found


@pytest.fixture
def decided(core: Core, integrator: Integrator, visitor: Visitor) -> list[str]:
    """Give decisions in the log, under three checkpoints."""
    log_all(integrator)
    for _ in range(2):
        visitor.accept()
        visitor.accept()
        log_all(integrator)
    with core.engine.connect() as connection:
        return list(connection.execute(select(decision.c.decision_id).order_by(decision.c.decision_id)).scalars())


@both
def test_an_untouched_log_verifies(core: Core, integrator: Integrator, decided: list[str]) -> None:
    found = verify(core, integrator)
    assert (found.faults, found.checkpoints, found.first_bad) == ([], 3, None)
    assert found.leaves == log_all(integrator)


@both
@pytest.mark.parametrize(
    "values",
    [{"record": b"{}"}, {"salt": bytes(32)}, {"purposes": {"analytics": False}}, {"language": "xx"}]
    + [{"decided_at": datetime(2020, 1, 1, tzinfo=UTC)}, {"policy_version": 9}],
)
def test_a_decision_that_was_changed_is_named(
    core: Core, integrator: Integrator, decided: list[str], values: dict[str, object]
) -> None:
    changing = update(decision).where(decision.c.decision_id == decided[1]).values(values)
    behind_its_back(core, lambda connection: connection.execute(changing))
    found = verify(core, integrator)
    assert found.first_bad == leaf_of(core, decided[1])
    assert len(found.faults) == 1
    assert decided[1] in found.faults[0].message


@both
def test_a_decision_that_is_gone_without_an_erasure_is_named(
    core: Core, integrator: Integrator, decided: list[str]
) -> None:
    gone = delete(decision).where(decision.c.decision_id == decided[2])
    behind_its_back(core, lambda connection: connection.execute(gone))
    assert verify(core, integrator).first_bad == leaf_of(core, decided[2])


@both
def test_a_record_that_was_changed_with_its_commitment_is_named(
    core: Core, integrator: Integrator, decided: list[str]
) -> None:
    index = leaf_of(core, decided[1])

    def forge(connection: Connection) -> None:
        salt, record = bytes(32), b'{"v":1}'
        connection.execute(
            update(decision).where(decision.c.decision_id == decided[1]).values(salt=salt, record=record)
        )
        connection.execute(
            update(ledger_leaf).where(ledger_leaf.c.leaf_index == index).values(commitment=commit_to(salt, record))
        )

    behind_its_back(core, forge)
    assert verify(core, integrator).first_bad == index


@both
@pytest.mark.parametrize("at", [0, -1])
def test_a_leaf_that_is_missing_is_named(core: Core, integrator: Integrator, decided: list[str], at: int) -> None:
    index = at % log_all(integrator)
    gone = delete(ledger_leaf).where(ledger_leaf.c.leaf_index == index)
    behind_its_back(core, lambda connection: connection.execute(gone))
    assert verify(core, integrator).first_bad == index


@both
def test_a_checkpoint_that_is_missing_leaves_leaves_unsigned(
    core: Core, integrator: Integrator, decided: list[str]
) -> None:
    size = log_all(integrator)
    gone = delete(ledger_checkpoint).where(ledger_checkpoint.c.tree_size == size)
    behind_its_back(core, lambda connection: connection.execute(gone))
    found = verify(core, integrator)
    assert found.first_bad == size - 2
    assert "in no checkpoint" in found.faults[0].message


@both
def test_a_tile_that_was_changed_is_found(core: Core, integrator: Integrator, decided: list[str]) -> None:
    changing = update(ledger_tile).values(hashes=bytes(32))
    behind_its_back(core, lambda connection: connection.execute(changing))
    assert verify(core, integrator).first_bad == 0


@both
def test_a_checkpoint_signed_by_a_stranger_is_found(core: Core, integrator: Integrator, decided: list[str]) -> None:
    with core.engine.connect() as connection:
        row = connection.execute(select(ledger_checkpoint).order_by(ledger_checkpoint.c.tree_size).limit(1)).one()
    keys = mint_keys(core.now(), integrator.keys.name)
    note = sign_checkpoint(Checkpoint(keys.name, row.tree_size, row.root), keys.signing(core.now()))
    changing = update(ledger_checkpoint).where(ledger_checkpoint.c.tree_size == row.tree_size).values(note=note)
    behind_its_back(core, lambda connection: connection.execute(changing))
    found = verify(core, integrator)
    assert found.first_bad == 0
    assert "no trusted key" in found.faults[0].message


@both
def test_words_of_a_notice_that_were_changed_are_found(core: Core, integrator: Integrator, decided: list[str]) -> None:
    changing = update(notice).values(document=b"{}")
    behind_its_back(core, lambda connection: connection.execute(changing))
    with core.engine.connect() as connection:
        kinds = connection.execute(select(ledger_leaf.c.kind).order_by(ledger_leaf.c.leaf_index)).scalars().all()
    assert verify(core, integrator).first_bad == kinds.index("notice")


def rewrite(connection: Connection, integrator: Integrator, core: Core, victim: str) -> None:
    """Write the whole log anew without one decision, and sign it with the true key."""
    connection.execute(delete(decision).where(decision.c.decision_id == victim))
    for table in (ledger_leaf, ledger_tile, ledger_checkpoint):
        connection.execute(delete(table))
    rows = [*connection.execute(waiting(ledger_entry)).all(), *connection.execute(waiting(decision)).all()]
    extend(connection, Head(0, EMPTY_ROOT, None, None), rows, integrator.keys, core.now())


@both
def test_a_history_rewritten_and_signed_with_the_true_key_is_found_out(
    core: Core, integrator: Integrator, decided: list[str], visitor: Visitor
) -> None:
    with core.engine.connect() as connection:
        note = read_head(connection).note
    assert note is not None
    earlier = open_checkpoint(note, integrator.keys.verifiers())
    # As many decisions as there were and one more: the size says nothing.
    visitor.accept()
    visitor.accept()
    behind_its_back(core, lambda connection: rewrite(connection, integrator, core, decided[0]))

    # Here it is the guard that knows better,
    assert verify(core, integrator).first_bad is not None
    with pytest.raises(LedgerRefused, match="differs"):
        Integrator(core.engine, core.writer, core.config.data_dir, core.now).integrate()
    # and elsewhere whoever kept an earlier checkpoint.
    with core.engine.connect() as connection:
        head = read_head(connection)
        proof = compute(connection, lambda nodes: consistency_proof(earlier.size, head.size, nodes))
    assert head.note is not None
    assert open_checkpoint(head.note, integrator.keys.verifiers()).root == head.root
    assert head.size > earlier.size
    assert not verify_consistency(earlier.size, head.size, earlier.root, head.root, proof)


@both
def test_after_a_thousand_erasures_no_commitment_matches_what_is_kept_and_all_others_verify(
    core: Core, integrator: Integrator, visitor: Visitor, publication: Publication
) -> None:
    visitor.accept()
    receipts = core.writer.run(lambda connection: decide_many(connection, publication, 1_000, core.now()))
    visitor.accept()
    size = log_all(integrator)

    def erase(connection: Connection, some: list[str]) -> None:
        for receipt_id in some:
            remove_records(connection, receipt_id, reason="erasure", now=core.now())

    for start in range(0, 1_000, 100):
        core.writer.run(partial(erase, some=receipts[start : start + 100]))
    with core.engine.connect() as connection:
        nameless = select(ledger_leaf.c.commitment).where(ledger_leaf.c.entry_id.is_(None))
        erased = set(connection.execute(nameless).scalars())
        kept = [
            *connection.execute(select(decision.c.record, decision.c.salt)).all(),
            *connection.execute(select(ledger_entry.c.record, ledger_entry.c.salt)).all(),
        ]
    assert len(erased) == 1_000
    assert len(kept) == size - 1_000
    salts = [*{row.salt for row in kept}, b"", bytes(32)]
    assert erased.isdisjoint(commit_to(salt, row.record) for row in kept for salt in salts)
    found = verify(core, integrator)
    assert (found.faults, found.leaves) == ([], size)


@pytest.mark.parametrize("column", ["record", "salt", "purposes", "decided_at"])
def test_even_what_is_no_longer_of_its_type_is_named(
    core: Core, integrator: Integrator, decided: list[str], column: str
) -> None:
    changing = text(f"UPDATE decision SET {column} = 'x' WHERE decision_id = :id")
    behind_its_back(core, lambda connection: connection.execute(changing, {"id": decided[0]}))
    assert verify(core, integrator).first_bad == leaf_of(core, decided[0])
