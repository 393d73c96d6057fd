"""Events written straight into an inbox, as a worker writes them once they passed the gate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from consent_service.collect.inbox import Inbox
from consent_service.config import Config
from tests.integration.keeping import KeeperInHand


def event(at: datetime, **members: Any) -> dict[str, Any]:
    """Give what the pipeline leaves of a pageview."""
    return {"event_id": uuid4().hex, "name": "pageview", "occurred_at": at.isoformat(), "path": "/", **members}


@contextmanager
def another_inbox(config: Config) -> Iterator[Inbox]:
    """Give the inbox of one more worker."""
    inbox = Inbox(config.inbox_dir)
    try:
        yield inbox
    finally:
        inbox.close()


def stored_paths(keeper: KeeperInHand) -> list[str]:
    """Give the path of every stored event."""
    return [path for (path,) in keeper.store.fetch("SELECT path FROM event ORDER BY path", []).rows]
