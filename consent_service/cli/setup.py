"""`init`: make a deployment, or complete one that was left half made."""

from __future__ import annotations

import stat
from pathlib import Path

import click
from sqlalchemy import Connection

from consent_service.cli.deployment import ACTOR, DEFAULT_PORT, data_dir_option, refuse_other_schema
from consent_service.cli.output import Refused, json_option, show
from consent_service.config import Config, directory_of, load_config, read_settings
from consent_service.console.people import (
    LINK_HOURS,
    Role,
    User,
    add_user,
    link_url,
    list_users,
    normal_email,
    reset_user,
)
from consent_service.core import Core, make_core
from consent_service.db.schema import state
from consent_service.ledger.guard import begin_missing_log
from consent_service.locks import SERVER, read_port
from consent_service.secrets import write_secrets
from consent_service.times import utc_now

DEFAULT_ADMIN = "admin@consent-service.example"
# What belongs to a data directory, or lies in one for good reasons.
_OWN_NAMES = (
    ".env",
    "lost+found",
    "secrets.*",
    "ledger.*",
    "consent.sqlite*",
    "events.duckdb*",
    "inbox",
    "*.lock",
    "keeper.sock",
    "*.mmdb",
    "truth.json",
    "demo.*",
)


def make_deployment(data_dir: Path | None, port: int, *, is_demo: bool = False) -> Config:
    """Make whatever of a deployment is not there yet: directory, secrets, schema; touches nothing that is."""
    directory = directory_of(data_dir)
    _make_directory(directory)
    if not read_settings(directory).get("SECRET_KEYS"):
        write_secrets(directory, utc_now())
    config = load_config(data_dir=data_dir, port=port, is_demo=is_demo)
    core = make_core(config)
    try:
        found = state(core.engine)
        if found.current is None:
            # Alembic takes as long to load as all else that `serve` needs.
            from consent_service.db.migrate import upgrade

            upgrade(core.engine)
        else:
            refuse_other_schema(found, config)
        begin_missing_log(core.engine, config.data_dir, core.now())
    finally:
        core.close()
    return config


@click.command()
@click.option("--admin", metavar="EMAIL", help=f"The first admin's e-mail address (else {DEFAULT_ADMIN}).")
@data_dir_option
@json_option
def init(admin: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Make the data directory, the secrets, the schema and the first admin; completes a half-made one."""
    port = read_port(directory_of(data_dir) / SERVER) or DEFAULT_PORT
    config = make_deployment(data_dir, port)
    core = make_core(config)
    try:
        email, token = core.writer.run(lambda connection: _first_admin(connection, admin, core))
    finally:
        core.close()
    link = None if token is None else link_url(config.public_url, token)
    document = {"data_dir": str(config.data_dir), "admin": email, "setup_url": link}
    lines = [f"{config.data_dir} is ready."]
    if link is not None:
        lines.append(f"{email} sets a password within {LINK_HOURS} hours: {link}")
    show(document, as_json, lambda: "\n".join(lines))


def _first_admin(connection: Connection, email: str | None, core: Core) -> tuple[str, str | None]:
    """Give the first admin's address and a setup token; no token once somebody can log in."""
    people, now = list_users(connection), core.now()
    if not people:
        person, token = add_user(connection, email or DEFAULT_ADMIN, Role.ADMIN, [], actor=ACTOR, now=now)
        return person.email, token
    named = _named(people, email)
    if any(person.has_password for person in people):
        return named.email, None
    # The link was printed once, perhaps on a screen that is gone.
    return named.email, reset_user(connection, named.email, actor=ACTOR, now=now)


def _named(people: list[User], email: str | None) -> User:
    admins = [person for person in people if person.role is Role.ADMIN]
    for person in admins:
        if email is None or person.email == normal_email(email):
            return person
    raise Refused(f"there are users already; run: consent-service user add {email or 'EMAIL'} --role admin")


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(directory.stat().st_mode) & 0o077:
            _refuse_strangers(directory)
            directory.chmod(0o700)
    except OSError as error:
        raise Refused(
            f"{directory} cannot be made: {error.strerror}; choose another with --data-dir, or make it writable"
        ) from error


def _refuse_strangers(directory: Path) -> None:
    """Refuse to close a directory to others that holds more than a deployment: somebody else may need it."""
    for entry in sorted(directory.iterdir()):
        if not any(entry.match(name) for name in _OWN_NAMES):
            raise Refused(
                f"{directory} is open to others and holds {entry.name}; choose an empty directory with --data-dir"
            )


COMMANDS = (init,)
