"""The command line: `consent-service`."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import consent_service
from consent_service.cli.output import Refused, fail, usage_line
from consent_service.errors import ServiceError
from consent_service.events.store import EventStoreError
from consent_service.problems import ProblemsError

PROGRAM = "consent-service"


# Each command's module is loaded when it is asked for: a command then waits for nothing that only others use.
_PLACES = {
    "init": "setup",
    "demo": "serving",
    "serve": "serving",
    "status": "serving",
    "site": "site",
    "policy": "policy",
    "notice": "notice",
    "user": "user",
    "token": "token",
    "access": "access",
    "erase": "rights",
    "hold": "hold",
    "retention": "retention",
    "backup": "backup",
    "restore": "backup",
    "ledger": "ledger",
    "secrets": "ledger",
    "db": "database",
    "migrate-events": "migration",
}


class Commands(click.Group):
    """Load a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all commands, in the order of the alphabet."""
        return sorted(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command by its name; None when there is none."""
        if cmd_name not in _PLACES:
            return None
        found: tuple[click.Command, ...] = import_module(f"{__name__}.{_PLACES[cmd_name]}").COMMANDS
        return next(command for command in found if command.name == cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(consent_service.__version__, prog_name=PROGRAM)
def commands() -> None:
    """Run a consent banner and analytics that hold only what visitors agreed to."""


def main() -> None:
    """Run a command; whatever a user can cause is said on stderr, one line an error, never as a traceback."""
    # Everything the service writes is for its owner alone.
    os.umask(0o077)
    sys.exit(_run())


def _run() -> int:
    try:
        return int(commands.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except click.exceptions.Abort:
        return fail("stopped")
    except click.UsageError as error:
        return fail(usage_line(error), code=2)
    except click.ClickException as error:
        return fail(error.format_message())
    except ProblemsError as error:
        return fail(*(str(problem) for problem in error.problems))
    except Refused as error:
        return fail(*error.lines)
    except ServiceError as error:
        return fail(error.message)
    except EventStoreError as error:
        return fail(str(error))
    except SQLAlchemyError as error:
        return fail(_database_line(error))
    except BrokenPipeError:
        # Whoever read the output has read enough; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return fail(f"{where}{error.strerror or error}; check that it is there and yours to write")


def _database_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    reason = str(cause or type(error).__name__).strip().splitlines()[0]
    return f"the main database cannot be used ({reason}); check that it runs, and CONSENT_SERVICE_DATABASE_URL"
