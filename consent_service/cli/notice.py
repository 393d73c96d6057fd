"""`notice`: picture the banners that are published."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from consent_service.cli.camera import Roll, find_chromium, take_pictures
from consent_service.cli.deployment import data_dir_option, find, opened
from consent_service.cli.output import Refused, json_option, show, table
from consent_service.consent.publication import Publication
from consent_service.consent.screenshots import MAX_BYTES, Shot, keep_screenshot
from consent_service.core import Core


@click.group()
def notice() -> None:
    """Keep what visitors are shown."""


@notice.command()
@click.argument("key")
@click.option(
    "--chromium", type=click.Path(path_type=Path), metavar="PATH", help="The Chromium to use (else an installed one)."
)
@data_dir_option
@json_option
def screenshot(key: str, chromium: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Picture the banner of a site in every language, on a desktop and a mobile window, and keep the pictures."""
    with opened(data_dir) as core:
        publication = _publication(core, key)
        roll = take_pictures(publication, find_chromium(chromium), partial(_tell, is_quiet=as_json))
        kept = [_keep(core, publication, shot) for shot in roll.shots]
    pictures = [_document(shot, is_new) for shot, is_new in zip(roll.shots, kept, strict=True)]
    document = {
        "site": key,
        "policy_version": publication.current.version,
        "browser": roll.browser,
        "pictures": pictures,
        "warnings": [f"{url} could not be loaded, so the pictures lack it" for url in roll.missing],
    }
    show(document, as_json, lambda: _text(document, roll))


def _publication(core: Core, key: str) -> Publication:
    with core.engine.connect() as connection:
        site = find(connection, key)
    # Through the cache's owner: it keeps the banner's words before anything may cite them, pictures too.
    publication = core.publications.of(site)
    if publication is None:
        raise Refused(f"{key} has no policy yet; run: consent-service policy publish {key} FILE")
    return publication


def _keep(core: Core, publication: Publication, shot: Shot) -> bool:
    if len(shot.png) > MAX_BYTES:
        raise Refused(f"a picture has {len(shot.png)} bytes, more than {MAX_BYTES}; use a plainer logo")
    site = publication.site
    return core.writer.run(lambda connection: keep_screenshot(connection, site.site_id, site.key, shot, core.now()))


def _tell(language: str, *, is_quiet: bool) -> None:
    if not is_quiet:
        click.echo(f"taking pictures of the banner in {language} …", err=True)


def _document(shot: Shot, is_new: bool) -> dict[str, Any]:
    return {
        "notice_hash": shot.notice_hash,
        "language": shot.language,
        "surface": str(shot.surface),
        "width": shot.width,
        "height": shot.height,
        "sha256": shot.sha256,
        "bytes": len(shot.png),
        "script_hash": shot.script_hash,
        "is_new": is_new,
    }


def _text(document: dict[str, Any], roll: Roll) -> str:
    rows = [
        (
            each["language"],
            each["surface"],
            f"{each['width']}x{each['height']}",
            each["sha256"][:16],
            "new" if each["is_new"] else "kept already",
        )
        for each in document["pictures"]
    ]
    warned = [f"warning: {text}" for text in document["warnings"]]
    return "\n".join(
        [*warned, table([("language", "surface", "window", "sha256", ""), *rows]), f"taken with {roll.browser}"]
    )


COMMANDS = (notice,)
