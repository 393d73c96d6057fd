"""The command line: `consent-service`."""

from __future__ import annotations

import sys

import click
from sqlalchemy.exc import DBAPIError

import consent_service
from consent_service.cli import data, database, policy, rights, serving, setup, site, token, user
from consent_service.cli.output import Refused, fail
from consent_service.problems import ProblemsError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(consent_service.__version__, prog_name="consent-service")
def commands() -> None:
    """Run a cookie-consent and privacy-analytics server."""


for _group in (setup, serving, site, policy, user, token, rights, data, database):
    for _command in _group.COMMANDS:
        commands.add_command(_command)


def main() -> None:
    """Run a command; what a user can cause is said on stderr, without a traceback."""
    try:
        commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(fail(["stopped"]))
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ProblemsError as error:
        sys.exit(fail([str(problem) for problem in error.problems]))
    except Refused as error:
        sys.exit(fail([str(error)]))
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        sys.exit(fail([f"the main database does not answer ({reason}); check CONSENT_SERVICE_DATABASE_URL"]))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(fail([f"{where}{error.strerror or error}; check that it exists and is yours to write"]))
