"""`retention`: delete what was kept long enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consent_service.cli.deployment import data_dir_option, opened
from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import json_option, show, table


@click.group()
def retention() -> None:
    """Delete what was kept long enough."""


@retention.command("run")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only count what would be deleted.")
@click.option("--compact", "compacts", is_flag=True, help="Rewrite the store, so that deleted bytes leave the disk.")
@data_dir_option
@json_option
def run_retention(is_dry_run: bool, compacts: bool, data_dir: Path | None, as_json: bool) -> None:
    """Delete the events and records that the policies promise to delete by now."""
    if is_dry_run and compacts:
        raise click.UsageError("--dry-run changes nothing, so it does not go with --compact")
    with opened(data_dir) as core:
        sites = ask_keeper(core, "retain", dry_run=is_dry_run)
        compaction = ask_keeper(core, "compact") if compacts else None
    listed = [{"site": item.pop("site_key"), **item} for item in sites]
    document = {"dry_run": is_dry_run, "sites": listed, "compaction": compaction}
    show(document, as_json, lambda: _text(document))


def _text(document: dict[str, Any]) -> str:
    names = ("site", "events_before", "events", "records", "notices")
    verb = "would be deleted" if document["dry_run"] else "deleted"
    rows = [["site", "events before", f"events {verb}", f"records {verb}", f"notices {verb}"]]
    rows += [[item[name] for name in names] for item in document["sites"]]
    lines = [table(rows) if document["sites"] else "no site has a policy: nothing to delete"]
    if (compaction := document["compaction"]) is not None:
        lines.append(
            f"compacted from {compaction['before_bytes']} to {compaction['after_bytes']} bytes "
            f"in {compaction['seconds']:.1f} s"
        )
    return "\n".join(lines)


COMMANDS = (retention,)
