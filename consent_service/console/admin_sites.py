"""Administer a site and its policies over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection

from consent_service.consent.asked import count_asked
from consent_service.consent.difference import difference
from consent_service.consent.policy import Policy, PolicyError, parse_policy, policy_warnings
from consent_service.consent.publication import PolicyVersion, Publication, load_publication
from consent_service.consent.publish import publish_policy, stranded_settings, unfit_settings
from consent_service.console.admin_access import (
    Administrator,
    as_invalid,
    read_strict,
    require_admin,
    write,
)
from consent_service.console.admin_tokens import make_token
from consent_service.errors import NotFound
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.changes import add_site, change_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SettingsError, SiteSettings, parse_settings
from consent_service.sites.snippet import write_snippet
from consent_service.times import timestamp
from consent_service.web import json_response

bp = Blueprint("sites", __name__)


@bp.get("/sites")
def get_sites() -> Response:
    """List the sites the token may see: its own."""
    admin = require_admin()
    with services().engine.connect() as connection:
        site = admin.own(connection, admin.site.key)
    return json_response({"sites": [_summary(site)]})


@bp.post("/sites")
def post_site() -> Response:
    """Add a site; the answer holds a token for it, because the token that asks reaches its own site alone."""
    admin, settings = require_admin(), _read_settings()

    def work(connection: Connection, now: datetime) -> tuple[Site, dict[str, Any]]:
        made = add_site(connection, settings, actor=admin.actor, now=now)
        return made, make_token(connection, admin, made, (Scope.ADMIN,), is_public=False, expires_days=None, now=now)

    made, token = write(work)
    response = json_response({**_document(made), "token": token}, 201)
    response.headers["Location"] = f"/api/v1/sites/{made.key}"
    return response


@bp.get("/sites/<key>")
def get_site(key: str) -> Response:
    """Give a site with all its settings."""
    admin = require_admin()
    with services().engine.connect() as connection:
        site = admin.own(connection, key)
    return json_response(_document(site))


@bp.put("/sites/<key>")
def put_site(key: str) -> Response:
    """Replace a site's settings."""
    admin = require_admin()
    _refuse_foreign(admin, key)
    settings = _read_settings()

    def replace(connection: Connection, before: Site) -> SiteSettings:
        if problems := unfit_settings(load_publication(connection, before), settings):
            raise as_invalid(problems)
        return settings

    return _change(admin, key, replace, "site.set")


@bp.post("/sites/<key>/pause")
def post_pause(key: str) -> Response:
    """Take no events of a site until it is resumed; decisions go on."""
    return _change(require_admin(), key, lambda _, old: _paused(old, True), "site.pause")


@bp.post("/sites/<key>/resume")
def post_resume(key: str) -> Response:
    """Take a site's events again."""
    return _change(require_admin(), key, lambda _, old: _paused(old, False), "site.resume")


@bp.get("/sites/<key>/policies")
def get_policies(key: str) -> Response:
    """List the published versions of a site's policy, the newest first."""
    admin = require_admin()
    with services().engine.connect() as connection:
        publication = load_publication(connection, admin.own(connection, key))
    versions = [] if publication is None else sorted(publication.versions.values(), key=lambda v: -v.version)
    return json_response({"site": key, "policies": [_version_document(version) for version in versions]})


@bp.post("/sites/<key>/policies")
def post_policy(key: str) -> Response:
    """Publish a policy as the site's next, immutable version."""
    admin = require_admin()
    _refuse_foreign(admin, key)
    body, _ = read_strict()
    try:
        policy = parse_policy(body, format="json")
        version, publication = write(
            lambda connection, now: _publish(connection, admin.own(connection, key), policy, admin, now)
        )
    except PolicyError as error:
        raise as_invalid(error.problems) from error
    document = {
        **_version_document(version),
        "asks_again": version.material_version == version.version > 1,
        "banners": {language: config["banner_hash"] for language, config in publication.banners.items()},
        "warnings": [
            item.document() for item in [*policy_warnings(body, format="json"), *stranded_settings(publication)]
        ],
    }
    response = json_response(document, 201)
    response.headers["Location"] = f"/api/v1/sites/{key}/policies/{version.version}"
    return response


@bp.get("/sites/<key>/policies/<int:version>")
def get_policy(key: str, version: int) -> Response:
    """Give a published policy."""
    found = _version(require_admin(), key, version)
    return json_response({**_version_document(found), "policy": found.policy.document()})


@bp.get("/sites/<key>/policies/<int:a>/diff/<int:b>")
def get_difference(key: str, a: int, b: int) -> Response:
    """Tell what changed between two published versions."""
    admin = require_admin()
    before, after = _version(admin, key, a), _version(admin, key, b)
    changes = difference(before.policy, after.policy)
    with services().engine.connect() as connection:
        publication = load_publication(connection, admin.own(connection, key))
        asked = None if publication is None else count_asked(connection, publication, a, b, services().now())
    return json_response(
        {
            "from": a,
            "to": b,
            "changes": [change.document() for change in changes],
            "asked": None if asked is None else asked.document(),
        }
    )


def _refuse_foreign(admin: Administrator, key: str) -> None:
    # What may not be reached is refused before its body is looked at.
    with services().engine.connect() as connection:
        admin.own(connection, key)


def _publish(
    connection: Connection, site: Site, policy: Policy, admin: Administrator, now: datetime
) -> tuple[PolicyVersion, Publication]:
    version = publish_policy(connection, site, policy, actor=admin.actor, now=now)
    publication = load_publication(connection, site)
    if publication is None:
        raise NotFound("this site has no published policy")
    return version, publication


def _change(
    admin: Administrator, key: str, change: Callable[[Connection, Site], SiteSettings], action: str
) -> Response:
    def work(connection: Connection, now: datetime) -> Site:
        settings = change(connection, admin.own(connection, key))
        return change_site(connection, key, settings, actor=admin.actor, now=now, action=action)

    return json_response(_document(write(work)))


def _paused(site: Site, is_paused: bool) -> SiteSettings:
    return site.settings.model_copy(update={"paused": is_paused})


def _read_settings() -> SiteSettings:
    body, _ = read_strict()
    try:
        return parse_settings(body, format="json")
    except SettingsError as error:
        raise as_invalid(error.problems) from error


def _version(admin: Administrator, key: str, number: int) -> PolicyVersion:
    with services().engine.connect() as connection:
        publication = load_publication(connection, admin.own(connection, key))
    found = None if publication is None else publication.versions.get(number)
    if found is None:
        raise NotFound("this site has no policy version of this number")
    return found


def _summary(site: Site) -> dict[str, Any]:
    with services().engine.connect() as connection:
        publication = load_publication(connection, site)
    return {
        "key": site.key,
        "domain": site.settings.domain,
        "name": site.settings.name,
        "origins": list(site.origins),
        "timezone": site.settings.timezone,
        "paused": site.settings.paused,
        "policy_version": None if publication is None else publication.current.version,
    }


def _document(site: Site) -> dict[str, Any]:
    snippet = write_snippet(site, services().config.public_url)
    return {**_summary(site), "settings": site.settings.document(), "snippet": snippet}


def _version_document(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "content_hash": version.content_hash,
        "material_version": version.material_version,
        "refusal_material_version": version.refusal_material_version,
        "published_at": timestamp(version.published_at),
    }
