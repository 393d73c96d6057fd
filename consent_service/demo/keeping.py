"""Keep the event store while the demo is filled: a keeper in a process of its own, as in the server."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

from consent_service.config import Config
from consent_service.core import make_core
from consent_service.serve.keeper import Keeper
from consent_service.serve.stores import open_store

TURN_SECONDS: Final = 0.05
END_SECONDS: Final = 30.0
MEMORY_LIMIT: Final = "512MB"
SETTLE, COMPACT, END = "settle", "compact", "end"


class KeeperLost(Exception):
    """Tell that the keeper's process ended before its work was done."""


class KeeperProcess:
    """Hold a keeper that drains by itself; ask it when something must be stored or erased before one goes on."""

    def __init__(self, config: Config, now: datetime) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_keep, args=(config, now, other), daemon=True)
        self._process.start()
        other.close()

    def settle(self) -> None:
        """Wait until all that is in the inboxes is stored, and all that was withdrawn is erased."""
        self._ask(SETTLE)

    def compact(self) -> None:
        """Let the bytes of erased events leave the disk."""
        self._ask(COMPACT)

    def close(self) -> None:
        """End the process."""
        if self._process.is_alive():
            self._ask(END)
        self._process.join(END_SECONDS)
        self._pipe.close()

    def _ask(self, what: str) -> None:
        try:
            self._pipe.send(what)
            self._pipe.recv()
        except (EOFError, OSError) as error:
            raise KeeperLost("the process that stores the events ended; see the lines before this one") from error


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cycles less often: what is made here by the million has none, and looking takes a sixth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _keep(config: Config, now: datetime, pipe: Connection[Any, Any]) -> None:
    # Ctrl+C reaches both processes; the one that asks ends this one, or its end does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    core = make_core(config, lambda: now)
    store = open_store(config, core.engine, memory_limit=MEMORY_LIMIT)
    keeper = Keeper(config, core.engine, core.writer, core.sites, core.publications, store, core.now)
    acts: dict[str, Callable[[], object]] = {SETTLE: keeper.settle, COMPACT: keeper.compact}
    try:
        with rare_collections():
            while (asked := _next(pipe)) != END:
                if asked is None:
                    while keeper.drain().has_more and not pipe.poll():
                        pass
                else:
                    acts[asked]()
                    pipe.send(asked)
    finally:
        keeper.close()
        core.close()
    with suppress(OSError):
        pipe.send(END)


def _next(pipe: Connection[Any, Any]) -> str | None:
    """Give what is asked for, None when nothing is, END when nobody is there to ask any more."""
    try:
        return str(pipe.recv()) if pipe.poll(TURN_SECONDS) else None
    except (EOFError, OSError):
        return END
