"""`db`: bring the main database to this program's schema."""

from __future__ import annotations

from pathlib import Path

import click

from consent_service.cli.output import Refused, data_dir_option, fail, json_option, opened, show
from consent_service.db.migrate import state
from consent_service.db.migrate import upgrade as migrate_up
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
            raise Refused(
                f"the database is newer than this program (revision {before.current}); update consent-service"
            )
        try:
            with take(core.config.data_dir / SERVER):
                migrate_up(core.engine)
        except Locked as error:
            raise Refused(f"a server runs (process {error.pid}); stop it first") from error
        after = state(core.engine)
    document = {"from": before.current, "to": after.current}
    show(document, as_json, lambda: f"the database is at revision {after.current}")


@database.command()
@data_dir_option
@json_option
@click.pass_context
def check(context: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Tell whether the main database has this program's schema."""
    with opened(data_dir, checks_schema=False) as core:
        found = state(core.engine)
    document = {"ok": found.is_current, "current": found.current, "head": found.head, "known": found.is_known}
    show(document, as_json, lambda: f"current {found.current or 'none'}, this program's {found.head}")
    if not found.is_current:
        mend = "update consent-service" if not found.is_known else "run: consent-service db upgrade"
        context.exit(fail([f"the database is not at this program's revision; {mend}"]))


COMMANDS = (database,)
