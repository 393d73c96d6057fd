"""`policy`: check, publish, show and compare policies."""

from __future__ import annotations

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
)
from consent_service.consent.acts import timestamp
from consent_service.consent.difference import describe, difference
from consent_service.consent.policy import parse_policy, policy_warnings
from consent_service.consent.publication import PolicyVersion, Publication, load_publication
from consent_service.consent.publish import publish_policy


@click.group()
def policy() -> None:
    """Check, publish, show and compare policies."""


@policy.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a policy file; tells every problem at once."""
    text, form = read_file(file)
    parse_policy(text, format=form)
    warnings = policy_warnings(text, format=form)
    document = {"ok": True, "warnings": [warning.document() for warning in warnings]}
    lines = [f"warning: {warning}" for warning in warnings]
    show(document, as_json, lambda: "\n".join([*lines, f"{file} can be published"]))


@policy.command()
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@data_dir_option
@json_option
def publish(key: str, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Publish a policy as the site's next, immutable version."""
    text, form = read_file(file)
    parsed = parse_policy(text, format=form)
    with opened(data_dir) as core:
        version = core.writer.run(
            lambda connection: publish_policy(connection, find(connection, key), parsed, actor=ACTOR, now=core.now())
        )
        publication = _publication(core, key)
    asks_again = version.material_version == version.version > 1
    document = {
        **_document(version),
        "asks_again": asks_again,
        "banners": {language: config["banner_hash"] for language, config in publication.banners.items()},
        "warnings": [str(warning) for warning in policy_warnings(text, format=form)],
    }
    again = "Earlier visitors are asked again." if asks_again else "Earlier choices stand."
    show(document, as_json, lambda: f"Published version {version.version} of {key}. {again}")


@policy.command("show")
@click.argument("key")
@click.option("--version", type=int, help="A version's number (else the newest).")
@data_dir_option
@json_option
def show_policy(key: str, version: int | None, data_dir: Path | None, as_json: bool) -> None:
    """Show a published policy."""
    with opened(data_dir) as core:
        publication = _publication(core, key)
    shown = publication.current if version is None else _version(publication, version)
    document = {**_document(shown), "policy": shown.policy.document()}
    show(document, as_json, lambda: orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@policy.command()
@click.argument("key")
@click.argument("a", type=int)
@click.argument("b", type=int)
@data_dir_option
@json_option
def diff(key: str, a: int, b: int, data_dir: Path | None, as_json: bool) -> None:
    """Tell what changed between two published versions."""
    with opened(data_dir) as core:
        publication = _publication(core, key)
    changes = difference(_version(publication, a).policy, _version(publication, b).policy)
    document = {"from": a, "to": b, "changes": [change.document() for change in changes]}
    show(document, as_json, lambda: describe(changes) or "nothing changed")


def _publication(core: Core, key: str) -> Publication:
    with core.engine.connect() as connection:
        found = load_publication(connection, find(connection, key))
    if found is None:
        raise Refused(f"{key} has no policy yet; run: consent-service policy publish {key} FILE")
    return found


def _version(publication: Publication, number: int) -> PolicyVersion:
    found = publication.versions.get(number)
    if found is None:
        known = ", ".join(str(version) for version in publication.versions)
        raise Refused(f"{publication.site.key} has no policy version {number}; there are {known}")
    return found


def _document(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "content_hash": version.content_hash,
        "material_version": version.material_version,
        "refusal_material_version": version.refusal_material_version,
        "published_at": timestamp(version.published_at),
    }


COMMANDS = (policy,)
