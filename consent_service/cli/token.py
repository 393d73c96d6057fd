"""`token`: make and end API tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consent_service.cli.output import ACTOR, Refused, data_dir_option, find, json_option, opened, show, table
from consent_service.sites.access import Scope, create_token, list_tokens, revoke_token


@click.group()
def token() -> None:
    """Make and end API tokens."""


@token.command()
@click.option("--site", "key", required=True, metavar="KEY", help="The site it is for.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice([str(scope) for scope in Scope]))
@click.option("--public", "is_public", is_flag=True, help="Hide small cells from whoever reads with it.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="End it after so many days.")
@data_dir_option
@json_option
def create(
    key: str, scopes: tuple[str, ...], is_public: bool, expires: int | None, data_dir: Path | None, as_json: bool
) -> None:
    """Make a token; it is printed once, only a hash is stored."""
    with opened(data_dir) as core:

        def work(connection: Any) -> tuple[str, str]:
            return create_token(
                connection,
                site_id=find(connection, key).site_id,
                scopes=[Scope(scope) for scope in dict.fromkeys(scopes)],
                is_public=is_public,
                expires_days=expires,
                actor=ACTOR,
                now=core.now(),
            )

        token_id, text = core.writer.run(work)
    document = {"id": token_id, "token": text, "scopes": list(dict.fromkeys(scopes)), "site": key}
    show(document, as_json, lambda: f"{text}\nKeep it now: it is not shown again. Its id is {token_id}.")


@token.command("list")
@data_dir_option
@json_option
def list_all(data_dir: Path | None, as_json: bool) -> None:
    """List the tokens, without their texts."""
    with opened(data_dir) as core:
        keys = {item.site_id: item.key for item in core.sites.all()}
        with core.engine.connect() as connection:
            rows = [_row(item, keys) for item in list_tokens(connection)]
    cells = [[row["id"], row["site"], " ".join(row["scopes"]), row["state"]] for row in rows]
    show(rows, as_json, lambda: table(cells) if cells else "no tokens")


@token.command()
@click.argument("token_id", metavar="ID")
@data_dir_option
@json_option
def revoke(token_id: str, data_dir: Path | None, as_json: bool) -> None:
    """End a token at once."""
    with opened(data_dir) as core:
        ended = core.writer.run(lambda c: revoke_token(c, token_id, actor=ACTOR, now=core.now()))
    if not ended:
        raise Refused(f"there is no token {token_id} that still holds; see: consent-service token list")
    show({"id": token_id, "revoked": True}, as_json, lambda: f"{token_id} is revoked")


def _row(item: dict[str, Any], keys: dict[int, str]) -> dict[str, Any]:
    return {
        "id": item["token_id"],
        "site": keys.get(item["site_id"]),
        "scopes": item["scopes"],
        "public": item["is_public"],
        "created_at": item["created_at"],
        "expires_at": item["expires_at"],
        "revoked_at": item["revoked_at"],
        "state": "revoked" if item["revoked_at"] else "valid",
    }


COMMANDS = (token,)
