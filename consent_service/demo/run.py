"""Prepare the demo: fill an empty deployment once, and say where to look at it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from consent_service.cli.progress import show_progress
from consent_service.config import Config
from consent_service.console.people import Role, add_user, find_by_email, link_url, one_time_login
from consent_service.core import Core
from consent_service.demo.fill import ACTOR, SEED, FillError, fill
from consent_service.demo.keeping import KeeperLost
from consent_service.demo.site import origins
from consent_service.errors import Unavailable
from consent_service.locks import KEEPER, SERVER, Locked, take
from consent_service.sites.changes import change_site

ADMIN: Final = "admin@demo.example"
TRUTH_FILE: Final = "truth.json"
BEGUN_FILE: Final = "demo.begun"
DONE_FILE: Final = "demo.json"


class DemoError(Exception):
    """Tell in one line why there is no demo here, and the mend."""


def prepare(core: Core, events: int) -> list[str]:
    """Fill the deployment unless it is a complete demo already; gives the lines that say where to look.

    Raises DemoError for a directory that holds something else, a demo that was not finished, or a running server.
    """
    config, now = core.config, core.now()
    try:
        # Whatever is there: what a server that runs shows, and the link it printed, are not changed under it.
        with take(config.data_dir / SERVER):
            if not (config.data_dir / DONE_FILE).exists():
                _refuse_other(core)
                with take(config.data_dir / KEEPER):
                    _fill_once(core, events, now)
            _follow_address(core, now)
            return _lines(config, _login_link(core, now))
    except Locked as error:
        raise DemoError(
            f"another process ({error.pid or 'unknown'}) uses {config.data_dir}; wait for it or choose another "
            "directory with --data-dir"
        ) from error
    except (FillError, KeeperLost, Unavailable) as error:
        raise DemoError(f"{error}; remove {config.data_dir} and start again") from error


def _refuse_other(core: Core) -> None:
    directory = core.config.data_dir
    if (directory / BEGUN_FILE).exists():
        raise DemoError(f"the demo in {directory} was not filled to the end; remove the directory and start again")
    if core.sites.all():
        raise DemoError(f"{directory} holds a deployment that is no demo; choose another directory with --data-dir")


def _fill_once(core: Core, events: int, now: datetime) -> None:
    directory = core.config.data_dir
    _write(directory / BEGUN_FILE, {"begun_at": now.isoformat()})
    core.writer.run(lambda connection: add_user(connection, ADMIN, Role.ADMIN, [], actor=ACTOR, now=now))
    with show_progress("Telling a year of a news site", "demo", "written", events) as progress:
        truth = fill(core, events, now, progress)
    _write(directory / TRUTH_FILE, truth)
    # Written last: a directory without it was not filled to the end.
    _write(directory / DONE_FILE, {"version": 1, "seed": SEED, "events": events, "filled_at": now.isoformat()})
    (directory / BEGUN_FILE).unlink()


def _follow_address(core: Core, now: datetime) -> None:
    """Let the demo be shown at another port than the one it was filled for."""
    site = core.sites.all()[0]
    wanted = origins(core.config.public_url)
    if site.origins != wanted:
        settings = site.settings.model_copy(update={"origins": wanted})
        core.writer.run(lambda connection: change_site(connection, site.key, settings, actor=ACTOR, now=now))


def _login_link(core: Core, now: datetime) -> str | None:
    with core.engine.connect() as connection:
        person = find_by_email(connection, ADMIN)
    if person is None:
        return None
    token = core.writer.run(lambda connection: one_time_login(connection, person.user_id, now))
    return link_url(core.config.public_url, token)


def _lines(config: Config, login_link: str | None) -> list[str]:
    base = config.public_url
    return [
        f"Demo page  {base}/demo/",
        f"Console    {login_link or f'{base}/console/'}",
        f"API docs   {base}/docs",
        "The console link works once, for 24 hours; starting the demo again makes a new one. Stop with Ctrl+C.",
    ]


def _write(path: Path, document: Any) -> None:
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
