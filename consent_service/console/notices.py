"""Show privacy officers exactly what a notice showed: its words, its options, its pictures and its script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from consent_service.consent.notices import Notice, list_notices, read_notice
from consent_service.consent.publication import Publication
from consent_service.consent.screenshots import Screenshot, Surface, list_screenshots, read_png
from consent_service.consent.scripts import find_release
from consent_service.console.auth import require_site, require_user
from consent_service.console.people import Role
from consent_service.console.wording import language_text
from consent_service.errors import NotFound
from consent_service.services import services

_SURFACES: Final = {Surface.BANNER: "The banner", Surface.PREFERENCES: "The preference centre"}
# A hash names its bytes for ever, but only to whoever is logged in.
_KEPT: Final = "private, max-age=31536000, immutable"
_OPTIONS: Final = {
    "layout": "Layout",
    "theme": "Theme",
    "valid_days": "A grant stands, days",
    "refusal_days": "A refusal stands, days",
    "after_withdrawal": "After a withdrawal the page",
    "policy_url": "Privacy page",
    "logo_url": "Logo",
    "style": "Style rules",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold one picture as a page shows it; `alt` says in words what is to be seen."""

    kept: Screenshot
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold one notice of a version as the list of versions names it."""

    notice_hash: str
    language: str
    name: str
    created_at: Any
    is_shown: bool
    pictures: int


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    bp.add_url_rule("/sites/<key>/notices/<notice_hash>", view_func=shown)
    bp.add_url_rule("/sites/<key>/notices/<notice_hash>.json", view_func=notice_document)
    bp.add_url_rule("/sites/<key>/screenshots/<sha256>.png", view_func=picture)


def shown(key: str, notice_hash: str) -> AnyResponse:
    """Show what a notice showed."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    with services().engine.connect() as connection:
        found = _find(connection, site.site_id, notice_hash)
        pictures = list_pictures(connection, [found])[notice_hash]
        scripts = {each.kept.script_hash: find_release(connection, each.kept.script_hash) for each in pictures}
    config = found.config
    before, _, after = config["texts"]["body"].partition("{policy}")
    page = render_template(
        "console/notice.html",
        site=site,
        notice=found,
        name=language_text(found.language),
        config=config,
        body=(before, after),
        has_customize=len(config["purposes"]) > 1,
        options=_options(config),
        pictures=pictures,
        scripts=scripts,
    )
    return make_response(page)


def notice_document(key: str, notice_hash: str) -> Response:
    """Give the exact bytes whose SHA-256 a notice's hash is."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    with services().engine.connect() as connection:
        found = _find(connection, site.site_id, notice_hash)
    response = Response(found.document, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="notice-{notice_hash[:16]}.json"'
    return response


def picture(key: str, sha256: str) -> Response:
    """Give a picture by the hash of its bytes."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    with services().engine.connect() as connection:
        png = read_png(connection, site.site_id, sha256)
    if png is None:
        raise NotFound("there is no such picture at this site")
    response = Response(png, content_type="image/png")
    response.headers["Cache-Control"] = _KEPT
    response.set_etag(sha256)
    return response


def list_pictures(connection: Connection, notices: Sequence[Notice]) -> Mapping[str, list[Picture]]:
    """List the pictures of notices by their hash, each with its words."""
    by_hash = {each.notice_hash: each for each in notices}
    found: dict[str, list[Picture]] = defaultdict(list)
    for kept in list_screenshots(connection, list(by_hash)):
        found[kept.notice_hash].append(_picture(kept, by_hash[kept.notice_hash]))
    return found


def notices_by_version(
    notices: Sequence[Notice], pictures: Mapping[str, Sequence[Picture]], publication: Publication
) -> Mapping[int, list[Kept]]:
    """List the notices of each version."""
    present = {config["banner_hash"] for config in publication.banners.values()}
    found: dict[int, list[Kept]] = defaultdict(list)
    for each in notices:
        count = len(pictures.get(each.notice_hash, ()))
        is_shown = each.notice_hash in present
        kept = Kept(each.notice_hash, each.language, language_text(each.language), each.created_at, is_shown, count)
        found[each.policy_version].append(kept)
    return found


def load_notices(connection: Connection, site_id: int) -> tuple[list[Notice], Mapping[str, list[Picture]]]:
    """Read a site's notices and their pictures."""
    notices = list_notices(connection, site_id)
    return notices, list_pictures(connection, notices)


def _find(connection: Connection, site_id: int, notice_hash: str) -> Notice:
    found = read_notice(connection, site_id, notice_hash)
    if found is None:
        raise NotFound("there is no such notice at this site; it went when no record cited it any more")
    return found


def _picture(kept: Screenshot, of: Notice) -> Picture:
    window = "a desktop window" if kept.width > kept.height else "a mobile screen"
    what, texts = _SURFACES[kept.surface], of.config["texts"]
    said = [texts["title" if kept.surface is Surface.BANNER else "customize"], texts["refuse"], texts["accept"]]
    language = language_text(of.language)
    return Picture(
        kept,
        f"{what}, {kept.width} x {kept.height}",
        f"{what} in {language} on {window} of {kept.width} by {kept.height} pixels: {', '.join(said)}",
    )


def _options(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(label, str(config[key])) for key, label in _OPTIONS.items() if config.get(key) not in (None, "")]
    found.append(("Global Privacy Control", str(config.get("signals", {}).get("gpc", "refuse"))))
    if config.get("asked_again"):
        found.append(("Asked again because", str(config["asked_again"]["reason"])))
    return found
