"""After an older database was restored: nothing is signed until somebody says so, and then the log says it too."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from sqlalchemy import Connection, delete, select

from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_checkpoint, ledger_entry, ledger_leaf, ledger_tile
from consent_service.db.tables import decision
from consent_service.ledger.guard import FILE_NAME as GUARD_NAME
from consent_service.ledger.guard import Guard
from consent_service.ledger.integrator import Integrator, extend, waiting
from consent_service.ledger.keys import FILE_NAME as KEYS_NAME
from consent_service.ledger.keys import read_keys
from consent_service.ledger.notes import open_checkpoint, parse_key
from consent_service.ledger.standing import Head, LedgerError, LedgerRefused, read_head
from consent_service.ledger.tree import EMPTY_ROOT
from consent_service.ledger.verify import verify_log
from consent_service.problems import ProblemsError
from tests.integration.conftest import DATABASES
from tests.integration.ledger.merging import log_all
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def another(core: Core) -> Integrator:
    """Give the integrator of a keeper that was started anew."""
    return Integrator(core.engine, core.writer, core.config.data_dir, core.now)


def restore_older(core: Core, integrator: Integrator, size: int) -> None:
    """Put the log back to an earlier size, whole in itself, as an older backup would."""

    def work(connection: Connection) -> None:
        kept = connection.execute(select(ledger_leaf.c.entry_id).where(ledger_leaf.c.leaf_index < size)).scalars().all()
        for table in (ledger_leaf, ledger_tile, ledger_checkpoint):
            connection.execute(delete(table))
        rows = [*connection.execute(waiting(ledger_entry)).all(), *connection.execute(waiting(decision)).all()]
        rows = [row for row in rows if row.entry_id in set(kept)]
        extend(connection, Head(0, EMPTY_ROOT, None, None), rows, integrator.keys, core.now())

    core.writer.run(work)


def is_sound(core: Core) -> bool:
    with core.engine.connect() as connection:
        guarded = Guard(core.config.data_dir).read()
        return not verify_log(connection, read_keys(core.config.data_dir), guarded).faults


@both
def test_an_older_database_is_refused_until_it_is_accepted(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    older = log_all(integrator)
    visitor.accept()
    visitor.accept()
    newer = log_all(integrator)
    restore_older(core, integrator, older)
    with pytest.raises(LedgerRefused, match=f"has {older} leaves, {newer} were signed.*restore-accept --reason"):
        another(core).integrate()
    again = another(core)
    accepted = again.accept_restore("the disk broke")
    assert (accepted.signed_size, accepted.restored_size) == (newer, older)
    log_all(again)
    with core.engine.connect() as connection:
        record = connection.execute(select(ledger_entry.c.record).where(ledger_entry.c.kind == "restore")).scalar_one()
    assert orjson.loads(record)["reason"] == "the disk broke"
    assert orjson.loads(record)["signed"]["size"] == newer
    assert is_sound(core)


@both
def test_a_guard_that_is_missing_is_refused_until_it_is_accepted(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    log_all(integrator)
    (core.config.data_dir / GUARD_NAME).unlink()
    with pytest.raises(LedgerRefused, match="ledger.guard is missing"):
        another(core).integrate()
    again = another(core)
    again.accept_restore("the guard was lost")
    log_all(again)
    assert is_sound(core)


def test_there_is_nothing_to_accept_in_a_log_that_stands(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    visitor.accept()
    log_all(integrator)
    with pytest.raises(LedgerError, match="nothing to accept"):
        integrator.accept_restore("for no reason")


@both
def test_a_key_that_is_lost_is_made_anew_under_the_name_of_the_log(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    log_all(integrator)
    name, old = integrator.keys.name, integrator.keys.verifiers()
    (core.config.data_dir / KEYS_NAME).unlink()
    again = another(core)
    with pytest.raises(ProblemsError, match="no ledger key"):
        again.integrate()
    again.accept_restore("the key was lost")
    log_all(again)
    assert again.keys.name == name
    assert again.keys.verifiers() != old
    with core.engine.connect() as connection:
        note = read_head(connection).note
    assert note is not None
    assert open_checkpoint(note, again.keys.verifiers()).origin == name


@both
def test_a_new_key_is_announced_in_the_log_and_signs_beside_the_old_one(
    core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    log_all(integrator)
    old = integrator.keys.verifiers()[0]
    new = parse_key(integrator.rotate())
    with core.engine.connect() as connection:
        record = connection.execute(
            select(ledger_entry.c.record).where(ledger_entry.c.subject == str(new))
        ).scalar_one()
        note = read_head(connection).note
    assert orjson.loads(record)["replaces"] == str(old)
    assert note is not None
    assert open_checkpoint(note, [old]) == open_checkpoint(note, [new])
    assert is_sound(core)
    assert read_keys(core.config.data_dir).verifiers() == [new, old]


def test_after_thirty_days_the_new_key_signs_alone(core: Core, integrator: Integrator, visitor: Visitor) -> None:
    integrator.rotate()
    made_at = integrator.keys.made_at[0]
    assert len(integrator.keys.signing(made_at)) == 2
    assert len(integrator.keys.signing(made_at.replace(month=made_at.month + 2))) == 1


def test_the_files_are_for_their_owner_alone(core: Core, integrator: Integrator) -> None:
    log_all(integrator)
    files: list[Path] = [core.config.data_dir / name for name in (KEYS_NAME, GUARD_NAME)]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    files[0].chmod(0o640)
    with pytest.raises(ProblemsError, match="chmod 600"):
        read_keys(core.config.data_dir)
    files[0].chmod(0o600)
    files[0].write_text('{"name": "x", "keys": []}')
    with pytest.raises(ProblemsError, match="damaged"):
        read_keys(core.config.data_dir)
