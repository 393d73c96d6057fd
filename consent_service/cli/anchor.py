"""`ledger anchor`: put the newest checkpoint where whoever runs this server cannot change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consent_service.cli.deployment import data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import Refused, json_option, show, table
from consent_service.ledger.anchors import Status


@click.command()
@data_dir_option
@json_option
def anchor(data_dir: Path | None, as_json: bool) -> int:
    """Anchor the newest checkpoint now, everywhere that the settings name; exit code 1 when one fails."""
    with opened(data_dir) as core:
        done = ask_keeper(core, "anchor")
    if not done:
        raise Refused(
            "no anchor is configured; set CONSENT_SERVICE_ANCHOR_TIMESTAMP_URL, …_ANCHOR_WEBHOOK_URL or …_ANCHOR_EMAIL"
        )
    show(done, as_json, lambda: _text(done))
    return 1 if any(item["status"] == Status.FAILED for item in done) else 0


def _text(done: list[dict[str, Any]]) -> str:
    names = ("kind", "status", "tree_size", "sent_at", "error")
    return table(
        [["anchor", "status", "leaves", "sent at", "error"], *([item[name] for name in names] for item in done)]
    )
