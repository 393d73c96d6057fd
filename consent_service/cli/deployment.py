"""Open a data directory for a command, and refuse one that is half made or of another version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection, make_url

from consent_service.cli.output import Refused
from consent_service.config import UNMOVED, Config, directory_of, load_config
from consent_service.core import Core, make_core
from consent_service.db.schema import SchemaState, state
from consent_service.locks import SERVER, find_unfinished, read_port
from consent_service.places import Format
from consent_service.problems import ProblemsError
from consent_service.sites.changes import UnknownSite, find_site
from consent_service.sites.registry import Site

ACTOR = "command line"
DEFAULT_PORT = 8000
T = TypeVar("T")

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data directory (else the setting CONSENT_SERVICE_DATA_DIR, else ./data).",
)


@contextmanager
def opened(data_dir: Path | None, *, checks_schema: bool = True) -> Iterator[Core]:
    """Open the deployment of a data directory; raises Refused when it is half made or of another version."""
    # Links that are printed lead to the server that runs, whatever port it was given.
    port = read_port(directory_of(data_dir) / SERVER) or DEFAULT_PORT
    config = load_config(data_dir=data_dir, port=port)
    with opened_as(config, checks_schema=checks_schema) as core:
        yield core


@contextmanager
def opened_as(config: Config, *, checks_schema: bool = True, checks_events: bool = True) -> Iterator[Core]:
    """Open the deployment that settings describe; raises Refused as `opened` does."""
    if (unfinished := find_unfinished(config.data_dir)) is not None:
        raise Refused(f"a restore was begun here and not finished; run: consent-service restore {unfinished}")
    _refuse_missing(config)
    if checks_events and config.has_unmoved_events:
        raise Refused(f"{config.events_path} {UNMOVED}")
    core = make_core(config)
    try:
        if checks_schema:
            refuse_other_schema(state(core.engine), config)
        yield core
    finally:
        core.close()


def refuse_other_schema(found: SchemaState, config: Config) -> None:
    """Refuse a database that this program cannot work on, and say the mend."""
    if not found.is_known:
        raise newer(found)
    if found.current is None:
        raise Refused(f"the main database is empty; run: consent-service init --data-dir {config.data_dir}")
    if not found.is_current:
        mend = f"consent-service db upgrade --data-dir {config.data_dir}"
        raise Refused(f"the main database has an older schema (revision {found.current}); run: {mend}")


def newer(found: SchemaState) -> Refused:
    """Say that a newer program made the database."""
    return Refused(
        f"the main database was made by a newer consent-service (revision {found.current}, this one knows up to "
        f"{found.head}); install the newer version"
    )


def find(connection: Connection, key: str) -> Site:
    """Give the site with a key; raises Refused."""
    try:
        return find_site(connection, key)
    except UnknownSite as error:
        raise Refused(f"{error}; see: consent-service site list") from error


def read_file(path: Path, read: Callable[[bytes, Format], T]) -> T:
    """Read a strict file, TOML or JSON by its ending; raises Refused with every problem in it, each with its place."""
    if path.suffix.lower() not in (".toml", ".json"):
        raise Refused(f"{path}: the name must end in .toml or .json, which tells how to read it")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; name a file that can be read") from error
    try:
        return read(text, "json" if path.suffix.lower() == ".json" else "toml")
    except ProblemsError as error:
        raise Refused(*(f"{path}: {problem}" for problem in error.problems)) from error


def _refuse_missing(config: Config) -> None:
    """Refuse settings whose embedded database is not there: opening it would make an empty one."""
    url: Any = make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        mend = f"run: consent-service init --data-dir {config.data_dir}"
        raise Refused(f"{url.database}: there is no database; {mend}")
