"""`erase`: delete what was collected of one visitor."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Column, Connection, func, select

from consent_service.app import Core
from consent_service.cli.certificate import certify, written
from consent_service.cli.deployment import ACTOR, data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show
from consent_service.consent.erasure import find_erasure, request_erasure
from consent_service.consent.publication import load_publication
from consent_service.consent.removal import remove_records
from consent_service.consent.withdrawal import withdraw_receipt
from consent_service.db.audit import note
from consent_service.db.tables import erasure_job, receipt

_RECEIPT_ID = re.compile(r"[0-9a-f]{32}")


@click.command()
@click.option("--receipt", "receipt_id", required=True, metavar="ID", help="The receipt of the visitor.")
@click.option("--records", "with_records", is_flag=True, help="Delete the decisions' records and salts too.")
@data_dir_option
@json_option
def erase(receipt_id: str, with_records: bool, data_dir: Path | None, as_json: bool) -> None:
    """Withdraw a visitor's consent and delete every event it allowed; prints the certificate."""
    if not _RECEIPT_ID.fullmatch(receipt_id):
        raise click.BadParameter("a receipt id is 32 characters of 0-9 and a-f", param_hint="--receipt")
    with opened(data_dir) as core:
        erasure_id = core.writer.run(lambda connection: _request(connection, core, receipt_id, with_records))
        ask_keeper(core, "drain")
        done = core.writer.run(lambda connection: _finish(connection, receipt_id, erasure_id, with_records, core.now()))
        done |= certify(core, erasure_id)
    show(done, as_json, lambda: written(done))


def _request(connection: Connection, core: Core, receipt_id: str, with_records: bool) -> str:
    """Close the gate and ask for the erasure, in one transaction; where one has done all there is, it is that one."""
    now = core.now()
    site_id = _read(connection, receipt_id, receipt.c.site_id)
    if site_id is None:
        before = find_erasure(connection, receipt_id)
        if before is None:
            raise Refused(f"there is no receipt {receipt_id}; the visitor's page and `GET /api/v1/decisions` show them")
        return before.erasure_id
    site = core.sites.by_id(site_id)
    publication = None if site is None else load_publication(connection, site)
    if publication is not None:
        withdraw_receipt(connection, receipt_id, publication, now)
    # After an erasure that came with the withdrawal of everything, no event can have been stored.
    withdrawn_at = _read(connection, receipt_id, receipt.c.withdrawn_at)
    erasure = None if withdrawn_at is None else find_erasure(connection, receipt_id, withdrawn_at)
    if erasure is None:
        erasure = request_erasure(connection, site_id=site_id, receipt_id=receipt_id, reason="request", now=now)
    note(
        connection,
        at=now,
        actor=ACTOR,
        action="erase",
        # Not the receipt: with its records it is to be forgotten here too.
        subject=erasure.erasure_id,
        site_id=site_id,
        detail={"records": with_records},
    )
    return erasure.erasure_id


def _read(connection: Connection, receipt_id: str, column: Column[Any]) -> Any:
    return connection.execute(select(column).where(receipt.c.receipt_id == receipt_id)).scalar_one_or_none()


def _finish(
    connection: Connection, receipt_id: str, erasure_id: str, with_records: bool, now: datetime
) -> dict[str, Any]:
    """Give the certificate; `events` are all that were ever erased of the visitor, by this erasure and earlier ones."""
    row = connection.execute(select(erasure_job).where(erasure_job.c.erasure_id == erasure_id)).one()
    of_receipt = select(func.sum(erasure_job.c.events)).where(erasure_job.c.receipt_id == receipt_id)
    return {
        "erasure_id": erasure_id,
        "receipt_id": receipt_id,
        "status": row.status,
        "events": connection.execute(of_receipt).scalar(),
        "records": remove_records(connection, receipt_id, reason="erasure", now=now) if with_records else 0,
        "requested_at": row.requested_at,
        "erased_at": row.done_at,
        # When the bytes left the disk: the next compaction, within a day.
        "compacted_at": row.compacted_at,
    }


COMMANDS = (erase,)
