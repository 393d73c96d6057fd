"""Open the data directory for a command, and print what it found out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from sqlalchemy import Connection

from consent_service.app import Core, make_core
from consent_service.config import Config, load_config
from consent_service.consent.acts import timestamp
from consent_service.db.migrate import SchemaState, state
from consent_service.sites.changes import UnknownSite, find_site
from consent_service.sites.registry import Site

ACTOR = "command line"
F = TypeVar("F", bound=Callable[..., Any])

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="The data directory (else the setting CONSENT_SERVICE_DATA_DIR, else ./data).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


class Refused(Exception):
    """Tell in one line why a command does not do what was asked, and the mend."""


def fail(lines: Sequence[str]) -> int:
    """Say on stderr what is wrong; gives the exit code 1."""
    for line in lines:
        print(f"consent-service: {line}", file=sys.stderr)
    return 1


def show(document: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print a document as JSON, or as the text made of it."""
    if as_json:
        sys.stdout.write(orjson.dumps(document, default=_plain).decode() + "\n")
    else:
        click.echo(text())


@contextmanager
def opened(data_dir: Path | None, *, checks_schema: bool = True) -> Iterator[Core]:
    """Open the deployment of a data directory; raises Refused when it is half made or of another version."""
    config = load_config(data_dir=data_dir)
    refuse_missing(config)
    core = make_core(config)
    try:
        if checks_schema:
            refuse_other_schema(state(core.engine), config)
        yield core
    finally:
        core.close()


def refuse_missing(config: Config) -> None:
    """Refuse a data directory without its database."""
    database = config.data_dir / "consent.sqlite"
    if config.database_url.endswith(str(database)) and not database.exists():
        raise Refused(f"{config.data_dir} has no database; run: consent-service init --data-dir {config.data_dir}")


def refuse_other_schema(found: SchemaState, config: Config) -> None:
    """Refuse a database that this program cannot work on, and say the mend."""
    if not found.is_known:
        raise Refused(f"the database is newer than this program (revision {found.current}); update consent-service")
    if not found.is_current:
        mend = f"consent-service db upgrade --data-dir {config.data_dir}"
        raise Refused(f"the database has an older schema ({found.current or 'none'}); run: {mend}")


def find(connection: Connection, key: str) -> Site:
    """Give the site with a key; raises Refused."""
    try:
        return find_site(connection, key)
    except UnknownSite as error:
        raise Refused(f"{error}; see: consent-service site list") from error


def read_file(path: Path) -> tuple[str, Any]:
    """Read a policy or settings file; gives its text and its format, by the ending."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    return text, "json" if path.suffix.lower() == ".json" else "toml"


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Lay rows out in columns."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError
