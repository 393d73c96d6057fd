"""Print what commands find out, as text or as one JSON document, and what is wrong, one line each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import orjson

from consent_service.times import timestamp

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


class Refused(Exception):
    """Tell why a command does not do what was asked, and the mend; one line, but a list of problems has several."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def fail(*lines: str, code: int = 1) -> int:
    """Say on stderr what is wrong; gives the exit code."""
    for line in lines:
        print(f"consent-service: {line}", file=sys.stderr)
    return code


def usage_line(error: click.UsageError) -> str:
    """Say in one line how a command was called wrongly, and where its options are listed."""
    path = error.ctx.command_path if error.ctx is not None else "consent-service"
    message = " ".join(error.format_message().split()).rstrip(".")
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        message = f"name a command: {', '.join(error.ctx.command.list_commands(error.ctx))}"
    return f"{message}{' See' if message.endswith('?') else '; see'}: {path} --help"


def show(document: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print a document as JSON with times in ISO 8601 and `Z`, or as the text made of it."""
    if as_json:
        # The library would write UTC as +00:00.
        written = orjson.dumps(document, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
        click.echo(written.decode())
    else:
        click.echo(text())


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Lay rows out in columns."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case Path() | StrEnum():
            return str(value)
    raise TypeError
