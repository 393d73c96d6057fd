"""`erase`: delete what was collected of one visitor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, func, select

from consent_service.cli.certificate import certify, written
from consent_service.cli.deployment import ACTOR, data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.consent.erasure import find_erasure
from consent_service.consent.rights import erase_receipt
from consent_service.core import Core
from consent_service.db.tables import erasure_job, receipt

_RECEIPT_ID = re.compile(r"[0-9a-f]{32}")


def read_receipt_id(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Check an option that names a receipt."""
    if value is not None and not _RECEIPT_ID.fullmatch(value):
        raise click.BadParameter("a receipt id is 32 characters of 0-9 and a-f")
    return value


receipt_option = click.option(
    "--receipt", "receipt_id", required=True, metavar="ID", callback=read_receipt_id, help="The receipt of the visitor."
)


@click.command()
@receipt_option
@click.option("--records", "with_records", is_flag=True, help="Delete the decisions' records and salts too.")
@data_dir_option
@json_option
def erase(receipt_id: str, with_records: bool, data_dir: Path | None, as_json: bool) -> None:
    """Withdraw a visitor's consent and delete every event it allowed; prints the certificate."""
    with opened(data_dir) as core:
        erasure_id = core.writer.run(lambda connection: _request(connection, core, receipt_id, with_records))
        ask_keeper(core, "drain")
        with core.engine.connect() as connection:
            done = _certificate(connection, receipt_id, erasure_id)
        done |= certify(core, erasure_id)
    show(done, as_json, lambda: written(done))


def _request(connection: Connection, core: Core, receipt_id: str, with_records: bool) -> str:
    site_id = connection.execute(select(receipt.c.site_id).where(receipt.c.receipt_id == receipt_id)).scalar()
    site = None if site_id is None else core.sites.by_id(site_id)
    if site is None:
        before = find_erasure(connection, receipt_id)
        if before is None:
            raise Refused(f"there is no receipt {receipt_id}; the visitor's page and `GET /api/v1/decisions` show them")
        return before.erasure_id
    return erase_receipt(connection, site, receipt_id, ACTOR, core.now(), with_records=with_records)


def _certificate(connection: Connection, receipt_id: str, erasure_id: str) -> dict[str, Any]:
    """Give the certificate; `events` are all that were ever erased of the visitor, by this erasure and earlier ones."""
    row = connection.execute(select(erasure_job).where(erasure_job.c.erasure_id == erasure_id)).one()
    of_receipt = select(func.sum(erasure_job.c.events)).where(erasure_job.c.receipt_id == receipt_id)
    return {
        "erasure_id": erasure_id,
        "receipt_id": receipt_id,
        # `held` while a legal hold keeps everything: it is done within a minute after that is lifted.
        "status": row.status,
        "events": connection.execute(of_receipt).scalar(),
        "records": row.records or 0,
        "requested_at": row.requested_at,
        "erased_at": row.done_at,
        # When the bytes left the disk: the next compaction, within a day.
        "compacted_at": row.compacted_at,
    }


COMMANDS = (erase,)
