"""`access`: everything that is stored under a receipt, as one file (GDPR art. 15)."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sqlalchemy import select

from consent_service.cli.deployment import ACTOR, data_dir_option, opened
from consent_service.cli.keeper import opened_reader
from consent_service.cli.output import Refused, json_option, show
from consent_service.cli.rights import receipt_option
from consent_service.db.audit import note
from consent_service.db.tables import receipt
from consent_service.export.receipt_copy import copy_receipt

FORMATS = ("json", "csv")


@click.command()
@receipt_option
@click.option(
    "--out",
    "out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where it goes.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Else by the ending of FILE.")
@data_dir_option
@json_option
def access(receipt_id: str, out: Path, format_: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Write everything that is stored under a receipt into a file, for the visitor who asks for it."""
    kind = format_ or out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise click.BadParameter("must end in .json or .csv, or give --format", param_hint="--out")
    with opened(data_dir) as core:
        with core.engine.connect() as connection:
            of_it = select(receipt.c.site_id).where(receipt.c.receipt_id == receipt_id)
            site_id = connection.execute(of_it).scalar()
        site = None if site_id is None else core.sites.by_id(site_id)
        if site is None:
            raise Refused(f"there is no receipt {receipt_id}; the visitor's page and `GET /api/v1/decisions` show them")
        now, part = core.now(), out.with_name(f"{out.name}.part")
        with opened_reader(core) as reader:
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.writelines(copy_receipt(core.engine, reader, site, receipt_id, now, kind))
                os.replace(part, out)
            finally:
                part.unlink(missing_ok=True)
        core.writer.run(
            lambda connection: note(
                connection, at=now, actor=ACTOR, action="access", subject=site.key, site_id=site.site_id
            )
        )
    document = {
        "file": str(out),
        "format": kind,
        "bytes": out.stat().st_size,
        "receipt_id": receipt_id,
        "site": site.key,
    }
    show(document, as_json, lambda: f"{out}: {document['bytes']} bytes")


COMMANDS = (access,)
