"""`policy`: check, publish, show and compare policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from consent_service.cli.deployment import ACTOR, data_dir_option, find, opened, read_file
from consent_service.cli.output import Refused, fail, json_option, show
from consent_service.cli.toml import write_toml
from consent_service.consent.asked import count_asked, count_asked_by
from consent_service.consent.difference import describe, difference
from consent_service.consent.policy import Policy, PolicyError, parse_policy, policy_warnings
from consent_service.consent.publication import PolicyVersion, Publication, load_publication
from consent_service.consent.publish import publish_policy, stranded_settings
from consent_service.places import Format
from consent_service.problems import Problem
from consent_service.times import timestamp


@click.group()
def policy() -> None:
    """Check, publish, show and compare policies."""


@policy.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_dir_option
@json_option
def check(file: Path, data_dir: Path | None, as_json: bool) -> int:
    """Check a policy file; tells every problem and warning at once, exit code 1 when it cannot be published."""
    problems, warnings = read_file(file, _examine)
    document = {
        "ok": not problems,
        "problems": [item.document() for item in problems],
        "warnings": [item.document() for item in warnings],
    }
    if as_json or not problems:
        lines = [f"warning: {file}: {item}" for item in warnings]
        show(document, as_json, lambda: "\n".join([*lines, f"{file} can be published"]))
        return 1 if problems else 0
    return fail(*(f"{file}: {item}" for item in problems))


@policy.command()
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@data_dir_option
@json_option
def publish(key: str, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Publish a policy as the site's next version, which never changes again."""
    parsed, warnings = read_file(file, _parse)

    def work(connection: Connection) -> tuple[PolicyVersion, Publication]:
        version = publish_policy(connection, find(connection, key), parsed, actor=ACTOR, now=core.now())
        return version, _publication(connection, key)

    with opened(data_dir) as core:
        try:
            version, publication = core.writer.run(work)
        except PolicyError as error:
            raise Refused(*(f"{file}: {problem}" for problem in error.problems)) from error
    warnings = [*warnings, *stranded_settings(publication)]
    document = {
        "site": key,
        **_document(version),
        "banner_hashes": {language: config["banner_hash"] for language, config in publication.banners.items()},
        "asks_again": version.material_version == version.version > 1,
        "asks_refusers_again": version.refusal_material_version == version.version > 1,
        "warnings": [item.document() for item in warnings],
    }
    lines = [f"warning: {file}: {item}" for item in warnings]
    show(document, as_json, lambda: "\n".join([*lines, *_published(document)]))


@policy.command("show")
@click.argument("key")
@click.option("--version", type=click.IntRange(1), metavar="N", help="A version's number (else the newest).")
@data_dir_option
@json_option
def show_policy(key: str, version: int | None, data_dir: Path | None, as_json: bool) -> None:
    """Show a published policy, as a file that `policy publish` takes."""
    with opened(data_dir) as core, core.engine.connect() as connection:
        publication = _publication(connection, key)
    shown = publication.current if version is None else _version(publication, version)
    document = {"site": key, **_document(shown), "policy": shown.policy.document()}
    head = f"# site {key}, version {shown.version}, published {document['published_at']}, {shown.content_hash}"
    show(document, as_json, lambda: f"{head}\n{write_toml(document['policy'])}".rstrip())


@policy.command()
@click.argument("key")
@click.argument("a", type=click.IntRange(1))
@click.argument("b", metavar="B|FILE")
@data_dir_option
@json_option
def diff(key: str, a: int, b: str, data_dir: Path | None, as_json: bool) -> None:
    """Tell what changed from a published version to another, or would with FILE, and how many are asked again."""
    new = None if b.isdecimal() else read_file(Path(b), _parse)[0]
    with opened(data_dir) as core, core.engine.connect() as connection:
        publication, now = _publication(connection, key), core.now()
        before = _version(publication, a)
        if new is None:
            after = _version(publication, int(b)).policy
            asked = count_asked(connection, publication, a, int(b), now)
        else:
            after, asked = new, count_asked_by(connection, publication, new, now)
    changes = difference(before.policy, after)
    document = {
        "site": key,
        "from": a,
        "to": b if new is not None else int(b),
        "changes": [change.document() for change in changes],
        "asked": asked.document(),
    }
    same = f"versions {a} and {b} say the same"
    show(document, as_json, lambda: f"{describe(changes) or same}\n{asked}")


def _parse(text: bytes, form: Format) -> tuple[Policy, list[Problem]]:
    return parse_policy(text, format=form), policy_warnings(text, format=form)


def _examine(text: bytes, form: Format) -> tuple[list[Problem], list[Problem]]:
    try:
        return [], policy_warnings(text, format=form)
    except PolicyError as error:
        return list(error.problems), []


def _published(document: dict[str, Any]) -> list[str]:
    again = {
        (True, True): "Everyone who decided earlier is asked again.",
        (True, False): "Those who granted earlier are asked again.",
        (False, True): "Those who refused earlier are asked again.",
        (False, False): "Earlier choices stand.",
    }[document["asks_again"], document["asks_refusers_again"]]
    first = "" if document["version"] == 1 else f" {again}"
    lines = [f"Published version {document['version']} of {document['site']}.{first}"]
    return [*lines, *(f"banner {language}  {digest}" for language, digest in document["banner_hashes"].items())]


def _publication(connection: Connection, key: str) -> Publication:
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
        "published_at": timestamp(version.published_at),
        "content_hash": version.content_hash,
        "material_version": version.material_version,
        "refusal_material_version": version.refusal_material_version,
    }


COMMANDS = (policy,)
