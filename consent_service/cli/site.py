"""`site`: add sites and change how they use the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson

from consent_service.app import Core
from consent_service.cli.output import (
    ACTOR,
    Refused,
    data_dir_option,
    find,
    json_option,
    opened,
    read_file,
    show,
    table,
)
from consent_service.problems import ProblemsError
from consent_service.sites.changes import add_site, change_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings, parse_settings


@click.group()
def site() -> None:
    """Add sites and change how they use the service."""


def snippet(core: Core, key: str) -> str:
    """Give the tag a site pastes."""
    return f'<script defer src="{core.config.public_url}/c/{key}.js" referrerpolicy="origin"></script>'


@site.command()
@click.argument("domain")
@click.option("--name", help="The name people know the site by (else the domain).")
@click.option("--languages", default="en", show_default=True, help="The languages its policy will be in.")
@click.option("--timezone", default="Europe/Paris", show_default=True, help="The time zone of its reports.")
@data_dir_option
@json_option
def add(domain: str, name: str | None, languages: str, timezone: str, data_dir: Path | None, as_json: bool) -> None:
    """Add a site; prints its key and the tag to paste."""
    spoken = [item.strip() for item in languages.split(",") if item.strip()]
    settings = checked({"domain": domain, "name": name or domain, "timezone": timezone})
    with opened(data_dir) as core:
        made = core.writer.run(lambda c: add_site(c, settings, actor=ACTOR, now=core.now()))
        document = {
            "key": made.key,
            "domain": made.settings.domain,
            "name": made.settings.name,
            "languages": spoken,
            "snippet": snippet(core, made.key),
        }
    hint = f'Next: write a policy with languages = {spoken!r} and run "consent-service policy publish {made.key} FILE".'
    show(document, as_json, lambda: f"{made.key}\n{document['snippet']}\n{hint}")


def checked(document: dict[str, Any]) -> SiteSettings:
    """Read settings given as values; raises ProblemsError."""

    return parse_settings(orjson.dumps(document), format="json")


@site.command("list")
@data_dir_option
@json_option
def list_sites(data_dir: Path | None, as_json: bool) -> None:
    """List the sites, the oldest first."""
    with opened(data_dir) as core:
        rows = [_row(core, item) for item in core.sites.all()]
    show(
        rows, as_json, lambda: table([[row["key"], row["domain"], row["name"]] for row in rows]) if rows else "no sites"
    )


@site.command("show")
@click.argument("key")
@data_dir_option
@json_option
def show_site(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Show a site's settings and its tag."""
    with opened(data_dir) as core:
        with core.engine.connect() as connection:
            found = find(connection, key)
        document = {**_row(core, found), "settings": found.settings.document(), "snippet": snippet(core, key)}
    lines = [[name, value] for name, value in document["settings"].items()]
    show(document, as_json, lambda: f"{key}\n{document['snippet']}\n{table(lines)}")


@site.command("set")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@data_dir_option
@json_option
def set_site(key: str, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Replace a site's settings by those of a file."""
    text, form = read_file(file)
    settings = parse_settings(text, format=form)
    _change(key, lambda _: settings, "site.set", data_dir, as_json)


@site.command()
@click.argument("key")
@data_dir_option
@json_option
def pause(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Take no events of a site until it is resumed; decisions go on."""
    _change(key, lambda old: _with(old, paused=True), "site.pause", data_dir, as_json)


@site.command()
@click.argument("key")
@data_dir_option
@json_option
def resume(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Take a site's events again."""
    _change(key, lambda old: _with(old, paused=False), "site.resume", data_dir, as_json)


@site.group()
def origin() -> None:
    """Say which origins' pages may decide and send events."""


@origin.command("add")
@click.argument("key")
@click.argument("origin")
@data_dir_option
@json_option
def add_origin(key: str, origin: str, data_dir: Path | None, as_json: bool) -> None:
    """Let the pages of an origin decide and send events."""
    _change(key, lambda old: _with(old, origins=[*old.origins, origin]), "site.origin.add", data_dir, as_json)


@origin.command("remove")
@click.argument("key")
@click.argument("origin")
@data_dir_option
@json_option
def remove_origin(key: str, origin: str, data_dir: Path | None, as_json: bool) -> None:
    """Take the pages of an origin out."""

    def without(old: SiteSettings) -> SiteSettings:
        if origin not in old.origins:
            raise Refused(f"{origin} is no origin of {key}; see: consent-service site show {key}")
        return _with(old, origins=[item for item in old.origins if item != origin])

    _change(key, without, "site.origin.remove", data_dir, as_json)


def _with(old: SiteSettings, **changes: Any) -> SiteSettings:
    try:
        return checked({**old.document(), **changes})
    except ProblemsError as error:
        raise Refused("; ".join(problem.message for problem in error.problems)) from error


def _change(
    key: str, change: Callable[[SiteSettings], SiteSettings], action: str, data_dir: Path | None, as_json: bool
) -> None:
    with opened(data_dir) as core:

        def work(connection: Any) -> Site:
            settings = change(find(connection, key).settings)
            return change_site(connection, key, settings, actor=ACTOR, now=core.now(), action=action)

        changed = core.writer.run(work)
        core.sites.revision.forget()
        document = {**_row(core, changed), "settings": changed.settings.document()}
    show(document, as_json, lambda: f"{key} is changed")


def _row(core: Core, item: Site) -> dict[str, Any]:
    publication = core.publications.of(item)
    return {
        "key": item.key,
        "domain": item.settings.domain,
        "name": item.settings.name,
        "origins": list(item.origins),
        "timezone": item.settings.timezone,
        "paused": item.settings.paused,
        "policy_version": None if publication is None else publication.current.version,
    }


COMMANDS = (site,)
