"""Show privacy officers what was published and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection, and_, or_, select
from werkzeug.wrappers import Response as AnyResponse

from consent_service.consent.asked import AskedAgain, count_asked
from consent_service.consent.difference import Change, difference
from consent_service.consent.evidence_bundle import NoSuchDecision, bundle_decision
from consent_service.consent.privacy import language_name
from consent_service.consent.publication import PolicyVersion, Publication
from consent_service.consent.scripts import Release, find_release
from consent_service.console.auth import require_site, require_user
from consent_service.console.notices import load_notices, notices_by_version
from consent_service.console.people import Role
from consent_service.console.wording import NO_NUMBER
from consent_service.db.audit import note
from consent_service.db.tables import decision
from consent_service.errors import NotFound, Unavailable
from consent_service.ledger.standing import LedgerError
from consent_service.services import services

PAGE_ROWS: Final = 50
ACTIONS: Final = {
    "accept_all": "Accepted",
    "refuse_all": "Refused",
    "save": "Customised",
    "withdraw": "Withdrew",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold one changed key of a policy as people read it."""

    path: str
    kind: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Version:
    """Hold a published version and what it changed.

    `is_material` says that it asked earlier visitors again, `asked` whose choices in force it still asks.
    """

    published: PolicyVersion
    changes: tuple[Difference, ...]
    is_first: bool
    is_material: bool
    asked: AskedAgain | None


@dataclass(frozen=True, slots=True)
class Banner:
    """Hold the words of one language's banner."""

    language: str
    name: str
    direction: str
    texts: dict[str, str]
    body: tuple[str, str]
    has_customize: bool
    banner_hash: str
    policy_url: str


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one decision as the log shows it; `purposes` are id and whether it was granted."""

    decision_id: str
    receipt_id: str | None
    action: str
    purposes: tuple[tuple[str, bool], ...]
    withdrawn: tuple[str, ...]
    policy_version: int
    language: str
    mechanism: str
    decided_at: datetime
    marks: tuple[str, ...]
    notice_hash: str | None
    script: str


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    bp.add_url_rule("/sites/<key>/policy", view_func=policy)
    bp.add_url_rule("/sites/<key>/decisions", view_func=decisions)
    bp.add_url_rule("/sites/<key>/decisions/<decision_id>/bundle", view_func=bundle, methods=["POST"])


def policy(key: str) -> AnyResponse:
    """Show a site's published versions with what each changed, and the words of its banner."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    publication = services().publications.of(site)
    with services().engine.connect() as connection:
        notices, pictures = load_notices(connection, site.site_id)
        versions = [] if publication is None else _versions(connection, publication, services().now())
    page = render_template(
        "console/policy.html",
        site=site,
        versions=versions,
        banners=[] if publication is None else _banners(publication),
        notices={} if publication is None else notices_by_version(notices, pictures, publication),
        pictures_of=pictures,
    )
    return make_response(page)


def decisions(key: str) -> AnyResponse:
    """Show a site's decisions, the newest first, a page at a time."""
    site = require_site(key, require_user(Role.PRIVACY_OFFICER))
    with services().engine.connect() as connection:
        records, following = list_newest(connection, site.site_id, request.args.get("before"), PAGE_ROWS)
    page = render_template(
        "console/decisions.html",
        site=site,
        records=records,
        following=following,
        is_first=not request.args.get("before"),
        actions=ACTIONS,
    )
    return make_response(page)


def bundle(key: str, decision_id: str) -> AnyResponse:
    """Give the evidence bundle of a decision as a file; the audit says who took it."""
    person = require_user(Role.PRIVACY_OFFICER)
    site, parts = require_site(key, person), services()
    try:
        content = bundle_decision(
            parts.engine, parts.sign_checkpoint, decision_id, parts.config.public_url, site_id=site.site_id
        )
    except NoSuchDecision as error:
        raise NotFound(str(error)) from error
    except LedgerError as error:
        raise Unavailable(str(error)) from error
    parts.writer.run(
        lambda connection: note(
            connection,
            at=parts.now(),
            actor=person.email,
            action="ledger.bundle",
            subject=decision_id,
            site_id=site.site_id,
            detail={},
        )
    )
    response = Response(content, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{decision_id}.zip"'
    return response


def list_newest(
    connection: Connection, site_id: int, before: str | None, limit: int
) -> tuple[list[Record], str | None]:
    """List a site's decisions, the newest first, those before the named one if one is named.

    The second value names the decision that the next page comes before, None at the end. Raises NotFound.
    """
    statement = select(decision).where(decision.c.site_id == site_id)
    if before is not None:
        at = connection.execute(
            select(decision.c.decided_at).where(decision.c.decision_id == before, decision.c.site_id == site_id)
        ).scalar()
        if at is None:
            raise NotFound("there is no such decision at this site")
        same_moment = and_(decision.c.decided_at == at, decision.c.decision_id < before)
        statement = statement.where(or_(decision.c.decided_at < at, same_moment))
    order = (decision.c.decided_at.desc(), decision.c.decision_id.desc())
    rows = connection.execute(statement.order_by(*order).limit(limit + 1)).all()
    following = rows[limit - 1].decision_id if len(rows) > limit else None
    return _records(connection, rows[:limit]), following


def list_of_receipt(connection: Connection, site_id: int, receipt_id: str, limit: int) -> list[Record]:
    """List the decisions of one receipt of a site, the newest first."""
    of_it = select(decision).where(decision.c.site_id == site_id, decision.c.receipt_id == receipt_id)
    order = (decision.c.decided_at.desc(), decision.c.decision_id.desc())
    return _records(connection, connection.execute(of_it.order_by(*order).limit(limit)).all())


def _records(connection: Connection, rows: Sequence[Any]) -> list[Record]:
    proofs = [orjson.loads(row.record) for row in rows]
    said = {proof.get("script_hash") for proof in proofs} - {None}
    scripts = {script: _script_name(find_release(connection, script)) for script in said}
    shown = zip(rows, proofs, strict=True)
    return [_record(row, proof, scripts.get(proof.get("script_hash"), "")) for row, proof in shown]


def _script_name(release: Release | None) -> str:
    return "script never served here" if release is None else f"{release.name} of {release.version}"


def _record(row: Any, proof: dict[str, Any], script: str) -> Record:
    return Record(
        decision_id=row.decision_id,
        receipt_id=row.receipt_id,
        action=row.action,
        purposes=tuple((purpose, bool(granted)) for purpose, granted in row.purposes.items()),
        withdrawn=tuple(row.withdrawn),
        policy_version=row.policy_version,
        language=row.language,
        mechanism=row.mechanism,
        decided_at=row.decided_at,
        marks=tuple(proof.get("marks", ())),
        notice_hash=row.notice_hash,
        script=script,
    )


def _versions(connection: Connection, publication: Publication, now: datetime) -> list[Version]:
    published = sorted(publication.versions.values(), key=lambda each: each.version)
    found: list[Version] = []
    for at, each in enumerate(published):
        changes = difference(published[at - 1].policy, each.policy) if at else []
        shown = tuple(_difference(change) for change in changes)
        is_material = at > 0 and each.material_version == each.version
        asked = count_asked(connection, publication, each.version - 1, each.version, now) if is_material else None
        found.append(Version(each, shown, at == 0, is_material, asked))
    return found[::-1]


def _difference(change: Change) -> Difference:
    return Difference(change.path, change.kind.value, _value_text(change.before), _value_text(change.after))


def _value_text(value: object) -> str:
    if value is None or value in ("", []):
        return NO_NUMBER
    if isinstance(value, list):
        return ", ".join(_value_text(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _banners(publication: Publication) -> list[Banner]:
    return [_banner(language, config) for language, config in publication.banners.items()]


def _banner(language: str, config: dict[str, Any]) -> Banner:
    texts = config["texts"]
    before, _, after = texts["body"].partition("{policy}")
    return Banner(
        language=language,
        name=language_name(language),
        direction=config["dir"],
        texts=texts,
        body=(before, after),
        has_customize=len(config["purposes"]) > 1,
        banner_hash=config["banner_hash"],
        policy_url=config["policy_url"],
    )
