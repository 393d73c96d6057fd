"""`serve` and `demo`: run the server. `status`: tell how it is."""

from __future__ import annotations

from pathlib import Path

import click

from consent_service.cli.condition import describe, in_words
from consent_service.cli.deployment import DEFAULT_PORT, data_dir_option, opened, opened_as
from consent_service.cli.output import Refused, json_option, show
from consent_service.cli.setup import make_deployment
from consent_service.config import Config, load_config
from consent_service.ledger.keys import read_keys

host_option = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="The port to listen on."
)


@click.command()
@host_option
@port_option
@click.option("--workers", type=click.IntRange(1, 64), help="Web workers (else the setting WORKERS, else one a CPU).")
@data_dir_option
def serve(host: str, port: int, workers: int | None, data_dir: Path | None) -> None:
    """Run the production server, all its processes, until SIGTERM or Ctrl+C."""
    config = load_config(data_dir=data_dir, port=port, workers=workers)
    with opened_as(config):
        pass
    _run(config, host, port, [f"Serving {config.public_url} from {config.data_dir}. Stop with Ctrl+C."])


@click.command()
@host_option
@port_option
@click.option(
    "--events",
    type=click.IntRange(0, 5_000_000),
    default=200_000,
    show_default=True,
    help="How many events the year has.",
)
@data_dir_option
def demo(host: str, port: int, events: int, data_dir: Path | None) -> None:
    """Make a news site with a year of decisions and events, and serve it; serves at once what is filled already."""
    from consent_service.demo.run import DemoError, prepare

    config = make_deployment(data_dir, port, is_demo=True)
    with opened_as(config) as core:
        try:
            lines = prepare(core, events)
        except DemoError as error:
            raise Refused(str(error)) from error
    _run(config, host, port, lines)


def _run(config: Config, host: str, port: int, ready_lines: list[str]) -> None:
    from consent_service.serve.logs import set_up
    from consent_service.serve.processes import CannotServe, Supervisor

    # What cannot be signed is found out before anything is served.
    read_keys(config.data_dir)
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
    show(document, as_json, lambda: in_words(document))


COMMANDS = (demo, serve, status)
