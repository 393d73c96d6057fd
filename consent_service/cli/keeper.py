"""Let the keeper do something: the one that runs, or else one made for the purpose."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from consent_service.cli.output import Refused
from consent_service.core import Core
from consent_service.errors import Unavailable
from consent_service.events.reading import StoreReader
from consent_service.events.store import Reader
from consent_service.locks import KEEPER, Locked, read_holder, take
from consent_service.serve.socket import KeeperClient

START_SECONDS = 10.0


def ask_keeper(core: Core, name: str, **members: Any) -> Any:
    """Let the keeper act beside a running server, or act in its place while none runs; raises Refused."""
    client = KeeperClient(core.config.socket_path)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if client.is_ready():
            return _ask(client, name, members)
        if read_holder(core.config.data_dir / KEEPER) is None:
            try:
                return _act(core, name, members)
            except Locked:
                continue
        # One that has just been started opens its socket in a moment.
        time.sleep(0.1)
    raise Refused("the keeper runs and does not answer; see: consent-service status")


def _ask(client: KeeperClient, name: str, members: dict[str, Any]) -> Any:
    try:
        return client.ask(name, **members)
    except Unavailable as error:
        raise Refused(f"the keeper did not do it: {error.message}") from error
    finally:
        client.close()


def _act(core: Core, name: str, members: dict[str, Any]) -> Any:
    from consent_service.serve.keeping import Keeping

    with take(core.config.data_dir / KEEPER):
        keeping = Keeping(core.config, core)
        try:
            return keeping.do(name, members)
        finally:
            keeping.keeper.close()


@contextmanager
def opened_reader(core: Core) -> Iterator[Reader]:
    """Read the event store through the keeper that runs, or by itself while none does; raises Refused."""
    client = KeeperClient(core.config.socket_path)
    if client.is_ready():
        try:
            yield client
        finally:
            client.close()
        return
    try:
        lock = take(core.config.data_dir / KEEPER)
    except Locked as error:
        raise Refused("the keeper runs and does not answer; see: consent-service status") from error
    from consent_service.serve.stores import open_store

    with lock:
        store = open_store(core.config, core.engine)
        try:
            yield StoreReader(store)
        finally:
            store.close()
