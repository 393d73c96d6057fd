"""Anchor checkpoints in a thread of their own, so that the keeper waits for no server outside."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from consent_service.core import Core
from consent_service.ledger.anchors import (
    Anchor,
    Kind,
    Status,
    configured_kinds,
    due_kinds,
    keep_anchor,
    make_anchor,
    newest_anchor,
)
from consent_service.ledger.standing import read_head

log = logging.getLogger("consent_service")

CHECK_SECONDS: Final = 30.0
# A request under way may take longer; it is given up with the process.
END_SECONDS: Final = 1.0


class Anchoring:
    """Send the newest checkpoint to every place that is due, or, asked, to every place there is."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._is_over = threading.Event()
        self._alone = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="ledger-anchors", daemon=True)

    def start(self) -> None:
        """Begin to look, now and twice a minute."""
        self._thread.start()

    def close(self) -> None:
        """Begin no more."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(END_SECONDS)

    def run_due(self) -> list[Anchor]:
        """Anchor the newest checkpoint where it is due."""
        with self._alone:
            now = self._core.now()
            with self._core.engine.connect() as connection:
                kinds = due_kinds(connection, self._core.config.anchors, now)
            return self._anchor(kinds)

    def run_all(self) -> list[dict[str, Any]]:
        """Anchor the newest checkpoint everywhere, due or not; gives what came of it."""
        with self._alone:
            done = self._anchor(configured_kinds(self._core.config.anchors))
        names = ("anchor_id", "kind", "status", "tree_size", "sent_at", "error")
        return [{name: getattr(anchor, name) for name in names} for anchor in done]

    def _anchor(self, kinds: list[Kind]) -> list[Anchor]:
        done: list[Anchor] = []
        for kind in kinds:
            with self._core.engine.connect() as connection:
                head, before = read_head(connection), newest_anchor(connection, kind)
            if head.note is None or self._is_over.is_set():
                break
            anchor = make_anchor(kind, head.size, head.note, self._core.config.anchors, before, self._core.now())
            self._keep(anchor)
            done.append(anchor)
        return done

    def _keep(self, anchor: Anchor) -> None:
        self._core.writer.run(lambda connection: keep_anchor(connection, anchor))
        if anchor.status == Status.FAILED:
            log.error("the ledger's %s failed, attempt %s: %s", anchor.kind, anchor.attempts, anchor.error)

    def _loop(self) -> None:
        while not self._is_over.is_set():
            try:
                self.run_due()
            except SQLAlchemyError as error:
                # A database that is down comes back.
                log.error("the ledger could not be anchored: %s", type(error).__name__)
            self._is_over.wait(CHECK_SECONDS)
