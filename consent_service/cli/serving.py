"""`serve`, `demo` and `status`."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from consent_service.app import Core, make_core
from consent_service.cli.output import (
    Refused,
    data_dir_option,
    json_option,
    opened,
    refuse_missing,
    refuse_other_schema,
    show,
)
from consent_service.cli.setup import make_deployment
from consent_service.config import Config, load_config
from consent_service.db.migrate import state
from consent_service.errors import Unavailable
from consent_service.locks import KEEPER, read_holder
from consent_service.serve.logs import set_up
from consent_service.serve.processes import CannotServe, Supervisor
from consent_service.serve.socket import KeeperClient
from consent_service.sites.registry import Site

FEW_BYTES = 1_000_000_000
FEW_SHARE = 0.05

port_option = click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@port_option
@click.option("--workers", type=click.IntRange(1, 64), help="Web workers (else the setting, else one a CPU).")
@data_dir_option
def serve(host: str, port: int, workers: int | None, data_dir: Path | None) -> None:
    """Run the production server: web workers and keeper, until SIGTERM."""
    config = load_config(data_dir=data_dir, port=port, workers=workers)
    refuse_missing(config)
    core = make_core(config)
    try:
        refuse_other_schema(state(core.engine), config)
    finally:
        core.close()
    run(config, host, port, [f"Serving {config.public_url} from {config.data_dir}. Stop with Ctrl+C."])


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@port_option
@click.option("--events", type=click.IntRange(0, 5_000_000), default=200_000, show_default=True)
@data_dir_option
def demo(host: str, port: int, events: int, data_dir: Path | None) -> None:
    """Make a news site with a year of decisions and events, and serve it."""
    from consent_service.demo.run import DemoError, prepare

    config = make_deployment(data_dir, port, is_demo=True)
    core = make_core(config)
    try:
        lines = prepare(core, events)
    except DemoError as error:
        raise Refused(str(error)) from error
    finally:
        core.close()
    run(config, host, port, lines)


def run(config: Config, host: str, port: int, ready_lines: list[str]) -> None:
    """Run the server's processes until they are told to end; raises Refused when it cannot start."""
    set_up(config.log_level)
    try:
        supervisor = Supervisor(config, host, port)
    except CannotServe as error:
        raise Refused(str(error)) from error
    supervisor.run(lambda: click.echo("\n".join(ready_lines)))


@click.command()
@data_dir_option
@json_option
def status(data_dir: Path | None, as_json: bool) -> None:
    """Tell how the deployment is: processes, inbox, last drain, warnings."""
    with opened(data_dir) as core:
        document = describe(core)
    show(document, as_json, lambda: _text(document))


def describe(core: Core) -> dict[str, Any]:
    """Give what `status --json` prints."""
    config = core.config
    keeper = read_holder(config.data_dir / KEEPER)
    workers = [pid for path in sorted(config.inbox_dir.glob("inbox-*.lock")) if (pid := read_holder(path))]
    processes = [{"role": "web", "pid": pid} for pid in workers]
    if keeper is not None:
        processes.insert(0, {"role": "keeper", "pid": keeper})
    answer = _ask_keeper(config) if keeper is not None else {}
    oldest = answer.get("oldest_at")
    age = (core.now() - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0.0
    return {
        "processes": processes,
        "inbox": {"rows": answer.get("rows", 0), "oldest_seconds": round(max(0.0, age), 1)},
        "last_drain": answer.get("drained_at"),
        "warnings": _warnings(core, keeper, answer),
    }


def _ask_keeper(config: Config) -> dict[str, Any]:
    try:
        found: dict[str, Any] = KeeperClient(config.socket_path).ask("status")
        return found
    except Unavailable:
        return {}


def _warnings(core: Core, keeper: int | None, answer: dict[str, Any]) -> list[str]:
    found = [] if keeper is not None else ["no server is running on this directory"]
    if keeper is not None and not answer:
        found.append("the keeper runs and does not answer")
    found += [f"the inbox {name} is damaged and left aside" for name in answer.get("broken_inboxes", [])]
    usage = shutil.disk_usage(core.config.data_dir)
    if usage.free < FEW_BYTES or usage.free < usage.total * FEW_SHARE:
        found.append(f"the disk is nearly full: {usage.free // 1_000_000} MB are free")
    for site in core.sites.all():
        found += _site_warnings(core, site)
    return found


def _site_warnings(core: Core, site: Site) -> list[str]:
    found = []
    if core.publications.of(site) is None:
        found.append(f"{site.key} ({site.settings.domain}) has no published policy: no banner is shown")
    service = urlsplit(core.config.public_url).hostname
    if service not in {urlsplit(origin).hostname for origin in site.origins}:
        found.append(
            f"{site.key} ({site.settings.domain}) is not first-party: Safari forgets choices after 7 days; "
            "serve this service under a path of the site's own origin"
        )
    return found


def _text(document: dict[str, Any]) -> str:
    lines = [f"{item['role']:<7} process {item['pid']}" for item in document["processes"]]
    lines.append(f"inbox   {document['inbox']['rows']} rows, oldest {document['inbox']['oldest_seconds']} s")
    lines.append(f"drained {document['last_drain'] or 'never'}")
    return "\n".join([*lines, *(f"warning {text}" for text in document["warnings"])])


COMMANDS = (serve, demo, status)
