"""`init`: make the data directory, the secrets, the schema and the first admin."""

from __future__ import annotations

import os
from pathlib import Path

import click

from consent_service.app import Core, make_core, utc_now
from consent_service.cli.output import ACTOR, Refused, data_dir_option, json_option, show
from consent_service.config import Config, load_config
from consent_service.console.people import Role, add_user, list_users, reset_user
from consent_service.db.migrate import state, upgrade
from consent_service.secrets import write_secrets


def make_directory(directory: Path) -> None:
    """Make the data directory for its owner alone; raises Refused when that cannot be."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise Refused(f"{directory} cannot be made: {error.strerror}; choose another with --data-dir") from error


def make_deployment(data_dir: Path | None, port: int = 8000, *, is_demo: bool = False) -> Config:
    """Make whatever of a deployment is not there yet: directory, secrets, schema; touches nothing that is."""
    directory = data_dir or Path(os.environ.get("CONSENT_SERVICE_DATA_DIR") or "data")
    make_directory(directory)
    write_secrets(directory, utc_now())
    config = load_config(data_dir=directory, port=port, is_demo=is_demo)
    core = make_core(config)
    try:
        found = state(core.engine)
        if not found.is_known:
            raise Refused(f"the database is newer than this program (revision {found.current}); update consent-service")
        upgrade(core.engine)
    finally:
        core.close()
    return config


@click.command()
@click.option("--admin", metavar="EMAIL", help="The first admin's e-mail address.")
@data_dir_option
@json_option
def init(admin: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Make the data directory, the secrets, the schema and the first admin."""
    config = make_deployment(data_dir)
    core = make_core(config)
    link = None
    try:
        if admin is not None:
            link = f"{config.public_url}/console/login/{_admin_link(core, admin)}"
    finally:
        core.close()
    document = {"data_dir": str(config.data_dir), "admin": admin, "setup_url": link}
    lines = [f"{config.data_dir} is ready."]
    if link is not None:
        lines.append(f"Set the password of {admin} within 24 hours: {link}")
    show(document, as_json, lambda: "\n".join(lines))


def _admin_link(core: Core, email: str) -> str:
    now = core.now()
    with core.engine.connect() as connection:
        known = any(person.email == email for person in list_users(connection))
    if known:
        return core.writer.run(lambda connection: reset_user(connection, email, actor=ACTOR, now=now))
    return core.writer.run(lambda connection: add_user(connection, email, Role.ADMIN, [], actor=ACTOR, now=now)[1])


COMMANDS = (init,)
