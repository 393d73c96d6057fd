"""`user`: let people into the console."""

from __future__ import annotations

from pathlib import Path

import click

from consent_service.cli.output import ACTOR, Refused, data_dir_option, find, json_option, opened, show
from consent_service.console.people import Role, add_user, reset_user
from consent_service.errors import ServiceError


@click.group()
def user() -> None:
    """Let people into the console."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--site", "keys", multiple=True, metavar="KEY", help="A site they may see; may be repeated.")
@data_dir_option
@json_option
def add(email: str, role: str, keys: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Add a user; prints the one-time link with which they set their password."""
    with opened(data_dir) as core:
        with core.engine.connect() as connection:
            ids = [find(connection, key).site_id for key in keys]
        try:
            _, link = core.writer.run(
                lambda connection: add_user(connection, email, Role(role), ids, actor=ACTOR, now=core.now())
            )
        except ServiceError as error:
            raise Refused(str(error)) from error
        url = f"{core.config.public_url}/console/login/{link}"
    document = {"email": email, "role": role, "sites": list(keys), "setup_url": url}
    show(document, as_json, lambda: f"{email} sets a password within 24 hours: {url}")


@user.command()
@click.argument("email")
@data_dir_option
@json_option
def reset(email: str, data_dir: Path | None, as_json: bool) -> None:
    """End a user's logins; prints a one-time link with which they set a new password."""
    with opened(data_dir) as core:
        try:
            link = core.writer.run(lambda connection: reset_user(connection, email, actor=ACTOR, now=core.now()))
        except ServiceError as error:
            raise Refused(str(error)) from error
        url = f"{core.config.public_url}/console/login/{link}"
    show({"email": email, "setup_url": url}, as_json, lambda: f"{email} sets a password within 24 hours: {url}")


COMMANDS = (user,)
