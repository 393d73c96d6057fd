"""Run the keeper's process: its loop, its socket, its end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from consent_service.collect.inbox_file import InboxError
from consent_service.config import Config
from consent_service.consent.idempotency import prune
from consent_service.core import Core, make_core
from consent_service.db.journal import KEEP_LINES
from consent_service.db.journal import prune as prune_journal
from consent_service.events.store import EventStoreError, StoreUnavailable
from consent_service.locks import KEEPER, take
from consent_service.serve.anchoring import Anchoring
from consent_service.serve.keeper import Keeper
from consent_service.serve.ledger_turns import LedgerTurns
from consent_service.serve.retention import RetentionBraked
from consent_service.serve.socket import KeeperServer
from consent_service.serve.stores import open_store

T = TypeVar("T")

log = logging.getLogger("consent_service")

TURN_SECONDS = 0.2
RETAIN_EVERY = timedelta(hours=24)
PRUNE_EVERY = timedelta(minutes=10)


class Keeping:
    """Hold a keeper with what is asked of it from outside; all acts run in the loop's own thread."""

    def __init__(self, config: Config, core: Core) -> None:
        self.core = core
        self.keeper = Keeper(
            config,
            core.engine,
            core.writer,
            core.sites,
            core.publications,
            open_store(config, core.engine),
            core.now,
        )
        self.ledger = LedgerTurns(self.keeper.integrator)
        self.anchoring = Anchoring(core)
        self._asked: SimpleQueue[tuple[str, dict[str, Any], Future[Any]] | None] = SimpleQueue()
        self._is_ending = False
        # Why the last run of retention deleted nothing, for `status`.
        self.brake: str | None = None
        self._retained_at: datetime | None = None
        self._pruned_at: datetime | None = None

    def act(self, name: str, members: dict[str, Any]) -> Any:
        """Do something asked for from outside, in the loop's thread; raises LookupError for an unknown name."""
        if name == "anchor":
            # In the thread of whoever asked: nothing waits for a server outside.
            return self._anchor()
        if name not in _ACTS:
            raise LookupError(f"the keeper does not know {name!r}")
        future: Future[Any] = Future()
        self._asked.put((name, members, future))
        return future.result()

    def do(self, name: str, members: dict[str, Any]) -> Any:
        """Do something at once, in this thread: for a command while no server runs."""
        self.keeper.settle()
        if name == "anchor":
            _sign_checkpoint(self, {"extensions": []})
            return self.anchoring.run_all()
        return _ACTS[name](self, members)

    def _anchor(self) -> list[dict[str, Any]]:
        # What is logged by now is in the checkpoint first.
        self.act("sign_checkpoint", {"extensions": []})
        return self.anchoring.run_all()

    def end(self) -> None:
        """Let the loop drain what is left and stop."""
        self._is_ending = True
        self._asked.put(None)

    def run(self) -> None:
        """Work until `end` is called."""
        while not self._is_ending:
            has_more = self._turn()
            self._answer(0 if has_more else TURN_SECONDS)
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Do one round of everything; tells whether more events wait than one round takes."""
        self._attempt(self.keeper.restrict)
        drained = self._attempt(self.keeper.drain)
        self._attempt(self.keeper.run_erasures)
        integrated = self._attempt(self.ledger.integrate)
        self._attempt(self._housekeep)
        return bool((drained is not None and drained.has_more) or (integrated is not None and integrated.has_more))

    @staticmethod
    def _attempt(work: Callable[[], T]) -> T | None:
        """Do a part of a round; when it fails the others are done all the same, and it is tried again in the next.

        Raises StoreUnavailable: only a process that starts anew can open the store again.
        """
        try:
            return work()
        except StoreUnavailable:
            raise
        except (SQLAlchemyError, EventStoreError, InboxError, OSError) as error:
            # A store that is down comes back; what waits stays in the inboxes until then.
            log.error("the keeper could not work: %s: %s", type(error).__name__, error)
            return None

    def _housekeep(self) -> None:
        now = self.core.now()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = now
            self.core.writer.run(lambda connection: prune(connection, now))
            if self.keeper.is_compaction_due():
                self.keeper.compact()
            prune_journal(self.core.config.journal_path, now - KEEP_LINES)
        if self._retained_at is None or now - self._retained_at >= RETAIN_EVERY:
            self._retained_at = now
            self._retain()

    def _retain(self) -> None:
        try:
            self.keeper.retain()
        except RetentionBraked as braked:
            log.error("nothing was deleted: %s; see: consent-service retention run --dry-run", braked)
            self.brake = str(braked)
        else:
            self.brake = None

    def _answer(self, seconds: float) -> None:
        """Do what is asked for until the time is over; with none left, do the first of what waits already."""
        deadline = time.monotonic() + seconds
        while not self._is_ending:
            left = deadline - time.monotonic()
            try:
                asked = self._asked.get(timeout=max(0.0, left))
            except Empty:
                return
            if asked is not None:
                name, members, future = asked
                try:
                    future.set_result(_ACTS[name](self, members))
                except Exception as error:  # it belongs to whoever asked, not to the loop
                    future.set_exception(error)
            if left <= 0:
                return


def _status(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    depths: list[tuple[int, str | None]] = []
    for inbox in keeping.keeper.inboxes.all():
        # One that cannot be read is dealt with when it is drained.
        with suppress(InboxError):
            depths.append(inbox.depth())
    oldest = min((at for _, at in depths if at), default=None)
    return {
        "pid": os.getpid(),
        "rows": sum(rows for rows, _ in depths),
        "oldest_at": oldest,
        "drained_at": keeping.keeper.drained_at,
        "brake": keeping.brake,
        "damaged_inboxes": keeping.keeper.inboxes.damaged(),
        "ledger_problem": keeping.ledger.problem,
    }


def _drain(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    return {"stored": keeping.keeper.settle()}


def _compact(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    keeping.keeper.settle()
    return asdict(keeping.keeper.compact())


def _retain(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    """Delete, or count; a brake is an answer, since whoever asked has to be told how to go on."""
    plan = keeping.keeper.plan_retention()
    is_done = not members["dry_run"] and (plan.brake is None or bool(members["confirmed"]))
    sites = plan.counted
    if is_done:
        sites, keeping.brake = keeping.keeper.retain(is_confirmed=True), None
    return {"sites": [asdict(item) for item in sites], "brake": plan.brake, "done": is_done}


def _snapshot(keeping: Keeping, members: dict[str, Any]) -> None:
    keeping.keeper.settle()
    keeping.keeper.snapshot(Path(members["directory"]))


def _sign_checkpoint(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    return {"note": keeping.ledger.sign_checkpoint(members["extensions"])}


def _rotate_ledger_key(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    return {"key": keeping.ledger.rotate()}


def _restore_accept(keeping: Keeping, members: dict[str, Any]) -> dict[str, Any]:
    return asdict(keeping.ledger.accept_restore(members["reason"]))


_ACTS: dict[str, Callable[[Keeping, dict[str, Any]], Any]] = {
    "status": _status,
    "drain": _drain,
    "compact": _compact,
    "retain": _retain,
    "snapshot": _snapshot,
    "sign_checkpoint": _sign_checkpoint,
    "rotate_ledger_key": _rotate_ledger_key,
    "restore_accept": _restore_accept,
}


def main(config: Config, pipe: int) -> None:
    """Run the keeper until `pipe` closes: when the supervisor wants its end, and when the supervisor is gone."""
    # A signal to the whole process group must not end the keeper before the workers, whose last events it drains.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with take(config.data_dir / KEEPER, wait_seconds=10):
        core = make_core(config)
        try:
            _keep(config, core, pipe)
        except StoreUnavailable as error:
            log.critical("the keeper ends, to be started again: %s", error)
            sys.exit(1)
        finally:
            core.close()


def _keep(config: Config, core: Core, pipe: int) -> None:
    keeping = Keeping(config, core)
    server = KeeperServer(config.socket_path, keeping.keeper.store, keeping.act)
    threading.Thread(target=_end_with_pipe, args=(keeping, pipe), daemon=True).start()
    keeping.anchoring.start()
    try:
        keeping.run()
    finally:
        keeping.anchoring.close()
        server.close()
        with suppress(FileNotFoundError):
            config.socket_path.unlink()
        keeping.keeper.close()


def _end_with_pipe(keeping: Keeping, pipe: int) -> None:
    os.read(pipe, 1)
    keeping.end()
