"""`site`: add sites and change how they use the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from consent_service.cli.deployment import ACTOR, data_dir_option, find, opened, read_file
from consent_service.cli.output import Refused, json_option, show, table
from consent_service.cli.toml import write_toml
from consent_service.consent.publication import load_publication
from consent_service.consent.publish import unfit_settings
from consent_service.fields import Language
from consent_service.problems import ProblemsError
from consent_service.sites.changes import add_site, change_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings, parse_settings
from consent_service.sites.snippet import write_snippet

_LANGUAGES = TypeAdapter(list[Language])


class Languages(click.ParamType[list[str]]):
    """Read language tags separated by commas."""

    name = "languages"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Give the tags; refuses what is none."""
        try:
            return _LANGUAGES.validate_python([item.strip() for item in str(value).split(",")])
        except ValidationError:
            self.fail(f"{value!r} is not a list of language tags such as fr,en", param, ctx)


@click.group()
def site() -> None:
    """Add sites and change how they use the service."""


@site.command()
@click.argument("domain")
@click.option("--name", help="The name people know the site by (else the domain).")
@click.option(
    "--languages", type=Languages(), metavar="fr,en", help="The languages its policy will have, for the next step."
)
@click.option("--timezone", default="Europe/Paris", show_default=True, help="The time zone of its reports.")
@data_dir_option
@json_option
def add(
    domain: str, name: str | None, languages: list[str] | None, timezone: str, data_dir: Path | None, as_json: bool
) -> None:
    """Add a site; prints its key and the tag to paste into its pages."""
    try:
        settings = _settings({"name": name or domain, "domain": domain, "timezone": timezone})
    except ProblemsError as error:
        raise click.UsageError("; ".join(f"{item.place}: {item.message}" for item in error.problems)) from error
    with opened(data_dir) as core:
        added = core.writer.run(lambda connection: add_site(connection, settings, actor=ACTOR, now=core.now()))
        document = {**_row(added, None), "snippet": write_snippet(added, core.config.public_url)}
    if languages:
        document["languages"] = languages
    show(document, as_json, lambda: _next_steps(document))


@site.command("list")
@data_dir_option
@json_option
def list_sites(data_dir: Path | None, as_json: bool) -> None:
    """List the sites, the oldest first."""
    with opened(data_dir) as core, core.engine.connect() as connection:
        rows = [_row(item, _policy_version(connection, item)) for item in core.sites.all()]
    names = ("key", "domain", "name", "timezone", "policy_version")
    cells = [[*(row[name] for name in names), "paused" if row["paused"] else ""] for row in rows]
    show(rows, as_json, lambda: table([[*names[:-1], "policy", ""], *cells]) if rows else "there are no sites")


@site.command("show")
@click.argument("key")
@data_dir_option
@json_option
def show_site(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Show a site's tag and settings, as a file that `site set` takes."""
    with opened(data_dir) as core, core.engine.connect() as connection:
        found = find(connection, key)
        settings = found.settings.document()
        document = {
            **_row(found, _policy_version(connection, found)),
            "snippet": write_snippet(found, core.config.public_url),
        }
    lines = [f"# key {key}, policy version {document['policy_version'] or 'none'}", f"# {document['snippet']}"]
    document["settings"] = settings
    show(document, as_json, lambda: "\n".join([*lines, write_toml(settings)]).rstrip())


@site.command("set")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@data_dir_option
@json_option
def set_site(key: str, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Replace a site's settings by those of a file; tells every problem in it at once."""
    settings = read_file(file, lambda text, form: parse_settings(text, format=form))

    def replace(connection: Connection, before: Site) -> SiteSettings:
        if problems := unfit_settings(load_publication(connection, before), settings):
            raise Refused(*(f"{file}: {problem}" for problem in problems))
        return settings

    _change(key, replace, "site.set", data_dir, as_json)


@site.command()
@click.argument("key")
@data_dir_option
@json_option
def pause(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Take no events of a site until it is resumed; decisions go on."""
    _change(key, lambda _, old: _settings({**old.settings.document(), "paused": True}), "site.pause", data_dir, as_json)


@site.command()
@click.argument("key")
@data_dir_option
@json_option
def resume(key: str, data_dir: Path | None, as_json: bool) -> None:
    """Take a site's events again."""
    _change(
        key, lambda _, old: _settings({**old.settings.document(), "paused": False}), "site.resume", data_dir, as_json
    )


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

    def extended(connection: Connection, before: Site) -> SiteSettings:
        if origin in before.origins:
            raise Refused(f"{origin} is an origin of {key} already; see: consent-service site show {key}")
        return _with_origins(before, [*before.origins, origin])

    _change(key, extended, "site.origin.add", data_dir, as_json)


@origin.command("remove")
@click.argument("key")
@click.argument("origin")
@data_dir_option
@json_option
def remove_origin(key: str, origin: str, data_dir: Path | None, as_json: bool) -> None:
    """Let the pages of an origin decide and send events no more."""

    def shortened(connection: Connection, before: Site) -> SiteSettings:
        if origin not in before.origins:
            raise Refused(f"{origin} is no origin of {key}; see: consent-service site show {key}")
        return _with_origins(before, [item for item in before.origins if item != origin])

    _change(key, shortened, "site.origin.remove", data_dir, as_json)


def _settings(document: dict[str, Any]) -> SiteSettings:
    return parse_settings(orjson.dumps(document), format="json")


def _with_origins(before: Site, origins: list[str]) -> SiteSettings:
    try:
        return _settings({**before.settings.document(), "origins": origins})
    except ProblemsError as error:
        raise Refused(f"{origins[-1]} {error.problems[0].message}") from error


def _change(
    key: str, change: Callable[[Connection, Site], SiteSettings], action: str, data_dir: Path | None, as_json: bool
) -> None:
    with opened(data_dir) as core:

        def work(connection: Connection) -> dict[str, Any]:
            settings = change(connection, find(connection, key))
            changed = change_site(connection, key, settings, actor=ACTOR, now=core.now(), action=action)
            return {**_row(changed, _policy_version(connection, changed)), "settings": settings.document()}

        document = core.writer.run(work)
    show(document, as_json, lambda: f"{key} is changed; every worker follows within a second")


def _policy_version(connection: Connection, item: Site) -> int | None:
    publication = load_publication(connection, item)
    return None if publication is None else publication.current.version


def _row(item: Site, policy_version: int | None) -> dict[str, Any]:
    return {
        "key": item.key,
        "domain": item.settings.domain,
        "name": item.settings.name,
        "origins": list(item.origins),
        "timezone": item.settings.timezone,
        "paused": item.settings.paused,
        "policy_version": policy_version,
    }


def _next_steps(document: dict[str, Any]) -> str:
    key, languages = document["key"], document.get("languages")
    having = f" with languages = {orjson.dumps(languages).decode()}" if languages else ""
    return "\n".join(
        [
            f"key      {key}",
            f"tag      {document['snippet']}",
            f"origins  {' '.join(document['origins'])}",
            f"Next: write its policy{having}, then: consent-service policy publish {key} policy.toml",
        ]
    )


COMMANDS = (site,)
