"""`migrate-events`: move the events of the embedded store to ClickHouse."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from consent_service.cli.deployment import data_dir_option, opened_as
from consent_service.cli.output import Refused, json_option, show
from consent_service.cli.progress import show_progress
from consent_service.config import load_config
from consent_service.core import Core
from consent_service.events_url import EventsUrl
from consent_service.locks import KEEPER, SERVER, Locked, take


@click.command("migrate-events")
@data_dir_option
@json_option
def migrate_events(data_dir: Path | None, as_json: bool) -> None:
    """Move the events of the data directory to the ClickHouse of EVENTS_URL; can be stopped and begun again."""
    config = load_config(data_dir=data_dir)
    if config.events_url is None:
        raise Refused("set CONSENT_SERVICE_EVENTS_URL to where the events are to be moved")
    if not config.events_path.exists():
        raise Refused(f"there is no {config.events_path}, so nothing to move")
    with opened_as(config, checks_events=False) as core, ExitStack() as stack:
        for lock in (SERVER, KEEPER):
            try:
                stack.enter_context(take(config.data_dir / lock))
            except Locked as error:
                raise Refused(f"a server or command works here (process {error.pid}); stop it first") from error
        document = _move(core, config.events_url)
        kept = config.moved_events_path
        os.replace(config.events_path, kept)
    document["file"] = str(kept)
    lines = (
        f"{document['events']} events moved, {document['already']} were there; the numbers of {document['days']} days "
        f"of sites are equal on both sides.\n{kept} is no longer used, and no erasure reaches it: delete it soon."
    )
    show(document, as_json, lambda: lines)


def _move(core: Core, url: EventsUrl) -> dict[str, object]:
    from consent_service.events.clickhouse_server import Server
    from consent_service.events.duckdb import DuckDBStore
    from consent_service.events.moving import Move, MoveError

    source, server = DuckDBStore(core.config.events_path), Server(url)
    try:
        move = Move(source, server, core.engine)
        with show_progress("Moving events", "migrate-events", "moved", move.count()) as progress:
            return dict(asdict(move.run(progress)))
    except MoveError as error:
        raise Refused(str(error)) from error
    finally:
        source.close()
        server.close()


COMMANDS = (migrate_events,)
