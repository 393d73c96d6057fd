"""`backup` and `restore`: keep everything in one file, and bring it back without what was erased since."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from consent_service.cli.deployment import data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.config import directory_of, load_config
from consent_service.locks import KEEPER, SERVER, Locked, take
from consent_service.serve.backup import BadBackup, write_backup
from consent_service.serve.restore import check_backup, put_back_keys, restore_backup
from consent_service.times import timestamp, utc_now

BACKUP = "backup.lock"
file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@file_argument
@data_dir_option
@json_option
def backup(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Write database, events, inboxes and keys into one file, beside a running server."""
    path = file.absolute()
    with opened(data_dir) as core, ExitStack() as stack:
        _take(stack, core.config.data_dir / BACKUP, "another backup is being written (process {pid}); wait for it")
        try:
            document = write_backup(core, path, lambda place: ask_keeper(core, "snapshot", directory=str(place)))
        except BadBackup as error:
            raise Refused(str(error)) from error
    show(document, as_json, lambda: f"{path}: {document['bytes']} bytes, as of {timestamp(document['begun_at'])}")


@click.command()
@file_argument
@data_dir_option
@json_option
def restore(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Bring everything back from a backup, and withdraw and erase again what was since; refuses beside a server."""
    path, directory = file.absolute(), directory_of(data_dir)
    try:
        check_backup(path, utc_now())
        put_back_keys(path, directory)
        config = load_config(data_dir=data_dir)
        with ExitStack() as stack:
            for lock in (SERVER, KEEPER, BACKUP):
                _take(stack, directory / lock, "a server or command works here (process {pid}); stop it first")
            restored = restore_backup(config, path, utc_now)
    except BadBackup as error:
        raise Refused(str(error)) from error
    names = ("withdrawals", "erasures", "removals", "holds")
    document: dict[str, Any] = {
        "file": str(path),
        "as_of": restored.begun_at,
        "replayed": {name: restored.replayed[name] for name in names},
        "unreadable_lines": restored.unreadable,
        "strangers": restored.strangers,
    }
    show(document, as_json, lambda: _text(document))


def _take(stack: ExitStack, path: Path, message: str) -> None:
    try:
        stack.enter_context(take(path))
    except Locked as error:
        raise Refused(message.format(pid=error.pid)) from error


def _text(document: dict[str, Any]) -> str:
    done = ", ".join(f"{number} {name}" for name, number in document["replayed"].items())
    lines = [f"restored as of {timestamp(document['as_of'])}; done again since: {done}"]
    if document["unreadable_lines"]:
        lines.append(
            f"{document['unreadable_lines']} lines of erasures.ndjson were cut short, as a power cut leaves them"
        )
    return "\n".join(lines)


COMMANDS = (backup, restore)
