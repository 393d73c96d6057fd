"""Turn what a page sends into an act under the policy it was shown, record it, and answer with a signed token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from consent_service.browser.sender import Sender
from consent_service.consent.banner import resolve_language
from consent_service.consent.decision import DecisionRequest, mismatches
from consent_service.consent.erasure import Erasure, certificate_url
from consent_service.consent.evidence import marks
from consent_service.consent.idempotency import find_answer, keep_answer
from consent_service.consent.publication import PolicyVersion, Publication
from consent_service.consent.receipts import lock_state
from consent_service.consent.record import Act, Recorded, Terms, record
from consent_service.consent.tokens import (
    ExpiredToken,
    Token,
    TokenError,
    TokenSigner,
    cut_to_day,
    purpose_bits,
)
from consent_service.errors import Invalid, PolicyOutdated
from consent_service.sites.reporting import local_date
from consent_service.times import timestamp

# A grant made under the version before stands for a day: pages and caches change a little later than policies.
GRACE = timedelta(hours=24)


def judge(request: DecisionRequest, publication: Publication, sender: Sender, now: datetime) -> Act:
    """Give the act that a request means.

    Raises Invalid when purposes, version or hash do not fit, PolicyOutdated when a grant cites a replaced version.
    A refusal never fails for its version or hash; one of a version that nobody knows refuses the present purposes.
    """
    cited = publication.versions.get(request.policy_version)
    version = (
        _version_of_refusal(request, publication)
        if request.is_refusal
        else _version_of_grant(request, publication, now)
    )
    ids = None if cited is None else [purpose.id for purpose in version.policy.purposes]
    wrong = mismatches(request, ids)
    if wrong:
        raise Invalid([(item.pointer, item.message) for item in wrong])
    policy = version.policy
    if request.is_refusal:
        expires_at = cut_to_day(now) + timedelta(days=policy.refusal_days)
    else:
        expires_at = now + timedelta(days=policy.valid_days)
    return Act(
        site_id=publication.site.site_id,
        site_key=publication.site.key,
        action=request.action,
        # What a page calls the purposes of an unknown version may be anything, an identifier too.
        purposes=dict(request.purposes) if ids is not None else {item.id: False for item in policy.purposes},
        policy_version=version.version,
        policy_hash=version.content_hash,
        notice_hash=publication.cited(request.banner_hash),
        language=resolve_language(policy, request.language),
        mechanism=request.mechanism,
        terms=terms_of(publication),
        decided_at=now,
        local_day=local_date(publication.site, now),
        expires_at=expires_at,
        is_under_signal=request.signals.gpc and not request.is_refusal,
        evidence=_evidence(request, publication),
        device=sender.device.kind or None,
        country=sender.place.country or None,
    )


def _evidence(request: DecisionRequest, publication: Publication) -> dict[str, Any]:
    """Give what a grant's record keeps as evidence, with the marks of what does not fit."""
    cited = publication.cited(request.banner_hash)
    shown = next((each for each in publication.banners.values() if each["banner_hash"] == cited), None)
    return {**request.evidence_document, "marks": marks(request, shown)}


def terms_of(publication: Publication) -> Terms:
    """Give what all versions of a site's policy say together."""
    measuring = [version.policy.measuring for version in publication.versions.values()]
    return Terms(
        measuring=publication.rules.purpose,
        measured=frozenset(purpose.id for purpose in measuring if purpose is not None),
        material_version=publication.rules.material_version,
    )


def decide(
    connection: Connection,
    request: DecisionRequest,
    act: Act,
    publication: Publication,
    signer: TokenSigner,
    digest: str,
) -> tuple[bytes, list[str]]:
    """Record an act in the writer's transaction; gives the answer's JSON and the receipts it touched.

    Raises IdempotencyConflict.
    """
    now = act.decided_at
    first = find_answer(connection, act.site_id, request.idempotency_key, digest, now)
    if first is not None:
        return first, []
    prior = _prior(connection, request.previous, act, signer)
    act = replace(act, expires_at=_end(request, act, prior))
    done = record(connection, act, prior)
    answer = orjson.dumps(_answer(act, done, publication, signer))
    keep_answer(connection, act.site_id, request.idempotency_key, digest, answer, now)
    return answer, [touched for touched in (done.receipt_id, done.closed_id) if touched is not None]


def _end(request: DecisionRequest, act: Act, prior: Mapping[str, Any] | None) -> datetime:
    """Give the end of an act: what goes on from an earlier grant without being asked again keeps that grant's end."""
    if prior is None or request.asked is None or prior["expires_at"] <= act.decided_at:
        return act.expires_at
    goes_on = any(name in prior["purposes"] and name not in request.asked for name in act.granted)
    return min(act.expires_at, prior["expires_at"]) if goes_on else act.expires_at


def refusal_token(signer: TokenSigner, site_key: str, policy_version: int, now: datetime) -> str:
    """Sign the token of one who granted nothing: no identifier, and the same bytes for all who refuse on one day."""
    return signer.sign(Token(site_key, None, 0, policy_version, False, cut_to_day(now)))


def erasure_document(erasure: Erasure | None, signer: TokenSigner) -> dict[str, Any] | None:
    """Give the `erasure` member of an answer."""
    if erasure is None:
        return None
    return {
        "id": erasure.erasure_id,
        "status": erasure.status,
        "events": erasure.events,
        "certificate_url": certificate_url(erasure, signer),
        "due_at": timestamp(erasure.due_at),
    }


def _version_of_refusal(request: DecisionRequest, publication: Publication) -> PolicyVersion:
    return publication.versions.get(request.policy_version, publication.current)


def _version_of_grant(request: DecisionRequest, publication: Publication, now: datetime) -> PolicyVersion:
    cited = publication.versions.get(request.policy_version)
    if cited is None:
        raise Invalid([("/policy_version", "is not a published version of this site's policy")])
    known = publication.notices.get(publication.cited(request.banner_hash) or "")
    if known is None or known.policy_version != cited.version:
        raise Invalid([("/banner_hash", "is not the hash of a banner of this policy version")])
    if known.language != resolve_language(cited.policy, request.language):
        raise Invalid([("/banner_hash", "is the hash of a banner in another language")])
    current = publication.current
    if cited.version == current.version:
        return cited
    replaced_at = publication.versions[cited.version + 1].published_at
    if cited.version < current.material_version or now >= replaced_at + GRACE:
        raise PolicyOutdated("the policy was replaced; show the present banner", publication.banner(request.language))
    return cited


def _prior(connection: Connection, text: str | None, act: Act, signer: TokenSigner) -> dict[str, Any] | None:
    """Find the receipt an earlier token continues; a forged or foreign token is ignored and starts anew."""
    if not text:
        return None
    try:
        token = signer.open(text, act.decided_at)
    except ExpiredToken as expired:
        token = expired.token
    except TokenError:
        return None
    if token.site_key != act.site_key or token.receipt_id is None:
        return None
    row = lock_state(connection, token.receipt_id)
    return None if row is None else dict(row._mapping)


def _answer(act: Act, done: Recorded, publication: Publication, signer: TokenSigner) -> dict[str, Any]:
    if act.granted:
        ids = [purpose.id for purpose in publication.versions[act.policy_version].policy.purposes]
        bits = purpose_bits(ids, act.granted)
        token = signer.sign(
            Token(act.site_key, done.receipt_id, bits, act.policy_version, act.is_under_signal, act.decided_at)
        )
    else:
        token = refusal_token(signer, act.site_key, act.policy_version, act.decided_at)
    return {
        "decision_id": done.decision_id,
        "receipt_id": done.receipt_id,
        "token": token,
        "decided_at": timestamp(act.decided_at),
        "expires_at": timestamp(act.expires_at),
        "purposes": dict(act.purposes),
        "policy_version": act.policy_version,
        "withdrawn": list(done.withdrawn),
        "erasure": erasure_document(done.erasure, signer),
    }
