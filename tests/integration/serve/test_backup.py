"""A backup brings everything back, and nothing of those who withdrew or were erased since."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from consent_service.config import Config
from consent_service.consent.gate import Refusal, check
from consent_service.consent.hold import lift_hold, new_hold, place_hold
from consent_service.consent.receipts import read_states
from consent_service.consent.rights import erase_receipt
from consent_service.core import Core, make_core
from consent_service.db.journal import prune, read_journal
from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.db.tables import decision, erasure_job, receipt
from consent_service.db.tables import site as site_table
from consent_service.ledger.standing import LedgerRefused
from consent_service.locks import RESTORE, find_unfinished
from consent_service.serve import restore
from consent_service.serve.backup import BadBackup, write_backup
from consent_service.serve.restore import Restored, check_backup, restore_backup
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

KEPT, GONE = 10, 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "today.backup"


@pytest.fixture
def restored(config: Config, now: Clock) -> Iterator[Callable[[], KeeperInHand]]:
    """Give a function that opens a deployment anew, after its restore."""
    opened: list[tuple[Core, KeeperInHand]] = []

    def open_again() -> KeeperInHand:
        core = make_core(config, now)
        opened.append((core, KeeperInHand(config, core)))
        return opened[-1][1]

    yield open_again
    for core, keeper in opened:
        keeper.close()
        core.close()


def back_up(core: Core, keeper: KeeperInHand, file: Path) -> dict[str, Any]:
    return write_backup(core, file, lambda place: keeper.keeping.do("snapshot", {"directory": str(place)}))


def bring_back(config: Config, core: Core, keeper: KeeperInHand, file: Path, now: Clock) -> Restored:
    """Restore as the command does: nobody else works there."""
    keeper.close()
    core.engine.dispose()
    check_backup(file, now())
    return restore_backup(config, file, now)


def seen(keeper: KeeperInHand) -> set[str]:
    return {row[0].hex for row in keeper.store.fetch("SELECT DISTINCT receipt_id FROM event", []).rows}


def count(core: Core, table: Any) -> int:
    with core.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def visitors(visitor: Visitor, number: int) -> list[Visitor]:
    made = [visitor.another() for _ in range(number)]
    for each in made:
        each.accept()
        assert each.pageview("/a").status_code == 202
    return made


def test_who_withdrew_after_the_backup_is_gone_after_the_restore(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
) -> None:
    everybody = visitors(visitor, KEPT + GONE)
    keeper.turn()
    assert len(seen(keeper)) == KEPT + GONE
    back_up(core, keeper, file)
    now.move(hours=1)
    gone = [str(each.receipt_id) for each in everybody[KEPT:]]
    for each in everybody[KEPT:]:
        assert each.withdraw().status_code == 200
    keeper.turn()
    done = bring_back(config, core, keeper, file, now)
    assert (done.replayed["withdrawals"], done.unreadable, done.strangers) == (GONE, 0, 0)
    again = restored()
    assert seen(again) == {str(each.receipt_id) for each in everybody[:KEPT]}
    with again.keeping.core.engine.connect() as connection:
        states = read_states(connection, gone)
        assert [state.purposes for state in states.values()] == [()] * GONE
        jobs = connection.execute(select(erasure_job.c.status, erasure_job.c.events)).all()
    assert [tuple(job) for job in jobs] == [("done", 1)] * GONE
    assert count(again.keeping.core, decision) == KEPT + 2 * GONE


def test_a_restore_that_was_killed_half_way_is_begun_again(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = visitors(visitor, 2)
    keeper.turn()
    back_up(core, keeper, file)
    one.withdraw()
    keeper.turn()

    class Killed(BaseException):
        """End the work as a signal does: nothing after it runs."""

    def die(*_: Any) -> None:
        raise Killed

    keeper.close()
    core.engine.dispose()
    for step in ("_restore_database", "_place_files", "_settle"):
        with monkeypatch.context() as patched:
            patched.setattr(restore, step, die)
            with pytest.raises(Killed):
                restore_backup(config, file, now)
        assert find_unfinished(config.data_dir) == str(file)
    restore_backup(config, file, now)
    assert find_unfinished(config.data_dir) is None
    assert seen(restored()) == {str(other.receipt_id)}


def test_erased_records_and_holds_come_along(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    site: Site,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
) -> None:
    forgotten, held, freed = visitors(visitor, 3)
    keeper.turn()
    of_freed = new_hold(site.site_id, str(freed.receipt_id), "case 1", "officer", now())
    core.writer.run(lambda connection: place_hold(connection, of_freed))
    back_up(core, keeper, file)
    now.move(minutes=5)
    of_held = new_hold(site.site_id, str(held.receipt_id), "case 2", "officer", now())
    core.writer.run(lambda connection: place_hold(connection, of_held))
    core.writer.run(lambda connection: lift_hold(connection, of_freed.hold_id, "officer", now()))
    core.writer.run(
        lambda connection: erase_receipt(
            connection, site, str(forgotten.receipt_id), "officer", now(), with_records=True
        )
    )
    keeper.turn()
    assert count(core, receipt) == 2
    done = bring_back(config, core, keeper, file, now)
    assert done.replayed["holds"] == 2
    again = restored()
    assert seen(again) == {str(freed.receipt_id)}
    assert count(again.keeping.core, receipt) == 2
    assert len(again.store.fetch("SELECT 1 FROM held_event", []).rows) == 1


def test_numbering_goes_on_and_visitors_go_on(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    site: Site,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
) -> None:
    one, other = visitors(visitor, 2)
    one.withdraw()
    keeper.turn()
    back_up(core, keeper, file)
    bring_back(config, core, keeper, file, now)
    again = restored()
    with again.keeping.core.engine.connect() as connection:
        keys = connection.execute(select(site_table.c.key)).scalars().all()
        state = read_states(connection, [str(other.receipt_id)])[str(other.receipt_id)]
    assert keys == [site.key]
    publication = again.keeping.core.publications.of(site)
    assert publication is not None
    assert not isinstance(check(state, publication.rules, now=now(), has_signal=False), Refusal)
    erased = again.keeping.core.writer.run(
        lambda connection: erase_receipt(connection, site, str(other.receipt_id), "officer", now(), with_records=False)
    )
    again.turn()
    assert seen(again) == set()
    assert erased


def test_what_waits_in_an_inbox_is_in_the_backup_once(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
) -> None:
    visitor.accept()
    visitor.pageview("/stored")
    keeper.turn()
    visitor.pageview("/waits")
    write_backup(core, file, keeper.keeper.snapshot)
    bring_back(config, core, keeper, file, now)
    again = restored()
    again.turn()
    assert sorted(again.store.fetch("SELECT path FROM event", []).rows) == [("/stored",), ("/waits",)]


def test_after_a_restore_nothing_is_signed_before_somebody_accepted_it(
    visitor: Visitor,
    keeper: KeeperInHand,
    core: Core,
    config: Config,
    file: Path,
    now: Clock,
    restored: Callable[[], KeeperInHand],
) -> None:
    visitors(visitor, 1)
    keeper.keeper.integrator.integrate()
    back_up(core, keeper, file)
    visitors(visitor, 1)
    keeper.keeper.integrator.integrate()
    guard = (config.data_dir / "ledger.guard").read_bytes()
    bring_back(config, core, keeper, file, now)
    assert (config.data_dir / "ledger.guard").read_bytes() == guard
    with zipfile.ZipFile(file) as archive:
        assert "ledger.json" in archive.namelist()
        assert not [name for name in archive.namelist() if "guard" in name]
    again = restored()
    signed = count(again.keeping.core, ledger_checkpoint)
    with pytest.raises(LedgerRefused, match="restore-accept"):
        again.keeper.integrator.integrate()
    assert count(again.keeping.core, ledger_checkpoint) == signed


@pytest.mark.parametrize("spoil", ["cut", "foreign", "changed", "text", "old"])
def test_a_spoilt_backup_is_refused_and_nothing_is_lost(
    visitor: Visitor, keeper: KeeperInHand, core: Core, file: Path, now: Clock, spoil: str, config: Config
) -> None:
    visitors(visitor, 2)
    keeper.turn()
    back_up(core, keeper, file)
    at = now()
    if spoil == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif spoil == "text":
        file.write_text("not a backup")
    elif spoil == "foreign":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("manifest.json", orjson.dumps({"format": "another"}))
    elif spoil == "old":
        at += timedelta(days=36)
    else:
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo("events.duckdb")
            # Behind a local header of 30 bytes and the name, in the middle of what is compressed.
            held = member.header_offset + 30 + len(member.filename) + member.compress_size // 2
        data = bytearray(file.read_bytes())
        data[held] ^= 1
        file.write_bytes(data)
    with pytest.raises(BadBackup, match=r"today\.backup"):
        check_backup(file, at)
    assert not (config.data_dir / RESTORE).exists()
    assert len(seen(keeper)) == 2


def test_a_backup_takes_no_other_files_place(keeper: KeeperInHand, core: Core, file: Path) -> None:
    file.write_text("a letter")
    with pytest.raises(BadBackup, match="is no backup"):
        back_up(core, keeper, file)
    assert file.read_text() == "a letter"
    file.unlink()
    for _ in range(2):
        assert back_up(core, keeper, file)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_journal_holds_every_withdrawal_before_its_answer_and_forgets_after_forty_days(
    visitor: Visitor, core: Core, config: Config, now: Clock, site: Site
) -> None:
    visitor.accept()
    visitor.withdraw()
    kinds = [(line["type"], line["receipt_id"]) for line in read_journal(config.journal_path, now()).lines]
    assert kinds == [("withdrawal", visitor.receipt_id), ("erasure", visitor.receipt_id)]
    with config.journal_path.open("ab") as torn:
        torn.write(b'{"v":1,"type":"withd')
    other = visitor.another()
    other.accept()
    now.move(days=41)
    other.withdraw()
    journal = read_journal(config.journal_path, now())
    assert ([line["type"] for line in journal.lines], journal.unreadable) == (["withdrawal", "erasure"], 1)
    assert prune(config.journal_path, now() - timedelta(days=40)) == 2
    assert len(read_journal(config.journal_path, now() - timedelta(days=99)).lines) == 2
    assert config.journal_path.stat().st_mode & 0o777 == 0o600


def test_what_is_undone_leaves_no_line(core: Core, config: Config, site: Site, now: Clock) -> None:
    def fail(connection: Any) -> None:
        place_hold(connection, new_hold(site.site_id, None, "a mistake", "officer", now()))
        raise LookupError

    with pytest.raises(LookupError):
        core.writer.run(fail)
    assert read_journal(config.journal_path, now()).lines == []


def test_what_cannot_be_noted_is_not_withdrawn(
    visitor: Visitor, core: Core, config: Config, site: Site, now: Clock
) -> None:
    visitor.accept()
    config.journal_path.mkdir()
    assert visitor.withdraw().status_code == 503
    config.journal_path.rmdir()
    assert visitor.withdraw().status_code == 200
