"""The command line: `consent-service`."""

from __future__ import annotations

import os
import sys

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import consent_service
from consent_service.cli import (
    database,
    ledger,
    notice,
    policy,
    retention,
    rights,
    serving,
    setup,
    site,
    token,
    user,
)
from consent_service.cli.output import Refused, fail, usage_line
from consent_service.errors import ServiceError
from consent_service.events.store import EventStoreError
from consent_service.problems import ProblemsError

PROGRAM = "consent-service"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(consent_service.__version__, prog_name=PROGRAM)
def commands() -> None:
    """Run a consent banner and analytics that hold only what visitors agreed to."""


for _module in (serving, setup, site, policy, notice, user, token, rights, retention, database, ledger):
    for _command in _module.COMMANDS:
        commands.add_command(_command)


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
