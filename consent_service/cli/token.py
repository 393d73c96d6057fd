"""`token`: make and end API tokens."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from consent_service.cli.deployment import ACTOR, data_dir_option, find, opened
from consent_service.cli.output import Refused, json_option, show, table
from consent_service.sites.access import Scope, create_token, list_tokens, revoke_token, token_state


@click.group()
def token() -> None:
    """Make and end API tokens."""


@token.command()
@click.option("--site", "key", required=True, metavar="KEY", help="The site it is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; may be repeated.",
)
@click.option("--public", "is_public", is_flag=True, help="Hide small cells from whoever reads with it.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="End it after so many days.")
@data_dir_option
@json_option
def create(
    key: str, scopes: tuple[str, ...], is_public: bool, expires: int | None, data_dir: Path | None, as_json: bool
) -> None:
    """Make a token; it is printed once, and only a hash is stored."""
    wanted = [Scope(scope) for scope in dict.fromkeys(scopes)]
    with opened(data_dir) as core:

        def work(connection: Connection) -> tuple[str, str]:
            return create_token(
                connection,
                site_id=find(connection, key).site_id,
                scopes=wanted,
                is_public=is_public,
                expires_days=expires,
                actor=ACTOR,
                now=core.now(),
            )

        token_id, text = core.writer.run(work)
    document = {"id": token_id, "token": text, "scopes": [scope.value for scope in wanted], "site": key}
    show(document, as_json, lambda: f"{text}\nKeep it now: it is not shown again. Its id is {token_id}.")


@token.command("list")
@data_dir_option
@json_option
def list_all(data_dir: Path | None, as_json: bool) -> None:
    """List the tokens, the newest first, without their texts."""
    with opened(data_dir) as core, core.engine.connect() as connection:
        keys = {item.site_id: item.key for item in core.sites.all()}
        rows = [_row(item, keys, core.now()) for item in list_tokens(connection)]
    cells = [
        [row["id"], row["site"], " ".join(row["scopes"]), "public" if row["public"] else "", row["state"]]
        for row in rows
    ]
    show(rows, as_json, lambda: table(cells) if cells else "there are no tokens")


@token.command()
@click.argument("token_id", metavar="ID")
@data_dir_option
@json_option
def revoke(token_id: str, data_dir: Path | None, as_json: bool) -> None:
    """End a token at once."""
    with opened(data_dir) as core:
        has_ended = core.writer.run(lambda connection: revoke_token(connection, token_id, actor=ACTOR, now=core.now()))
    if not has_ended:
        raise Refused(f"there is no token {token_id} that still holds; see: consent-service token list")
    show({"id": token_id, "revoked": True}, as_json, lambda: f"{token_id} is revoked")


def _row(item: dict[str, Any], keys: dict[int, str], now: datetime) -> dict[str, Any]:
    return {
        "id": item["token_id"],
        "site": keys.get(item["site_id"]),
        "scopes": item["scopes"],
        "public": item["is_public"],
        "state": token_state(item["revoked_at"], item["expires_at"], now).value,
        **{name: item[name] for name in ("created_by", "created_at", "expires_at", "revoked_at", "used_at")},
    }


COMMANDS = (token,)
