"""`user`: let people into the console."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import Connection

from consent_service.cli.deployment import ACTOR, data_dir_option, find, opened
from consent_service.cli.output import json_option, show
from consent_service.console.people import LINK_HOURS, Role, User, add_user, link_url, normal_email, reset_user


@click.group()
def user() -> None:
    """Let people into the console."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What the person may do.")
@click.option(
    "--site", "keys", multiple=True, metavar="KEY", help="Let the person see only this site; may be repeated."
)
@data_dir_option
@json_option
def add(email: str, role: str, keys: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Add a person; prints the one-time link with which they choose a password."""
    with opened(data_dir) as core:

        def work(connection: Connection) -> tuple[User, str]:
            numbers = [find(connection, key).site_id for key in keys]
            return add_user(connection, email, Role(role), numbers, actor=ACTOR, now=core.now())

        person, token = core.writer.run(work)
        url = link_url(core.config.public_url, token)
    document = {"email": person.email, "role": role, "sites": list(keys), "setup_url": url}
    show(document, as_json, lambda: _invitation(person.email, url))


@user.command()
@click.argument("email")
@data_dir_option
@json_option
def reset(email: str, data_dir: Path | None, as_json: bool) -> None:
    """End a person's password and logins; prints the one-time link for a new password."""
    address = normal_email(email)
    with opened(data_dir) as core:
        token = core.writer.run(lambda connection: reset_user(connection, address, actor=ACTOR, now=core.now()))
        url = link_url(core.config.public_url, token)
    show({"email": address, "setup_url": url}, as_json, lambda: _invitation(address, url))


def _invitation(email: str, url: str) -> str:
    return f"{email} sets a password within {LINK_HOURS} hours: {url}"


COMMANDS = (user,)
