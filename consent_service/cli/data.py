"""`retention`: delete what was kept long enough."""

from __future__ import annotations

from pathlib import Path

import click

from consent_service.cli.keeper import ask_keeper
from consent_service.cli.output import data_dir_option, json_option, opened, show


@click.group()
def retention() -> None:
    """Delete what was kept long enough."""


@retention.command("run")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only count what would be deleted.")
@click.option("--compact", "compacts", is_flag=True, help="Rewrite the store, so that deleted bytes leave the disk.")
@data_dir_option
@json_option
def run_retention(is_dry_run: bool, compacts: bool, data_dir: Path | None, as_json: bool) -> None:
    """Delete events and records past the dates the policies promise."""
    with opened(data_dir) as core:
        sites = ask_keeper(core, "retain", dry_run=is_dry_run)
        compaction = ask_keeper(core, "compact") if compacts and not is_dry_run else None
    document = {"dry_run": is_dry_run, "sites": sites, "compaction": compaction}
    verb = "would delete" if is_dry_run else "deleted"
    lines = [
        f"{item['site_key']}: {verb} {item['events']} events before {item['events_before']} and {item['records']} records"
        for item in sites
    ]
    if compaction is not None:
        lines.append(f"compacted: {compaction['before_bytes']} to {compaction['after_bytes']} bytes")
    show(document, as_json, lambda: "\n".join(lines) or "no site has a policy")


COMMANDS = (retention,)
