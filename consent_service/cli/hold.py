"""`hold`: keep a receipt's data, or a whole site's, and use it for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, select

from consent_service.cli.deployment import ACTOR, data_dir_option, find, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show, table
from consent_service.cli.rights import read_receipt_id
from consent_service.consent.hold import (
    Hold,
    HoldError,
    HoldKind,
    lift_hold,
    list_holds,
    new_hold,
    place_hold,
)
from consent_service.core import Core
from consent_service.db.tables import receipt
from consent_service.times import timestamp

by_option = click.option("--by", default=ACTOR, show_default=True, metavar="WHO", help="Who decided it.")


@click.group()
def hold() -> None:
    """Keep data because of a legal claim or a visitor's wish, and use it for nothing."""


@hold.command()
@click.option("--receipt", "receipt_id", metavar="ID", callback=read_receipt_id, help="The receipt that is held.")
@click.option("--site", "key", metavar="KEY", help="The site that is held as a whole.")
@click.option("--reason", required=True, help="Why, for whoever looks at it later.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Its last day (UTC).")
@click.option("--restriction", "is_wish", is_flag=True, help="The visitor asked for it; erasures do not wait then.")
@by_option
@data_dir_option
@json_option
def add(
    receipt_id: str | None,
    key: str | None,
    reason: str,
    until: datetime | None,
    is_wish: bool,
    by: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Hold a receipt, or a whole site, from now on."""
    if (receipt_id is None) == (key is None):
        raise click.UsageError("name what is held: either --receipt or --site")
    if is_wish and receipt_id is None:
        raise click.UsageError("--restriction is a visitor's wish and needs --receipt")
    end = None if until is None else until.replace(tzinfo=UTC) + timedelta(days=1)

    def place(connection: Connection) -> Hold:
        site_id = _site_of(connection, receipt_id, key)
        kind = HoldKind.RESTRICTION if is_wish else HoldKind.LEGAL
        return place_hold(connection, new_hold(site_id, receipt_id, reason, by, core.now(), kind=kind, until=end))

    with opened(data_dir) as core:
        try:
            placed = core.writer.run(place)
        except HoldError as error:
            raise Refused(str(error)) from error
        # When this is done nothing shows the events any more.
        ask_keeper(core, "drain")
        document = _document(core, placed)
    show(document, as_json, lambda: f"{document['id']} holds {_what(document)}; nothing shows it any more")


@hold.command()
@click.argument("hold_id", metavar="ID")
@by_option
@data_dir_option
@json_option
def lift(hold_id: str, by: str, data_dir: Path | None, as_json: bool) -> None:
    """End a hold; erasures that waited for it are done at once."""
    with opened(data_dir) as core:
        try:
            lifted = core.writer.run(lambda connection: lift_hold(connection, hold_id, by, core.now()))
        except HoldError as error:
            raise Refused(str(error)) from error
        ask_keeper(core, "drain")
        document = _document(core, lifted)
    show(document, as_json, lambda: f"{document['id']} holds {_what(document)} no more")


@hold.command("list")
@click.option("--all", "with_lifted", is_flag=True, help="Those that were lifted too.")
@click.option("--site", "key", metavar="KEY", help="Of one site only.")
@data_dir_option
@json_option
def list_(with_lifted: bool, key: str | None, data_dir: Path | None, as_json: bool) -> None:
    """List the holds that stand, the newest first."""
    with opened(data_dir) as core, core.engine.connect() as connection:
        site_id = None if key is None else find(connection, key).site_id
        documents = [_document(core, each) for each in list_holds(connection, site_id, with_lifted=with_lifted)]
    show(documents, as_json, lambda: _text(documents))


def _site_of(connection: Connection, receipt_id: str | None, key: str | None) -> int:
    if key is not None:
        return find(connection, key).site_id
    found = connection.execute(select(receipt.c.site_id).where(receipt.c.receipt_id == receipt_id)).scalar()
    if found is None:
        raise Refused(f"there is no receipt {receipt_id}; the visitor's page and `GET /api/v1/decisions` show them")
    return int(found)


def _document(core: Core, each: Hold) -> dict[str, Any]:
    site = core.sites.by_id(each.site_id)
    return {
        "id": each.hold_id,
        "site": None if site is None else site.key,
        "receipt_id": each.receipt_id,
        "kind": str(each.kind),
        "reason": each.reason,
        "placed_by": each.placed_by,
        "placed_at": each.placed_at,
        "until": each.until,
        "lifted_by": each.lifted_by,
        "lifted_at": each.lifted_at,
    }


def _what(document: dict[str, Any]) -> str:
    if document["receipt_id"] is None:
        return f"the whole site {document['site']}"
    return f"the receipt {document['receipt_id']}"


def _text(documents: list[dict[str, Any]]) -> str:
    if not documents:
        return "nothing is held"
    rows = [["id", "kind", "holds", "since", "until", "by", "reason"]]
    for each in documents:
        until = "-" if each["until"] is None else timestamp(each["until"])
        row = [each["id"], each["kind"], _what(each), timestamp(each["placed_at"]), until]
        rows.append([*row, each["placed_by"], each["reason"]])
    return table(rows)


COMMANDS = (hold,)
