"""`erase`: delete what was collected of one visitor."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, select

from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import ACTOR, Refused, data_dir_option, json_option, opened, show
from consent_service.consent.publication import Publication
from consent_service.consent.record import remove_records, request_erasure
from consent_service.consent.withdrawal import withdraw_receipt
from consent_service.db.audit import note
from consent_service.db.tables import erasure_job, receipt


@click.command()
@click.option("--receipt", "receipt_id", required=True, metavar="ID", help="The receipt of the visitor.")
@click.option("--records", "with_records", is_flag=True, help="Delete the records and salts of the decisions too.")
@data_dir_option
@json_option
def erase(receipt_id: str, with_records: bool, data_dir: Path | None, as_json: bool) -> None:
    """Withdraw a consent and delete every event it allowed; prints what was done."""
    with opened(data_dir) as core:
        with core.engine.connect() as connection:
            site_id = connection.execute(
                select(receipt.c.site_id).where(receipt.c.receipt_id == receipt_id)
            ).scalar_one_or_none()
        site = None if site_id is None else core.sites.by_id(site_id)
        publication = None if site is None else core.publications.of(site)
        if publication is None:
            raise Refused(f"there is no receipt {receipt_id}")
        erasure_id = core.writer.run(lambda c: _ask(c, receipt_id, publication, core.now(), with_records))
        ask_keeper(core, "drain")
        document = core.writer.run(lambda c: _finish(c, receipt_id, erasure_id, with_records, core.now()))
    show(document, as_json, lambda: "\n".join(f"{name}: {value}" for name, value in document.items()))


def _ask(connection: Connection, receipt_id: str, publication: Publication, now: datetime, with_records: bool) -> str:
    """Close the gate and ask for the erasure, in one transaction."""
    site_id = publication.site.site_id
    withdraw_receipt(connection, receipt_id, publication, now)
    erasure = request_erasure(connection, site_id=site_id, receipt_id=receipt_id, reason="request", now=now)
    note(
        connection,
        at=now,
        actor=ACTOR,
        action="erase",
        subject=erasure.erasure_id,
        site_id=site_id,
        detail={"records": with_records},
    )
    return erasure.erasure_id


def _finish(
    connection: Connection, receipt_id: str, erasure_id: str, with_records: bool, now: datetime
) -> dict[str, Any]:
    row = connection.execute(select(erasure_job).where(erasure_job.c.erasure_id == erasure_id)).one()
    records = remove_records(connection, receipt_id, reason="erasure", now=now) if with_records else 0
    return {
        "erasure_id": erasure_id,
        "receipt_id": receipt_id,
        "status": row.status,
        "events": row.events,
        "records": records,
        "requested_at": row.requested_at,
        "erased_at": row.done_at,
    }


COMMANDS = (erase,)
