"""`db`: bring the main database to this program's schema."""

from __future__ import annotations

from pathlib import Path

import click

from consent_service.cli.deployment import data_dir_option, newer, opened
from consent_service.cli.output import Refused, fail, json_option, show
from consent_service.db.migrate import upgrade as migrate_up
from consent_service.db.schema import state
from consent_service.ledger.guard import begin_missing_log
from consent_service.locks import SERVER, Locked, take


@click.group("db")
def database() -> None:
    """Bring the main database to this program's schema."""


@database.command()
@data_dir_option
@json_option
def upgrade(data_dir: Path | None, as_json: bool) -> None:
    """Migrate the main database; refuses while a server runs."""
    with opened(data_dir, checks_schema=False) as core:
        before = state(core.engine)
        if not before.is_known:
            raise newer(before)
        try:
            with take(core.config.data_dir / SERVER):
                migrate_up(core.engine)
                begin_missing_log(core.engine, core.config.data_dir, core.now())
        except Locked as error:
            raise Refused(f"a server runs here (process {error.pid}); stop it first") from error
        after = state(core.engine)
    document = {"from": before.current, "to": after.current}
    verb = "is now" if before.current != after.current else "was already"
    show(document, as_json, lambda: f"the main database {verb} at revision {after.current}")


@database.command()
@data_dir_option
@json_option
def check(data_dir: Path | None, as_json: bool) -> int:
    """Tell whether the main database has this program's schema; exit code 1 when not."""
    with opened(data_dir, checks_schema=False) as core:
        found = state(core.engine)
    document = {"ok": found.is_current, "current": found.current, "head": found.head, "is_known": found.is_known}
    if as_json or found.is_current:
        show(document, as_json, lambda: f"the main database is at revision {found.head}, as this program wants it")
        return 0 if found.is_current else 1
    mend = "run: consent-service db upgrade" if found.is_known else "install the newer consent-service that made it"
    return fail(f"the main database is at revision {found.current or 'none'}, this program wants {found.head}; {mend}")


COMMANDS = (database,)
